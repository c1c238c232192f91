// SPDX-License-Identifier: GPL-2.0-only
@@
identifier ff;
@@
 fuse_dio_wr_exclusive_lock(...)
 {
 ...
 if (!(ff->open_flags & FOPEN_PARALLEL_DIRECT_WRITES))
 	return true;
+if (ff->fm->fc->direct_io_allow_mmap)
+	return true;
 ...
 }
