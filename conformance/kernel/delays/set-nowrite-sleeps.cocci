// SPDX-License-Identifier: GPL-2.0-only
@@
@@
 fuse_set_nowrite(...)
 {
 ...
 spin_unlock(...);
+schedule_timeout_uninterruptible(3 * HZ);
 ...
 }
