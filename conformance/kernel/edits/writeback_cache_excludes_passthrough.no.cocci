// SPDX-License-Identifier: GPL-2.0-only
@@
expression E;
identifier flags;
@@
 if (
-	E && !(flags & FUSE_WRITEBACK_CACHE)
+	E
 ) { <+... fc->passthrough = 1; ...+> }
