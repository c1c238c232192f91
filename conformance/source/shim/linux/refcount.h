// SPDX-License-Identifier: GPL-2.0-only
// include/linux/refcount.h.

#ifndef SHIM_LINUX_REFCOUNT_H_
#define SHIM_LINUX_REFCOUNT_H_

#include "points.h"

#define refcount_set(r, n) source_points.refcount_set((r), (n))
#define refcount_read(r) source_points.refcount_read(r)
#define refcount_inc(r) source_points.refcount_inc((r), __func__)
#define refcount_inc_not_zero(r) source_points.refcount_inc_not_zero((r), __func__)
#define refcount_dec_and_test(r) source_points.refcount_dec_and_test((r), __func__)

#endif  // SHIM_LINUX_REFCOUNT_H_
