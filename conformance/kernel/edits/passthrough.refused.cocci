// SPDX-License-Identifier: GPL-2.0-only
@@
identifier fb;
@@
 fuse_file_passthrough_open(...)
 {
 ...
+return -EOPNOTSUPP;
 fb = fuse_passthrough_open(...);
 ...
 }
