// SPDX-License-Identifier: GPL-2.0-only
//
// The points of points.h on real threads, as inline functions: the same atomic operations in the
// same order of memory as sim/native_world.h, which the compiler puts in place of the calls. Where
// a task has to wait or to wake, the loading program does it (source_slow).
//
// Only the points of the functions that entry.c in this folder exports; the linker drops the rest
// of the kernel's code.

#ifndef CONFORMANCE_SOURCE_NATIVE_INLINE_POINTS_H_
#define CONFORMANCE_SOURCE_NATIVE_INLINE_POINTS_H_

#include "slow.h"

#define POINT __attribute__((always_inline, unused)) static inline

// The objects of these functions are FUSE files.
POINT struct inode* file_inode(const struct file* file) { return (struct inode*)file->fi; }

POINT unsigned long native_read(const void* address, int bytes, const char* function) {
  (void)function;
  switch (bytes) {
    case 1:
      return __atomic_load_n((const unsigned char*)address, __ATOMIC_ACQUIRE);
    case 4:
      return __atomic_load_n((const unsigned int*)address, __ATOMIC_ACQUIRE);
    default:
      return __atomic_load_n((const unsigned long*)address, __ATOMIC_ACQUIRE);
  }
}
POINT void native_write(void* address, int bytes, unsigned long value, const char* function) {
  (void)function;
  switch (bytes) {
    case 1:
      __atomic_store_n((unsigned char*)address, (unsigned char)value, __ATOMIC_RELEASE);
      break;
    case 4:
      __atomic_store_n((unsigned int*)address, (unsigned int)value, __ATOMIC_RELEASE);
      break;
    default:
      __atomic_store_n((unsigned long*)address, value, __ATOMIC_RELEASE);
  }
}
POINT unsigned long native_xchg(void* address, int bytes, unsigned long value,
                                const char* function) {
  (void)function;
  if (bytes == 4)
    return __atomic_exchange_n((unsigned int*)address, (unsigned int)value, __ATOMIC_SEQ_CST);
  return __atomic_exchange_n((unsigned long*)address, value, __ATOMIC_SEQ_CST);
}
POINT bool native_test_bit(int bit, const unsigned char* word, const char* function) {
  (void)function;
  return (__atomic_load_n(word, __ATOMIC_ACQUIRE) >> bit) & 1;
}
POINT void native_set_bit(int bit, unsigned char* word, const char* function) {
  (void)function;
  __atomic_fetch_or(word, (unsigned char)(1u << bit), __ATOMIC_SEQ_CST);
}
POINT void native_clear_bit(int bit, unsigned char* word, const char* function) {
  (void)function;
  __atomic_fetch_and(word, (unsigned char)~(1u << bit), __ATOMIC_SEQ_CST);
}

POINT void native_spin_lock(spinlock_t* lock, const char* function) {
  (void)function;
  if (__atomic_exchange_n(&lock->owner, 1, __ATOMIC_ACQUIRE)) source_slow.spin_lock(lock);
}
POINT void native_spin_unlock(spinlock_t* lock, const char* function) {
  (void)function;
  __atomic_store_n(&lock->owner, 0, __ATOMIC_RELEASE);
}

// Between prepare_to_wait and schedule, of one wait_event.
static __thread unsigned int native_ticket __attribute__((unused));
POINT void native_prepare_to_wait(wait_queue_head_t* queue, const char* function) {
  (void)function;
  __atomic_fetch_add(&queue->sleepers, 1, __ATOMIC_SEQ_CST);
  native_ticket = __atomic_load_n(&queue->wakeups, __ATOMIC_SEQ_CST);
}
POINT void native_finish_wait(wait_queue_head_t* queue, const char* function) {
  (void)function;
  __atomic_fetch_sub(&queue->sleepers, 1, __ATOMIC_SEQ_CST);
}
POINT void native_schedule(wait_queue_head_t* queue, const char* function) {
  source_slow.sleep(queue, native_ticket);
  native_finish_wait(queue, function);
}
POINT void native_wake_up(wait_queue_head_t* queue, const char* function) {
  (void)function;
  if (__atomic_fetch_add(&queue->sleepers, 0, __ATOMIC_SEQ_CST) != 0) source_slow.wake(queue);
}

POINT bool native_refcount_dec_and_test(refcount_t* r, const char* function) {
  const int before = __atomic_fetch_sub(&r->refs, 1, __ATOMIC_ACQ_REL);
  if (before <= 0) source_slow.report("a reference is dropped that nobody holds", function);
  return before == 1;
}
POINT void native_free_backing_rcu(struct fuse_backing* fb) {
  (void)fb;
  source_slow.report("the last reference to a backing is dropped", __func__);
}

POINT struct rw_semaphore* native_rwsem(struct inode* inode) {
  return &((struct fuse_inode*)inode)->i_rwsem;
}
POINT void native_inode_lock(struct inode* inode, const char* function) {
  (void)function;
  unsigned int* state = &native_rwsem(inode)->state;
  unsigned int s = __atomic_load_n(state, __ATOMIC_RELAXED);
  while (!(s & (RWSEM_WRITER | RWSEM_READERS))) {
    if (__atomic_compare_exchange_n(state, &s, s | RWSEM_WRITER, true, __ATOMIC_ACQUIRE,
                                    __ATOMIC_ACQUIRE))
      return;
  }
  source_slow.lock(native_rwsem(inode));
}
POINT void native_inode_unlock(struct inode* inode, const char* function) {
  (void)function;
  if (__atomic_exchange_n(&native_rwsem(inode)->state, 0, __ATOMIC_SEQ_CST) & RWSEM_SLEEPERS)
    source_slow.wake_lockers(native_rwsem(inode));
}
POINT void native_inode_lock_shared(struct inode* inode, const char* function) {
  (void)function;
  unsigned int* state = &native_rwsem(inode)->state;
  unsigned int s = __atomic_load_n(state, __ATOMIC_RELAXED);
  while (!(s & (RWSEM_WRITER | RWSEM_WRITER_WAITS))) {
    if (__atomic_compare_exchange_n(state, &s, s + 1, true, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE))
      return;
  }
  source_slow.lock_shared(native_rwsem(inode));
}
POINT void native_inode_unlock_shared(struct inode* inode, const char* function) {
  (void)function;
  const unsigned int left =
      __atomic_fetch_sub(&native_rwsem(inode)->state, 1, __ATOMIC_SEQ_CST) - 1;
  if ((left & RWSEM_WRITER_WAITS) && (left & RWSEM_READERS) == 0)
    source_slow.wake_lockers(native_rwsem(inode));
}
POINT long native_i_size_read(const struct inode* inode, const char* function) {
  (void)function;
  return __atomic_load_n(&((const struct fuse_inode*)inode)->i_size, __ATOMIC_ACQUIRE);
}

POINT void native_warn(const char* what, const char* function) {
  source_slow.report(what, function);
}
POINT void native_false_busy(void) { source_slow.report("false EBUSY", "fuse_dio_lock"); }

// Constant, so that a call through it is a call of the function.
static const struct source_points source_points __attribute__((unused)) = {
    .read = native_read,
    .write = native_write,
    .xchg = native_xchg,
    .test_bit = native_test_bit,
    .set_bit = native_set_bit,
    .clear_bit = native_clear_bit,
    .spin_lock = native_spin_lock,
    .spin_unlock = native_spin_unlock,
    .prepare_to_wait = native_prepare_to_wait,
    .schedule = native_schedule,
    .finish_wait = native_finish_wait,
    .wake_up = native_wake_up,
    .refcount_dec_and_test = native_refcount_dec_and_test,
    .free_backing_rcu = native_free_backing_rcu,
    .inode_lock = native_inode_lock,
    .inode_unlock = native_inode_unlock,
    .inode_lock_shared = native_inode_lock_shared,
    .inode_unlock_shared = native_inode_unlock_shared,
    .i_size_read = native_i_size_read,
    .warn = native_warn,
    .false_busy = native_false_busy,
};

#undef POINT

#endif  // CONFORMANCE_SOURCE_NATIVE_INLINE_POINTS_H_
