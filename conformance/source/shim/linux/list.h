// SPDX-License-Identifier: GPL-2.0-only
// The one list in what is cut out of file.c is fi->write_files, with fuse_file.write_entry.

#ifndef SHIM_LINUX_LIST_H_
#define SHIM_LINUX_LIST_H_

#include <linux/kernel.h>

#define file_of_entry(entry) container_of((entry), struct fuse_file, write_entry)
#define list_empty(entry) (!source_points.write_file_linked(file_of_entry(entry)))
#define list_add(entry, head) source_points.link_write_file(file_of_entry(entry))
#define list_del(entry) source_points.unlink_write_file(file_of_entry(entry))
#define list_del_init(entry) list_del(entry)

#endif  // SHIM_LINUX_LIST_H_
