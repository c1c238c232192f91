// SPDX-License-Identifier: GPL-2.0-only
@@
identifier direct, fc;
@@
 fuse_direct_io(...)
 {
 ...
 struct fuse_conn *fc = ...;
 ...
 if (
-	direct
+	direct && fc->direct_io_allow_mmap
 ) { <+... filemap_write_and_wait_range(...) ...+> }
 ...
 }
