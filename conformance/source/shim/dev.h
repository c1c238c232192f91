// SPDX-License-Identifier: GPL-2.0-only
// Stands in for fs/fuse/dev.h of newer kernels.

#ifndef SHIM_DEV_H_
#define SHIM_DEV_H_

#include "fuse_i.h"

#endif  // SHIM_DEV_H_
