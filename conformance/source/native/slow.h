// SPDX-License-Identifier: GPL-2.0-only
//
// What the native library leaves to whoever loads it, who fills it in before calling anything: the
// slow halves of sim/native_world.h, so that the kernel's code waits as the model does.

#ifndef CONFORMANCE_SOURCE_NATIVE_SLOW_H_
#define CONFORMANCE_SOURCE_NATIVE_SLOW_H_

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct source_slow {
  void (*spin_lock)(spinlock_t* lock);                           // it was found taken
  void (*sleep)(wait_queue_head_t* queue, unsigned int ticket);  // until queue->wakeups differs
  void (*wake)(wait_queue_head_t* queue);                        // somebody sleeps there
  void (*lock_shared)(struct rw_semaphore* sem);
  void (*lock)(struct rw_semaphore* sem);
  void (*wake_lockers)(struct rw_semaphore* sem);
  void (*report)(const char* what, const char* function);  // a WARN_ON, a bad count
};

#ifndef __cplusplus
extern struct source_slow source_slow;
#endif

#ifdef __cplusplus
}
#endif

#endif  // CONFORMANCE_SOURCE_NATIVE_SLOW_H_
