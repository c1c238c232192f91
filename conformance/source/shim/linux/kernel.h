// SPDX-License-Identifier: GPL-2.0-only
// include/linux/kernel.h, kconfig.h, types.h, bug.h and printk.h.

#ifndef SHIM_LINUX_KERNEL_H_
#define SHIM_LINUX_KERNEL_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "points.h"

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define IS_ENABLED(option) (option)
#define container_of(pointer, type, member) ((type*)((char*)(pointer)-offsetof(type, member)))

// The text of the condition is the finding's, so it is made before macros in it expand.
#define WARN_ON(condition)                               \
  ({                                                     \
    const bool fired = (condition);                      \
    if (fired) source_points.warn(#condition, __func__); \
    fired;                                               \
  })
#define WARN_ON_ONCE(condition)                          \
  ({                                                     \
    const bool fired = (condition);                      \
    if (fired) source_points.warn(#condition, __func__); \
    fired;                                               \
  })

// Checked by the compiler, and never run.
#define pr_debug(...)           \
  do {                          \
    if (0) printf(__VA_ARGS__); \
  } while (0)

#endif  // SHIM_LINUX_KERNEL_H_
