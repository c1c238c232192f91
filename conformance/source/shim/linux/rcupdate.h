// SPDX-License-Identifier: GPL-2.0-only
// include/linux/rcupdate.h: one connection's readers.

#ifndef SHIM_LINUX_RCUPDATE_H_
#define SHIM_LINUX_RCUPDATE_H_

#include "points.h"

#define rcu_read_lock() source_points.rcu_read_lock(__func__)
#define rcu_read_unlock() source_points.rcu_read_unlock(__func__)
#define kfree_rcu(object, field) source_points.free_backing_rcu(object)

#endif  // SHIM_LINUX_RCUPDATE_H_
