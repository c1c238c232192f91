// SPDX-License-Identifier: GPL-2.0-only
//
// Direct io (fs/fuse/file.c): parallel and exclusive writes, reads, and their asynchronous forms.
//
// A parallel write holds i_rwsem shared and an uncached reference from before its first request to
// after its last answer. An asynchronous one drops both at submission, so its request is in flight
// without them.

#ifndef MODEL_DIO_H_
#define MODEL_DIO_H_

#include <cerrno>

#include "model/attributes.h"
#include "model/file.h"
#include "model/fuse_i.h"
#include "model/iomode.h"
#include "model/writeback.h"

namespace iomode {

// One read or write as the VFS hands it down (struct kiocb and iov_iter).
template <class W>
struct Kiocb {
  File<W>* file;
  int64_t pos;
  int64_t count;
  bool append;
  bool direct;                       // IOCB_DIRECT
  typename W::Completion* aio_done;  // not NULL: asynchronous; completed with *aio_result
  int64_t* aio_result;
  bool from_ahead;  // out: bytes came by readahead, or READs ahead were sent
  bool is_sync() const { return aio_done == nullptr; }
};

// The kernel's -EIOCBQUEUED: the result comes later.
inline constexpr int64_t EIOCBQUEUED = 529;

// O_APPEND: writes start at the end of the file as it is now. The inode lock is held.
template <class W>
void generic_write_checks(FuseInode<W>& fi, Kiocb<W>& iocb) {
  if (iocb.append) iocb.pos = i_size_read(fi);
}

template <class W>
bool fuse_io_past_eof(const FuseInode<W>& fi, const Kiocb<W>& iocb) {
  return iocb.pos + iocb.count > i_size_read(fi);
}

// Whether a direct write needs the inode lock exclusively.
template <class W>
[[gnu::noinline]] bool fuse_dio_wr_exclusive_lock(FuseInode<W>& fi, const Kiocb<W>& iocb) {
  typename W::Function fn("fuse_dio_wr_exclusive_lock");
  const Rules& rules = *fi.fc->rules;
  if (!(iocb.file->private_data->open_flags & FOPEN_PARALLEL_DIRECT_WRITES)) return true;
  if (rules.allow_mmap_means_exclusive && fi.fc->cap(CONN_DIRECT_IO_ALLOW_MMAP)) return true;
  if (iocb.append) return true;
  if (rules.cache_bit_is_tested && W::test_bit(FUSE_I_CACHE_IO_MODE, fi.state))
    return rules.cache_bit_means_exclusive;
  return fuse_io_past_eof(fi, iocb);
}

template <class W>
int fuse_file_uncached_io_start(FuseInode<W>& fi, FuseFile<W>& ff) {
  const Rules& rules = *fi.fc->rules;
  if (rules.parallel_open_holds_reference) return 0;
  return fuse_inode_uncached_io_start(fi, static_cast<FuseBacking<W>*>(nullptr),
                                      rules.parallel_write_marks_file ? &ff : nullptr);
}

template <class W>
void fuse_file_uncached_io_end(FuseInode<W>& fi, FuseFile<W>& ff) {
  const Rules& rules = *fi.fc->rules;
  if (rules.parallel_open_holds_reference) return;
  fuse_inode_uncached_io_end(fi, rules.parallel_write_marks_file ? &ff : nullptr);
}

// Takes the locks of a direct write; returns whether exclusively.
template <class W>
[[gnu::noinline]] bool fuse_dio_lock(FuseInode<W>& fi, const Kiocb<W>& iocb) {
  if (const auto* ops = fi.fc->ops; ops != nullptr && ops->fuse_dio_lock != nullptr)
    return ops->fuse_dio_lock(fi, iocb);
  typename W::Function fn("fuse_dio_lock");
  if (fuse_dio_wr_exclusive_lock(fi, iocb)) {
    W::down_write(fi.i_rwsem);
    return true;
  }
  W::down_read(fi.i_rwsem);
  if (!fuse_io_past_eof(fi, iocb)) {
    const int err = fuse_file_uncached_io_start(fi, *iocb.file->private_data);
    if (err == 0) return false;
    W::FALSE_BUSY(err == -EBUSY,
                  "a write that may run in parallel is refused with EBUSY although no file caches");
  }
  W::up_read(fi.i_rwsem);
  W::down_write(fi.i_rwsem);
  return true;
}

template <class W>
void fuse_dio_unlock(FuseInode<W>& fi, const Kiocb<W>& iocb, bool exclusive) {
  if (const auto* ops = fi.fc->ops; ops != nullptr && ops->fuse_dio_unlock != nullptr)
    return ops->fuse_dio_unlock(fi, iocb, exclusive);
  typename W::Function fn("fuse_dio_unlock");
  if (exclusive) {
    W::up_write(fi.i_rwsem);
  } else {
    fuse_file_uncached_io_end(fi, *iocb.file->private_data);
    W::up_read(fi.i_rwsem);
  }
}

// Gives an asynchronous direct io's result to its caller.
template <class W>
[[gnu::noinline]] void fuse_aio_report(FuseConn<W>& fc, FuseIoPriv<W>* io) {
  *io->aio_result = io->result;
  typename W::Completion* done = io->aio_done;
  File<W>* file = io->file;
  fc.ios.free(io);
  fput(fc, file);
  W::complete(*done);
}

// Drops the written range from the page cache, then reports.
template <class W>
[[gnu::noinline]] void fuse_dio_done_work(FuseConn<W>& fc, FuseIoPriv<W>* io) {
  typename W::Function fn("fuse_dio_done_work");
  invalidate_inode_pages2_range(*io->file->inode, page_of(io->offset),
                                page_of(io->offset + io->result - 1));
  fuse_aio_report(fc, io);
}

// The end of an asynchronous direct io, in the context of whoever answered it.
template <class W>
[[gnu::noinline]] void fuse_aio_complete(FuseConn<W>& fc, FuseIoPriv<W>* io, int64_t result) {
  FuseInode<W>& fi = *io->file->inode;
  io->result = result;
  if (result >= 0) {
    W::spin_lock(fi.lock);
    fuse_next_attr_version(fi);
    W::spin_unlock(fi.lock);
  }
  W::spin_lock(fi.i_data.i_pages);
  const bool cached = fi.i_data.nrpages > 0;
  W::spin_unlock(fi.i_data.i_pages);
  if (cached && io->write && result > 0 && fc.rules->async_write_invalidates_after &&
      (io->file->private_data->open_flags & FOPEN_DIRECT_IO)) {
    fc.server->QueueDioDone(fc, *io);
  } else {
    fuse_aio_report(fc, io);
  }
}

// Sends the request of a direct read or write. Waits for the answer, or, with `io`, does not.
template <class W>
[[gnu::noinline]] int64_t fuse_direct_io(FuseInode<W>& fi, Kiocb<W>& iocb, bool write,
                                         FuseIoPriv<W>* io) {
  typename W::Function fn("fuse_direct_io");
  FuseConn<W>& fc = *fi.fc;
  const Rules& rules = *fc.rules;
  FuseFile<W>& ff = *iocb.file->private_data;
  const bool fopen_direct_io = (ff.open_flags & FOPEN_DIRECT_IO) != 0;
  const int64_t first = page_of(iocb.pos);
  const int64_t last = page_of(iocb.pos + iocb.count - 1);
  if (fopen_direct_io && (rules.direct_io_always_flushes || fc.cap(CONN_DIRECT_IO_ALLOW_MMAP))) {
    const int err = filemap_write_and_wait_range(fi, first, last);
    if (err) return err;
  }
  const bool busy = rules.writeback_copies_pages
                        ? fuse_range_is_writeback(fi, first, last)
                        : filemap_range_has_writeback(fi.i_data, first, last);
  if (busy) {
    if (!write) W::down_write(fi.i_rwsem);
    fuse_sync_writes(fi);
    if (!write) W::up_write(fi.i_rwsem);
  }
  if (fopen_direct_io && write) {
    const int err = invalidate_inode_pages2_range(fi, first, last);
    if (err) return err;
  }

  FuseArgs<W> args = {};
  args.opcode = write ? FUSE_WRITE : FUSE_READ;
  args.inode = &fi;
  args.ff = &ff;
  args.offset = iocb.pos;
  args.size = iocb.count;
  if (io != nullptr) {
    FuseReq<W>* req = fc.reqs.alloc();
    req->args = args;
    req->io = io;
    const int err = fuse_simple_background(fc, *req);
    if (err) {
      fc.reqs.free(req);
      fuse_aio_complete(fc, io, err);
    }
  } else {
    const int err = fuse_simple_request(fc, args);
    if (err) return err;
  }
  const int64_t res = io != nullptr ? iocb.count : args.out_size;
  iocb.pos += res;
  if (res > 0 && write && fopen_direct_io && rules.direct_write_invalidates_after) {
    invalidate_inode_pages2_range(fi, first, last);
  }
  return res;
}

// fc->max_pages: what one request carries, as the servers of scripts negotiate it.
inline constexpr int64_t kMaxPages = 32;

// A length in bytes, as long as requests that are full.
inline int64_t fuse_round_up(int64_t length) {
  constexpr int64_t kFull = kMaxPages * kPageSize;
  return (length + kFull - 1) / kFull * kFull;
}

// Direct io that may be asynchronous: when the connection has async_dio and the caller does not
// wait. A write that extends the file is waited for all the same. -EIOCBQUEUED: the result comes
// later.
template <class W>
[[gnu::noinline]] int64_t fuse_direct_IO(FuseInode<W>& fi, Kiocb<W>& iocb, bool write) {
  typename W::Function fn("fuse_direct_IO");
  FuseConn<W>& fc = *fi.fc;
  const int64_t offset = iocb.pos;
  const int64_t size = i_size_read(fi);
  if (!write && offset >= size) return 0;
  const bool async = fc.cap(CONN_ASYNC_DIO);
  const bool blocking = iocb.is_sync() || (write && offset + iocb.count > size);
  if (async && !write && offset + iocb.count > size)
    iocb.count = std::min(iocb.count, fuse_round_up(size - offset));
  FuseIoPriv<W>* io = nullptr;
  if (async && !blocking) {
    io = fc.ios.alloc();
    io->aio_done = iocb.aio_done;
    io->aio_result = iocb.aio_result;
    io->file = iocb.file;
    io->offset = offset;
    io->size = iocb.count;
    io->write = write;
    W::refcount_inc(iocb.file->f_count);
  }
  const int64_t res = fuse_direct_io(fi, iocb, write, io);
  fuse_invalidate_attr_mask(fi, write ? FUSE_STATX_SIZE : FUSE_STATX_ATIME);
  if (io != nullptr) {
    if (res >= 0) return -EIOCBQUEUED;
    fuse_aio_complete(fc, io, res);
    return -EIOCBQUEUED;
  }
  if (write) {
    fuse_write_update_attr(fi, offset + (res > 0 ? res : 0), res);
    if (res < 0 && async && offset + iocb.count > size) fuse_do_setattr(fi, size, false);
  }
  return res;
}

template <class W>
int64_t fuse_direct_read_iter(FuseInode<W>& fi, Kiocb<W>& iocb) {
  if (!iocb.is_sync() && (iocb.direct || fi.fc->rules->async_without_o_direct))
    return fuse_direct_IO(fi, iocb, false);
  const int64_t res = fuse_direct_io(fi, iocb, false, static_cast<FuseIoPriv<W>*>(nullptr));
  fuse_invalidate_attr_mask(fi, FUSE_STATX_ATIME);
  return res;
}

template <class W>
[[gnu::noinline]] int64_t fuse_direct_write_iter(FuseInode<W>& fi, Kiocb<W>& iocb) {
  typename W::Function fn("fuse_direct_write_iter");
  const bool exclusive = fuse_dio_lock(fi, iocb);
  generic_write_checks(fi, iocb);
  int64_t res;
  if (!iocb.is_sync() && (iocb.direct || fi.fc->rules->async_without_o_direct)) {
    res = fuse_direct_IO(fi, iocb, true);
  } else {
    res = fuse_direct_io(fi, iocb, true, static_cast<FuseIoPriv<W>*>(nullptr));
    fuse_write_update_attr(fi, iocb.pos, res);
  }
  fuse_dio_unlock(fi, iocb, exclusive);
  return res;
}

}  // namespace iomode

#endif  // MODEL_DIO_H_
