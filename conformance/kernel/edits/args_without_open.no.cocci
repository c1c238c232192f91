// SPDX-License-Identifier: GPL-2.0-only
@@
identifier release, isdir, open, fc;
@@
 fuse_file_open(...)
 {
 ...
-bool release = !isdir || open;
+bool release = open;
 <...
 if (isdir) { ... } else {
+	kfree(ff->args);
+	ff->args = NULL;
 	fc->no_open = 1;
 }
 ...>
 }
