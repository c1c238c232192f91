// SPDX-License-Identifier: GPL-2.0-only
// The open of a parallel direct file takes the reference, and its writes take none.
@@
identifier ff;
expression E;
@@
 if ((ff->open_flags & FOPEN_DIRECT_IO) && E)
-	return 0;
+	return ff->open_flags & FOPEN_PARALLEL_DIRECT_WRITES &&
+		fuse_file_uncached_io_open(inode, ff, NULL) ? -EIO : 0;

@@
expression fi, past_eof;
@@
-past_eof || fuse_inode_uncached_io_start(fi, NULL) != 0
+past_eof

@@
identifier fi;
@@
 fuse_dio_unlock(...)
 {
 <...
-fuse_inode_uncached_io_end(fi);
 ...>
 }
