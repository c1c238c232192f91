// SPDX-License-Identifier: GPL-2.0-only
@@
identifier fi;
@@
 fuse_dio_wr_exclusive_lock(...)
 {
 <...
 if (test_bit(FUSE_I_CACHE_IO_MODE, &fi->state))
-	return true;
+	return false;
 ...>
 }
