// SPDX-License-Identifier: GPL-2.0-only
// include/linux/fs.h: files and inodes. What reads and writes is declared only, as the model does
// it.

#ifndef SHIM_LINUX_FS_H_
#define SHIM_LINUX_FS_H_

#include <linux/kernel.h>

struct iov_iter;
struct pipe_inode_info;
struct kiocb {
  struct file* ki_filp;
  loff_t ki_pos;
  int ki_flags;
};
struct vm_area_struct {
  unsigned long vm_start;
  unsigned long vm_end;
};

size_t iov_iter_count(const struct iov_iter* iter);
void inode_lock(struct inode* inode);
void inode_unlock(struct inode* inode);

struct inode* file_inode(const struct file* file);

// The files of a script's backings are regular.
#define d_is_dir(dentry) ((void)(dentry), false)
#define d_is_reg(dentry) ((void)(dentry), true)

#endif  // SHIM_LINUX_FS_H_
