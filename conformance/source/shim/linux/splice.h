// SPDX-License-Identifier: GPL-2.0-only
// include/linux/splice.h: nothing of it is linked.

#ifndef SHIM_LINUX_SPLICE_H_
#define SHIM_LINUX_SPLICE_H_

struct pipe_inode_info;

#endif  // SHIM_LINUX_SPLICE_H_
