// SPDX-License-Identifier: GPL-2.0-only
@@
@@
 fuse_file_cached_io_release(...)
 {
 <...
-clear_bit(FUSE_I_CACHE_IO_MODE, ...);
+;
 ...>
 }
