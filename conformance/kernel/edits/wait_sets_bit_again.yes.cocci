// SPDX-License-Identifier: GPL-2.0-only
// The set bit is evaluated only when the condition is false: the sleeper stays asleep.
@@
identifier fi;
@@
 wait_event(fi->direct_io_waitq,
-	!fuse_is_io_cache_wait(fi)
+	!fuse_is_io_cache_wait(fi) || (set_bit(FUSE_I_CACHE_IO_MODE, &fi->state), false)
 );
