// SPDX-License-Identifier: GPL-2.0-only
// include/linux/file.h: descriptors of the server. References to struct file are the model's.

#ifndef SHIM_LINUX_FILE_H_
#define SHIM_LINUX_FILE_H_

#include <linux/fs.h>

#define fget_raw(fd) source_points.file_of_descriptor(fd)
#define fget(fd) source_points.file_of_descriptor(fd)
#define fput(file) ((void)(file))

#endif  // SHIM_LINUX_FILE_H_
