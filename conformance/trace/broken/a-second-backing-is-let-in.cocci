// SPDX-License-Identifier: GPL-2.0-only
@@
expression fb, oldfb;
@@
 fuse_inode_uncached_io_start(...)
 {
 <...
-if (fb && oldfb && oldfb != fb) { ... }
 ...>
 }
