// SPDX-License-Identifier: GPL-2.0-only
@@
expression pos, old;
@@
 fuse_perform_write(...)
 {
 ...
-if (pos > old) truncate_pagecache_range(...);
 ...
 }

@@
expression size, oldsize;
@@
(
 fuse_file_fallocate
|
 fuse_do_setattr
)
 (...)
 {
 <...
-if (size > oldsize) truncate_pagecache_range(...);
 ...>
 }
