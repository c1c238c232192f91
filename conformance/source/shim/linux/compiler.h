// SPDX-License-Identifier: GPL-2.0-only
// include/linux/compiler.h, asm-generic/rwonce.h, atomic exchanges: each one is a scheduling point.

#ifndef SHIM_LINUX_COMPILER_H_
#define SHIM_LINUX_COMPILER_H_

#include "points.h"

#define READ_ONCE(x) ((typeof(x))source_points.read(&(x), sizeof(x), __func__))
#define WRITE_ONCE(x, v) source_points.write(&(x), sizeof(x), (unsigned long)(v), __func__)
#define xchg(p, v) \
  ((typeof(*(p)))source_points.xchg((p), sizeof(*(p)), (unsigned long)(typeof(*(p)))(v), __func__))
#define smp_load_acquire(p) READ_ONCE(*(p))
#define smp_store_release(p, v) WRITE_ONCE(*(p), v)
#define likely(x) (x)
#define unlikely(x) (x)

#endif  // SHIM_LINUX_COMPILER_H_
