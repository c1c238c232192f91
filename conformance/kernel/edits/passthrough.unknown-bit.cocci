// SPDX-License-Identifier: GPL-2.0-only
@@
expression ff;
@@
 fuse_file_io_open(...)
 {
 <...
-ff->open_flags & FOPEN_PASSTHROUGH
+false
 ...>
 }

@@
identifier f = {fuse_dev_ioctl_backing_open, fuse_dev_ioctl_backing_close};
@@
 f(...)
 {
 ...
+return -ENOTTY;
 if (!IS_ENABLED(CONFIG_FUSE_PASSTHROUGH)) { ... }
 ...
 }
