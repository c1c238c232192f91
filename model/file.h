// SPDX-License-Identifier: GPL-2.0-only
//
// fs/fuse/file.c: open, release, flush and fsync of a file, and what pins it. A fuse_file lives as
// long as its last count: in-flight aio, readahead and writeback hold it beyond close(2), and with
// it its io-mode reference.
//
// Callers hold no spin lock.

#ifndef MODEL_FILE_H_
#define MODEL_FILE_H_

#include <cerrno>

#include "model/attributes.h"
#include "model/dev.h"
#include "model/fuse_i.h"
#include "model/iomode.h"
#include "model/writeback.h"

namespace iomode {

// Whether the server is known to have no OPEN, which its first answer tells.
template <class W>
bool fuse_no_open(const FuseConn<W>& fc) {
  return fc.cap(CONN_NO_OPEN) && W::READ_ONCE(fc.no_open);
}

template <class W>
void fuse_file_free(FuseConn<W>& fc, FuseFile<W>* ff) {
  if (ff->args != nullptr) fc.file_args.free(ff->args);
  fc.fuse_files.free(ff);
}

// Drops one count. The last one drops the io-mode reference and then sends RELEASE: before
// returning when `sync`.
template <class W>
[[gnu::noinline]] void fuse_file_put(FuseConn<W>& fc, FuseFile<W>* ff, bool sync) {
  if (fc.ops != nullptr && fc.ops->fuse_file_put != nullptr)
    return fc.ops->fuse_file_put(fc, ff, sync);
  if (!W::refcount_dec_and_test(ff->count)) return;
  typename W::Function fn("fuse_file_put");
  if (ff->release_inode) fuse_file_io_release(*ff, *ff->inode);
  if (ff->has_args && !fuse_no_open(fc)) {
    FuseArgs<W> args = {};
    args.opcode = FUSE_RELEASE;
    args.inode = ff->inode;
    if (sync) {
      fuse_simple_request(fc, args);
    } else {
      FuseReq<W>* req = fc.reqs.alloc();
      req->args = args;
      if (fuse_simple_background(fc, *req)) fc.reqs.free(req);
    }
  }
  fuse_file_free(fc, ff);
}

// Takes ff off fi->write_files and gives its backing_file up.
template <class W>
void fuse_prepare_release(FuseInode<W>& fi, FuseFile<W>& ff, bool sync) {
  if (ff.passthrough != nullptr) fuse_passthrough_release(*fi.fc, ff);
  W::spin_lock(fi.lock);
  for (FuseFile<W>** at = &fi.write_files; *at != nullptr; at = &(*at)->write_next) {
    if (*at != &ff) continue;
    *at = ff.write_next;
    ff.write_next = nullptr;
    ff.write_linked = false;
    break;
  }
  W::spin_unlock(fi.lock);
  ff.release_inode = ff.has_args && !sync;
}

// The release of a file whose open failed: at once, and its io mode is none of its business.
template <class W>
void fuse_sync_release(FuseInode<W>& fi, FuseFile<W>* ff) {
  if (const auto* ops = fi.fc->ops; ops != nullptr && ops->fuse_sync_release != nullptr)
    return ops->fuse_sync_release(fi, ff);
  W::WARN_ON(W::refcount_read(ff->count) > 1, "refcount_read(&ff->count) > 1");
  fuse_prepare_release(fi, *ff, true);
  fuse_file_put(*fi.fc, ff, true);
}

// So that writeback finds a file to write through.
template <class W>
void fuse_link_write_file(FuseInode<W>& fi, FuseFile<W>& ff) {
  W::spin_lock(fi.lock);
  if (!ff.write_linked) {
    ff.write_linked = true;
    ff.write_next = fi.write_files;
    fi.write_files = &ff;
  }
  W::spin_unlock(fi.lock);
}

// What is left of an open that the server has granted. 0, or a negative errno, and the file is to
// be released.
template <class W>
int fuse_finish_open(FuseInode<W>& fi, File<W>& file) {
  if (const auto* ops = fi.fc->ops; ops != nullptr && ops->fuse_finish_open != nullptr)
    return ops->fuse_finish_open(fi, file);
  const int err = fuse_file_io_open(fi, file);
  if (err) return err;
  if ((file.f_flags & OPEN_WRITE) && fi.fc->cap(CONN_WRITEBACK_CACHE))
    fuse_link_write_file(fi, *file.private_data);
  return 0;
}

// Asks the server to open. 0 with *result, or a negative errno.
template <class W>
[[gnu::noinline]] int fuse_file_open(FuseInode<W>& fi, uint32_t f_flags, FuseFile<W>** result) {
  FuseConn<W>& fc = *fi.fc;
  FuseArgs<W> args = {};
  args.open_flags = FOPEN_KEEP_CACHE;
  bool open = !fuse_no_open(fc);
  if (W::allocation_fails()) return -ENOMEM;
  if (open) {
    args.opcode = FUSE_OPEN;
    args.inode = &fi;
    args.truncate = (f_flags & OPEN_TRUNC) && fc.cap(CONN_ATOMIC_O_TRUNC);
    const int err = fuse_simple_request(fc, args);
    if (err == -ENOSYS) {
      W::WRITE_ONCE(fc.no_open, uint8_t{1});
      open = false;
    } else if (err) {
      return err;
    }
  }
  FuseFile<W>* ff = fc.fuse_files.alloc();
  W::refcount_set(ff->count, 1);
  ff->inode = &fi;
  ff->has_args = open || fc.rules->args_without_open;
  ff->open_flags = args.open_flags;
  ff->backing_id = args.backing_id;
  *result = ff;
  return 0;
}

template <class W>
void fuse_truncate_update_attr(FuseInode<W>& fi) {
  W::spin_lock(fi.lock);
  fuse_next_attr_version(fi);
  W::WRITE_ONCE(fi.i_size, int64_t{0});
  W::spin_unlock(fi.lock);
  file_update_time(fi);
  fuse_invalidate_attr_mask(fi, FUSE_STATX_SIZE);
}

// The open of one struct file. On success file.private_data is set and its io-mode reference taken.
template <class W>
[[gnu::noinline]] int fuse_open(FuseInode<W>& fi, File<W>& file) {
  typename W::Function fn("fuse_open");
  FuseConn<W>& fc = *fi.fc;
  const bool is_truncate = (file.f_flags & OPEN_TRUNC) && fc.cap(CONN_ATOMIC_O_TRUNC);
  const bool is_wb_truncate = is_truncate && fc.cap(CONN_WRITEBACK_CACHE);
  if (is_wb_truncate) {
    W::down_write(fi.i_rwsem);
    fuse_set_nowrite(fi);
  }
  FuseFile<W>* ff = nullptr;
  int err = fuse_file_open(fi, file.f_flags, &ff);
  if (!err) {
    file.private_data = ff;
    err = fuse_finish_open(fi, file);
    if (err) {
      file.private_data = nullptr;
      fuse_sync_release(fi, ff);
    } else if (is_truncate) {
      fuse_truncate_update_attr(fi);
    }
  }
  if (is_wb_truncate) fuse_release_nowrite(fi);
  if (!err) {
    if (is_truncate) {
      truncate_pagecache(fi, 0);
    } else if (!(ff->open_flags & FOPEN_KEEP_CACHE)) {
      invalidate_inode_pages2(fi);
    }
  }
  if (is_wb_truncate) W::up_write(fi.i_rwsem);
  return err;
}

// The last reference to the struct file is gone.
template <class W>
[[gnu::noinline]] void fuse_release(File<W>& file) {
  FuseInode<W>& fi = *file.inode;
  if (const auto* ops = fi.fc->ops; ops != nullptr && ops->fuse_release != nullptr)
    return ops->fuse_release(file);
  typename W::Function fn("fuse_release");
  FuseFile<W>* ff = file.private_data;
  if (fi.fc->cap(CONN_WRITEBACK_CACHE)) write_inode_now(fi);
  fuse_prepare_release(fi, *ff, false);
  fuse_file_put(*fi.fc, ff, false);
}

// What close(2) does before the descriptor is gone. 0 or the error that close returns.
template <class W>
[[gnu::noinline]] int fuse_flush(File<W>& file) {
  typename W::Function fn("fuse_flush");
  FuseInode<W>& fi = *file.inode;
  FuseConn<W>& fc = *fi.fc;
  if ((file.private_data->open_flags & FOPEN_NOFLUSH) && !fc.cap(CONN_WRITEBACK_CACHE)) return 0;
  int err = write_inode_now(fi);
  if (err) return err;
  if (fc.rules->writeback_copies_pages) {
    W::down_write(fi.i_rwsem);
    fuse_sync_writes(fi);
    W::up_write(fi.i_rwsem);
  }
  err = filemap_check_errors(fi.i_data);
  if (err) return err;
  FuseArgs<W> args = {};
  args.opcode = FUSE_FLUSH;
  args.inode = &fi;
  return fuse_simple_request(fc, args);
}

template <class W>
[[gnu::noinline]] int fuse_fsync(File<W>& file) {
  typename W::Function fn("fuse_fsync");
  FuseInode<W>& fi = *file.inode;
  W::down_write(fi.i_rwsem);
  int err = 0;
  if (filemap_range_needs_writeback(fi.i_data, 0, fi.i_data.npages)) {
    err = fuse_writepages(fi, 0, fi.i_data.npages);
    filemap_fdatawait_range(fi, 0, fi.i_data.npages);
  }
  const int wb_err = file_check_and_advance_wb_err(file);
  if (!err) err = wb_err;
  if (!err) {
    fuse_sync_writes(fi);
    // Where pages are copied, only now has the answer come.
    err = file_check_and_advance_wb_err(file);
  }
  if (!err) err = sync_inode_metadata(fi);
  if (!err) {
    FuseArgs<W> args = {};
    args.opcode = FUSE_FSYNC;
    args.inode = &fi;
    err = fuse_simple_request(*fi.fc, args);
  }
  W::up_write(fi.i_rwsem);
  return err;
}

}  // namespace iomode

#endif  // MODEL_FILE_H_
