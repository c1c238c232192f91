// SPDX-License-Identifier: GPL-2.0-only
@@
identifier res, write, direct;
statement S;
@@
 fuse_direct_io(...)
 {
 ...
-if (res > 0 && write && direct) S
 ...
 }
