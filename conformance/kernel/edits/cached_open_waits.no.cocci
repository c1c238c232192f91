// SPDX-License-Identifier: GPL-2.0-only
@@
identifier fi;
statement S;
@@
 fuse_file_cached_io_open(...)
 {
 ...
-while (fuse_is_io_cache_wait(fi)) S
-if (fuse_inode_backing(fi)) { ... }
+if (fi->iocachectr < 0) {
+	spin_unlock(&fi->lock);
+	return -ETXTBSY;
+}
 ...
 }
