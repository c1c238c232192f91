// SPDX-License-Identifier: GPL-2.0-only
// include/linux/wait.h: sleeping on a queue until a condition holds.

#ifndef SHIM_LINUX_WAIT_H_
#define SHIM_LINUX_WAIT_H_

#include "points.h"

// The condition is tested, then again with the task on the queue before each sleep. Nobody but a
// wakeup ends a sleep, so killable and interruptible waits are the same.
#define wait_event(queue, condition)                     \
  do {                                                   \
    if (condition) break;                                \
    for (;;) {                                           \
      source_points.prepare_to_wait(&(queue), __func__); \
      if (condition) break;                              \
      source_points.schedule(&(queue), __func__);        \
    }                                                    \
    source_points.finish_wait(&(queue), __func__);       \
  } while (0)
#define wait_event_killable(queue, condition) \
  ({                                          \
    wait_event(queue, condition);             \
    0;                                        \
  })
#define wake_up(queue) source_points.wake_up((queue), __func__)
#define wake_up_all(queue) wake_up(queue)

#endif  // SHIM_LINUX_WAIT_H_
