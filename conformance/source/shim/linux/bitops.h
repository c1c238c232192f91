// SPDX-License-Identifier: GPL-2.0-only
// include/linux/bitops.h: atomic operations on flags.

#ifndef SHIM_LINUX_BITOPS_H_
#define SHIM_LINUX_BITOPS_H_

#include "points.h"

#define test_bit(bit, word) source_points.test_bit((bit), (word), __func__)
#define set_bit(bit, word) source_points.set_bit((bit), (word), __func__)
#define clear_bit(bit, word) source_points.clear_bit((bit), (word), __func__)

#endif  // SHIM_LINUX_BITOPS_H_
