// SPDX-License-Identifier: GPL-2.0-only
//
// The locks and counts of objects.h as sim/native_world.h has them, where the kernel's code runs on
// real threads (SOURCE_NATIVE). Whoever loads the library asserts that they lie alike.

#ifndef CONFORMANCE_SOURCE_NATIVE_TYPES_H_
#define CONFORMANCE_SOURCE_NATIVE_TYPES_H_

typedef struct {
  unsigned char owner;  // 1: taken
} spinlock_t;

typedef struct __attribute__((aligned(8))) {
  unsigned int sleepers;
  unsigned int wakeups;
} wait_queue_head_t;

typedef struct {
  int refs;
} refcount_t;

struct rw_semaphore {
  unsigned int state;
};
#define RWSEM_WRITER (1u << 31)
#define RWSEM_WRITER_WAITS (1u << 30)
#define RWSEM_SLEEPERS (1u << 29)
#define RWSEM_READERS (RWSEM_SLEEPERS - 1)

#endif  // CONFORMANCE_SOURCE_NATIVE_TYPES_H_
