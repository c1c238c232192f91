// SPDX-License-Identifier: GPL-2.0-only
@@
identifier f = {fuse_file_read_iter, fuse_file_write_iter, fuse_splice_read, fuse_splice_write};
expression ff;
@@
 f(...)
 {
 <...
-fuse_file_passthrough(ff)
+false
 ...>
 }

@@
identifier ff;
@@
 fuse_file_mmap(...)
 {
 ...
 if (fuse_file_passthrough(ff))
-	return fuse_passthrough_mmap(...);
-else if (...)
-	return -ENODEV;
+	return -ENODEV;
 ...
 }
