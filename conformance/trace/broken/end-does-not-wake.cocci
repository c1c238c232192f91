// SPDX-License-Identifier: GPL-2.0-only
@@
@@
 fuse_inode_uncached_io_end(...)
 {
 <...
-wake_up(...);
 ...>
 }
