// SPDX-License-Identifier: GPL-2.0-only
@@
identifier inode, pos, ret;
@@
 fuse_passthrough_end_write(...)
 {
 ...
-fuse_write_update_attr(inode, pos, ret);
+fuse_invalidate_attr_mask(inode, FUSE_STATX_MODSIZE);
 }
