// SPDX-License-Identifier: GPL-2.0-only
// include/linux/spinlock.h.

#ifndef SHIM_LINUX_SPINLOCK_H_
#define SHIM_LINUX_SPINLOCK_H_

#include "points.h"

#define spin_lock(lock) source_points.spin_lock((lock), __func__)
#define spin_unlock(lock) source_points.spin_unlock((lock), __func__)
#define assert_spin_locked(lock) \
  ((lock)->owner ? (void)0 : source_points.warn("!spin_is_locked(" #lock ")", __func__))
#define lockdep_assert_held(lock) assert_spin_locked(lock)

#endif  // SHIM_LINUX_SPINLOCK_H_
