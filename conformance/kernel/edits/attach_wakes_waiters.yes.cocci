// SPDX-License-Identifier: GPL-2.0-only
@@
expression fi, fb, oldfb;
@@
 if (fb && !oldfb) {
 	oldfb = fuse_inode_backing_set(fi, fb);
 	...
+	wake_up(&fi->direct_io_waitq);
 }
 else { ... }
