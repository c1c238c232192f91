// SPDX-License-Identifier: GPL-2.0-only
// include/linux/err.h and errno.h.

#ifndef SHIM_LINUX_ERR_H_
#define SHIM_LINUX_ERR_H_

#include <errno.h>
#include <stdbool.h>

static inline void* ERR_PTR(long error) { return (void*)error; }
static inline long PTR_ERR(const void* pointer) { return (long)pointer; }
static inline bool IS_ERR(const void* pointer) { return (unsigned long)pointer >= -4095ul; }
static inline bool IS_ERR_OR_NULL(const void* pointer) { return !pointer || IS_ERR(pointer); }
static inline void* ERR_CAST(const void* pointer) { return (void*)pointer; }

#endif  // SHIM_LINUX_ERR_H_
