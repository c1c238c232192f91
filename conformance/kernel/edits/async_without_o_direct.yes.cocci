// SPDX-License-Identifier: GPL-2.0-only
@@
identifier f = {fuse_direct_read_iter, fuse_direct_write_iter};
identifier iocb;
@@
 f(...)
 {
 <...
-!is_sync_kiocb(iocb) && iocb->ki_flags & IOCB_DIRECT
+!is_sync_kiocb(iocb)
 ...>
 }
