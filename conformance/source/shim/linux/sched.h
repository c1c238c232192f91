// SPDX-License-Identifier: GPL-2.0-only
// include/linux/sched.h: nothing of it is used.

#ifndef SHIM_LINUX_SCHED_H_
#define SHIM_LINUX_SCHED_H_

#endif  // SHIM_LINUX_SCHED_H_
