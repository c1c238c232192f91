// SPDX-License-Identifier: GPL-2.0-only
// Mappings: which operations one gets.

#ifndef SHIM_LINUX_MM_H_
#define SHIM_LINUX_MM_H_

#include <linux/fs.h>

// fuse_file_vm_ops is the model's; its address says that a mapping has it.
extern const struct vm_operations_struct fuse_file_vm_ops;
#define generic_file_mmap(file, vma) ((void)(file), (vma)->vm_ops = NULL, 0)

#endif  // SHIM_LINUX_MM_H_
