// SPDX-License-Identifier: GPL-2.0-only
//
// The system calls of a script, as far as the VFS does something that io modes can see: reference
// counts of struct file, access modes, the inode lock around truncation, the order of open's steps.
// Each returns what the system call does: a value >= 0 or a negative errno.
//
// Callers hold no lock and a reference to the file.

#ifndef MODEL_VFS_H_
#define MODEL_VFS_H_

#include <cerrno>

#include "model/attributes.h"
#include "model/dio.h"
#include "model/file.h"
#include "model/fuse_i.h"
#include "model/mmap.h"
#include "model/read_write.h"

namespace iomode {

// Drops a reference to a struct file; the last one releases it.
template <class W>
[[gnu::noinline]] void fput(FuseConn<W>& fc, File<W>* file) {
  if (!W::refcount_dec_and_test(file->f_count)) return;
  if (file->private_data != nullptr) fuse_release(*file);
  fc.files.free(file);
}

// do_truncate(): `file` opened by O_TRUNC or ftruncate.
template <class W>
[[gnu::noinline]] int do_truncate(FuseInode<W>& fi, int64_t size, bool by_open) {
  typename W::Function fn("do_truncate");
  if (!fi.fc->rules->truncate_is_killable) {
    W::down_write(fi.i_rwsem);
  } else if (W::down_write_killable(fi.i_rwsem)) {
    return -EINTR;
  }
  const int err = fuse_do_setattr(fi, size, by_open);
  W::up_write(fi.i_rwsem);
  return err;
}

// 0 with *result holding one reference, or a negative errno.
template <class W>
[[gnu::noinline]] int vfs_open(FuseInode<W>& fi, uint32_t flags, File<W>** result) {
  FuseConn<W>& fc = *fi.fc;
  File<W>* file = W::allocation_fails() ? nullptr : fc.files.alloc();
  if (file == nullptr) return -ENOMEM;
  W::refcount_set(file->f_count, 1);
  file->inode = &fi;
  file->f_flags = flags;
  file->opened_to_append = (flags & OPEN_APPEND) != 0;
  file->f_ra.prev_pos = -1;
  file->f_wb_err = filemap_sample_wb_err(fi.i_data);
  int err = fuse_open(fi, *file);
  if (err) {
    fc.files.free(file);
    return err;
  }
  if (flags & OPEN_TRUNC) err = do_truncate(fi, 0, true);
  if (err) {
    fput(fc, file);
    return err;
  }
  *result = file;
  return 0;
}

// filp_close(): the descriptor goes, whatever flush says.
template <class W>
int vfs_close(FuseConn<W>& fc, File<W>* file) {
  const int err = fuse_flush(*file);
  fput(fc, file);
  return err;
}

// Whether reads and writes at an offset are possible: stream_open() and nonseekable_open() take
// FMODE_PREAD and FMODE_PWRITE away. Asynchronous ones do not ask.
template <class W>
bool file_is_seekable(const File<W>& file) {
  return !(file.private_data->open_flags & (FOPEN_STREAM | FOPEN_NONSEEKABLE));
}

// pread(2), or the submission of an asynchronous read.
template <class W>
int64_t vfs_read(Kiocb<W>& iocb) {
  File<W>& file = *iocb.file;
  if (iocb.is_sync() && !file_is_seekable(file)) return -ESPIPE;
  if (!(file.f_flags & OPEN_READ)) return -EBADF;
  iocb.direct = (file.f_flags & OPEN_DIRECT) != 0;
  return fuse_file_read_iter(*file.inode, iocb);
}

// pwrite(2), or the submission of an asynchronous write.
template <class W>
int64_t vfs_write(Kiocb<W>& iocb) {
  File<W>& file = *iocb.file;
  if (iocb.is_sync() && !file_is_seekable(file)) return -ESPIPE;
  if (!(file.f_flags & OPEN_WRITE)) return -EBADF;
  iocb.direct = (file.f_flags & OPEN_DIRECT) != 0;
  iocb.append |= (file.f_flags & OPEN_APPEND) != 0;
  return fuse_file_write_iter(*file.inode, iocb);
}

template <class W>
int64_t vfs_splice_read(Kiocb<W>& iocb) {
  if (!(iocb.file->f_flags & OPEN_READ)) return -EBADF;
  if (!file_is_seekable(*iocb.file)) return -EINVAL;
  // copy_splice_read: O_DIRECT does not splice pages.
  if (iocb.file->f_flags & OPEN_DIRECT) return vfs_read(iocb);
  return fuse_splice_read(*iocb.file->inode, iocb);
}

// mmap(2) of the whole file; *vma is zeroed but for shared and may_write. EACCES for an access mode
// that does not fit.
template <class W>
int vfs_mmap(File<W>& file, Vma<W>& vma) {
  if (!(file.f_flags & OPEN_READ)) return -EACCES;
  if (vma.shared && vma.may_write && !(file.f_flags & OPEN_WRITE)) return -EACCES;
  return fuse_file_mmap(*file.inode, file, vma);
}

// vm_ops->close and the mapping's reference to its file.
template <class W>
[[gnu::noinline]] void remove_vma(FuseConn<W>& fc, Vma<W>& vma) {
  typename W::Function fn("remove_vma");
  File<W>* file = vma.file;
  if (file == nullptr) return;
  if (vma.fuse_vm_ops) mapping_set_error(file->inode->i_data, write_inode_now(*file->inode));
  vma.file = nullptr;
  fput(fc, file);
}

// A load or store at iocb.pos. 0, -EFAULT where the task would get a signal, or -EINTR when it was
// killed. `mmap_lock`: as for do_user_addr_fault.
template <class W>
int access_memory(Vma<W>& vma, typename W::RwSem* mmap_lock, Kiocb<W>& iocb, bool store) {
  if (store && !vma.may_write) return -EFAULT;
  if (vma.backing != nullptr) {
    W::operation("touches a mapping of", vma.backing);
    return page_of(iocb.pos) < pages_up_to(vma.backing->size) ? 0 : -EFAULT;
  }
  return do_user_addr_fault(vma, mmap_lock, iocb, store);
}

// `mmap_lock`: the process's, not held.
template <class W>
int vfs_msync(Vma<W>& vma, typename W::RwSem& mmap_lock) {
  W::down_read(mmap_lock);
  // A shared mapping of a file that is not open for writing has no VM_SHARED.
  File<W>* file = vma.shared ? vma.file : nullptr;
  if (file != nullptr && !(file->f_flags & OPEN_WRITE)) file = nullptr;
  if (file != nullptr) W::refcount_inc(file->f_count);
  W::up_read(mmap_lock);
  if (file == nullptr) return 0;
  const int err = fuse_fsync(*file);
  fput(*file->inode->fc, file);
  return err;
}

template <class W>
int vfs_ftruncate(File<W>& file, int64_t size) {
  if (!(file.f_flags & OPEN_WRITE)) return -EINVAL;
  return do_truncate(*file.inode, size, false);
}

template <class W>
[[gnu::noinline]] int vfs_fallocate(File<W>& file, int64_t offset, int64_t length) {
  typename W::Function fn("fuse_file_fallocate");
  if (!(file.f_flags & OPEN_WRITE)) return -EBADF;
  FuseInode<W>& fi = *file.inode;
  W::down_write(fi.i_rwsem);
  file_update_time(fi);
  W::WRITE_ONCE(fi.size_unstable, uint8_t{1});
  FuseArgs<W> args = {};
  args.opcode = FUSE_FALLOCATE;
  args.inode = &fi;
  args.offset = offset;
  args.size = length;
  const int err = fuse_simple_request(*fi.fc, args);
  if (!err) {
    const int64_t oldsize = i_size_read(fi);
    if (offset + length > oldsize) truncate_pagecache_range(fi, oldsize, offset + length);
    fuse_write_update_attr(fi, offset + length, length);
  }
  W::WRITE_ONCE(fi.size_unstable, uint8_t{0});
  W::up_write(fi.i_rwsem);
  fuse_flush_time_update(fi);
  return err;
}

// fstat(2): the size, or a negative errno.
template <class W>
int64_t vfs_getattr(File<W>& file) {
  int64_t size = 0;
  const int err = fuse_update_get_attr(*file.inode, FUSE_STATX_SIZE | FUSE_STATX_ATIME, &size);
  return err ? err : size;
}

template <class W>
int vfs_readahead(File<W>& file, int64_t offset, int64_t length) {
  if (!(file.f_flags & OPEN_READ)) return -EBADF;
  force_page_cache_readahead(*file.inode, file, page_of(offset),
                             pages_up_to(offset + length) - page_of(offset));
  return 0;
}

// sync_file_range(2) with SYNC_FILE_RANGE_WRITE: starts to write the range back.
template <class W>
int vfs_sync_file_range(File<W>& file, int64_t offset, int64_t length) {
  return fuse_writepages(*file.inode, page_of(offset), page_of(offset + length - 1), WB_SYNC_NONE);
}

// The inode leaves memory.
template <class W>
void fuse_evict_inode(FuseInode<W>& fi) {
  typename W::Function fn("fuse_evict_inode");
  W::WARN_ON(fi.iocachectr.value != 0, "fi->iocachectr != 0");
  W::WARN_ON(fi.write_files != nullptr, "!list_empty(&fi->write_files)");
  W::WARN_ON(fi.queued_writes != nullptr, "!list_empty(&fi->queued_writes)");
  if (fi.fb.value != nullptr) {
    fuse_backing_put(*fi.fc, W::xchg(fi.fb, static_cast<FuseBacking<W>*>(nullptr)));
  }
}

}  // namespace iomode

#endif  // MODEL_VFS_H_
