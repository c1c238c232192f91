// SPDX-License-Identifier: GPL-2.0-only
//
// What a World is: the seam between the model and whatever runs it. Every function and type of the
// model is a template over a class W, and takes locks, atomics, sleeping, memory and warnings from
// it. This header is documentation: `ExampleWorld` declares every member that a World must have,
// and nothing includes it. A new World starts as a copy.
//
//   sim/scheduled_world.h   fibers in one arena; each visible operation is one scheduling point
//   sim/native_world.h      std::atomic, spin locks and futexes under real threads
//
// In all Worlds:
// * Objects of the model are aggregates, zero at the start. A zeroed lock is free, a zeroed queue
//   empty, a zeroed completion not done.
// * Names and meaning are the kernel's. Where the kernel's function orders memory (release on
//   unlock, a full barrier in xchg), the World's does at least that.
// * What may sleep must not be called with a spin lock held: wait_event, wait_for_completion,
//   down_read, down_write. wait_event_lock lets go of the one lock that it is given.
// * Nothing throws. Memory of an object is its owner's: a World never keeps a pointer to a lock, a
//   queue or a completion after the call that got it, except while a task sleeps there.

#ifndef MODEL_WORLD_H_
#define MODEL_WORLD_H_

#include <cstdint>

namespace iomode {

struct ExampleWorld {
  // --- Tasks ---

  // The number of the running task, for requests and for the bytes that it writes: below 65,535.
  static uint32_t current();

  // Lives on the stack of a kernel function; names it for findings and for dumps of who sleeps
  // where. `name` is a constant. May do nothing.
  class Function {
   public:
    explicit Function(const char* name);
  };

  // --- Variables ---
  //
  // `value` is the bare variable: reading or writing it directly belongs to the operation under
  // way, is no scheduling point, and is atomic and ordered all the same.

  // A variable that tasks share without a lock: fi->i_size, fc->connected, ...
  template <class T>
  struct Atomic {
    T value;
  };
  // A variable that is written with its owner's spin lock held and read with or without it:
  // iocachectr, state, fb. With the lock held a read is not a visible operation.
  template <class T>
  struct Published {
    T value;
  };

  // Var is an Atomic or a Published, T its type. READ_ONCE is smp_load_acquire, WRITE_ONCE
  // smp_store_release; the rest are full barriers.
  template <class Var, class T>
  static T READ_ONCE(const Var& v);
  template <class Var, class T>
  static void WRITE_ONCE(Var& v, T value);
  template <class Var, class T>
  static T xchg(Var& v, T value);  // the old value
  template <class Var>
  static bool test_bit(int bit, const Var& v);  // as READ_ONCE
  template <class Var>
  static void set_bit(int bit, Var& v);
  template <class Var>
  static void clear_bit(int bit, Var& v);
  template <class Var>
  static void set_bits(Var& v, uint8_t mask);
  template <class Var, class T>
  static T increment(Var& v);  // the new value; wraps around

  // A visible operation on `object` that the caller carries out itself, right after this: a
  // scheduling point. `verb` is a constant, for stories: "looks up in".
  static void operation(const char* verb, const void* object, int64_t value = 0);
  // The same for one that only reads `object`.
  static void reading_operation(const char* verb, const void* object, int64_t value = 0);

  // --- Reference counts (refcount_t) ---
  //
  // Raising a count from 0 and dropping one below 0 is reported as a use after put.

  struct Refcount {};
  static void refcount_set(Refcount& r, int n);  // before others can see it
  static void refcount_inc(Refcount& r);
  static bool refcount_inc_not_zero(Refcount& r);  // false, unchanged: it was 0
  static bool refcount_dec_and_test(Refcount& r);  // true: it is 0 now, and the caller frees
  static int refcount_read(const Refcount& r);

  // --- Memory ---

  template <class T>
  struct Pool {
    // A zeroed object with `live` set; nullptr: none left. Any task, with any lock held.
    T* alloc();
    // Gives an object of alloc() back. Nobody else may use it any more. A T with
    // `const char* owned() const` tells what it has not given up yet, which leaks, or nullptr.
    void free(T* item);
    // Calls f(T&) for objects of the pool. Which ones is the World's: of the vmas, at least those
    // that are mapped. f takes no lock.
    template <class F>
    void for_each(F f);
  };
  // Whether the running task was killed; ends the waits that are killable.
  static bool fatal_signal_pending();
  // A value below n: any of them can happen.
  static int choose(int n);
  // Whether the allocation that the caller is about to make has to fail.
  static bool allocation_fails();

  // --- Spin locks ---

  struct SpinLock {};
  static void spin_lock(SpinLock& lock);
  static void spin_unlock(SpinLock& lock);
  // The operation under way reads, without the lock, what the lock protects.
  static void reads_unlocked(const SpinLock& lock);

  // --- Sleeping ---

  // wait_queue_head_t, without exclusive waiters.
  struct WaitQueue {};
  // Tests; then enqueues, tests again and sleeps until woken, for as long as condition() is false.
  // Sleeps on when the condition becomes true and nobody wakes. Uninterruptible.
  template <class Condition>
  static void wait_event(WaitQueue& queue, Condition condition);
  // Wakes all who sleep there. A condition made true before is seen by them, and by whoever is
  // about to sleep.
  static void wake_up(WaitQueue& queue);

  // Sleeps until condition(), which is tested with `lock` held. The lock is held at the call and on
  // return, and not in between.
  template <class Condition>
  static void wait_event_lock(WaitQueue& queue, SpinLock& lock, Condition condition);
  // For queues of wait_event_lock, with their lock held.
  static void wake_up_locked(WaitQueue& queue);

  struct Completion {};
  // After complete() the waiter may free the completion at once.
  static void complete(Completion& c);
  static void wait_for_completion(Completion& c);

  // --- rw_semaphore: the inode lock, and a process's mmap_lock ---
  //
  // A waiting writer keeps new readers out; nobody waits for ever behind others that come and go.

  struct RwSem {};
  static void down_read(RwSem& sem);
  static void up_read(RwSem& sem);
  static void down_write(RwSem& sem);
  static void up_write(RwSem& sem);
  // Without sleeping; false when the lock is held exclusively or somebody waits for it.
  static bool down_read_trylock(RwSem& sem);
  // 0, or -EINTR without the lock when the task's process is killed while it waits.
  static int down_read_killable(RwSem& sem);
  static int down_write_killable(RwSem& sem);
  static void downgrade_write(RwSem& sem);

  // --- RCU, one domain a connection ---

  struct RcuState {};
  // A reader does not sleep and takes no lock in between, and does not nest.
  static void rcu_read_lock(RcuState& rcu);
  // True: nobody reads any more, and the caller frees what waits for the end of a grace period.
  // A World in which rcu_idle() waits always says false.
  static bool rcu_read_unlock(RcuState& rcu);
  // Whether an object that no new reader can find may be freed now; if not, it is freed by the last
  // reader. May be called with spin locks held.
  static bool rcu_idle(RcuState& rcu);

  // --- Reports ---

  // Reports when `condition` holds, and returns it. `what` is a constant.
  static bool WARN_ON(bool condition, const char* what);
  // Reports a parallel write that is refused for no good reason.
  static void FALSE_BUSY(bool condition, const char* what);
};

}  // namespace iomode

#endif  // MODEL_WORLD_H_
