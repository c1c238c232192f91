// SPDX-License-Identifier: GPL-2.0-only
// include/linux/fs.h: files and inodes. What reads and writes is declared only, as the model does
// it.

#ifndef SHIM_LINUX_FS_H_
#define SHIM_LINUX_FS_H_

#include <linux/kernel.h>

struct iov_iter;
struct pipe_inode_info;

#define iov_iter_count(iter) ((iter)->count)
#define inode_lock(inode) source_points.inode_lock((inode), __func__)
#define inode_unlock(inode) source_points.inode_unlock((inode), __func__)
#define inode_lock_shared(inode) source_points.inode_lock_shared((inode), __func__)
#define inode_unlock_shared(inode) source_points.inode_unlock_shared((inode), __func__)
#define i_size_read(inode) source_points.i_size_read((inode), __func__)
#define write_inode_now(inode, sync) source_points.write_inode_now((inode), __func__)
#define invalidate_inode_pages2(mapping) source_points.invalidate_inode_pages2((mapping), __func__)
#define init_sync_kiocb(iocb, file) (*(iocb) = (struct kiocb){(file), 0, 0})
// An inode outlives all that happens.
#define igrab(inode) (inode)
#define iput(inode) ((void)(inode))
#define file_accessed(file) ((void)(file))
#define stream_open(inode, file) ((void)(inode), (void)(file))
#define nonseekable_open(inode, file) ((void)(inode), (void)(file))

struct inode* file_inode(const struct file* file);

// The files of a script's backings are regular.
#define d_is_dir(dentry) ((void)(dentry), false)
#define d_is_reg(dentry) ((void)(dentry), true)

#endif  // SHIM_LINUX_FS_H_
