// SPDX-License-Identifier: GPL-2.0-only
@@
identifier iocb, fi;
@@
 fuse_dio_lock(struct kiocb *iocb, ...)
 {
 ...
 struct fuse_inode *fi = ...;
+struct fuse_file *ff = iocb->ki_filp->private_data;
 ...
 if (...) { ... } else {
 	...
 	if (<+... fuse_inode_uncached_io_start(fi, NULL) ...+>) {
 	...
+	} else {
+		spin_lock(&fi->lock);
+		WARN_ON(ff->iomode != IOM_NONE);
+		ff->iomode = IOM_UNCACHED;
+		spin_unlock(&fi->lock);
 	}
 }
 }

@@
identifier iocb, fi;
@@
 fuse_dio_unlock(struct kiocb *iocb, ...)
 {
 ...
 struct fuse_inode *fi = ...;
+struct fuse_file *ff = iocb->ki_filp->private_data;
 ...
 if (...) { ... } else {
+	spin_lock(&fi->lock);
+	WARN_ON(ff->iomode != IOM_UNCACHED);
+	ff->iomode = IOM_NONE;
+	spin_unlock(&fi->lock);
 	fuse_inode_uncached_io_end(fi);
 	...
 }
 }
