// SPDX-License-Identifier: GPL-2.0-only
//
// Dirty pages on their way to the server (fs/fuse/file.c: writepages, launder, FUSE_NOWRITE), and
// the passes over the page cache that have to write back first.
//
// A page stays under writeback until its WRITE is answered. fi->lock protects writectr and
// queued_writes.

#ifndef MODEL_WRITEBACK_H_
#define MODEL_WRITEBACK_H_

#include <cerrno>

#include "model/dev.h"
#include "model/filemap.h"
#include "model/fuse_i.h"

namespace iomode {

template <class W>
void fuse_writepage_finish(FuseInode<W>& fi, FuseReq<W>* req, int error);

// Sends a WRITE of dirty pages as far as the file goes, which may have been truncated while it was
// queued: an error when it lies behind the end.
template <class W>
int fuse_send_writepage(FuseInode<W>& fi, FuseReq<W>& req, int64_t size) {
  fi.writectr++;
  if (req.args.offset >= size) return -EINVAL;
  if (req.args.offset + req.args.size > size) req.args.size = size - req.args.offset;
  return fuse_simple_background_locked(*fi.fc, req);
}

// Sends what is queued, unless writes are stopped. fi->lock is held. Requests that are not sent are
// given to *unsent.
template <class W>
void fuse_flush_writepages(FuseInode<W>& fi, FuseReq<W>** unsent) {
  if (fi.nowrite || fi.queued_writes == nullptr) return;
  const int64_t crop = W::READ_ONCE(fi.i_size);
  while (fi.queued_writes != nullptr) {
    FuseReq<W>* req = fi.queued_writes;
    fi.queued_writes = req->next;
    req->next = nullptr;
    if (fuse_send_writepage(fi, *req, crop)) {
      req->next = *unsent;
      *unsent = req;
    }
  }
}

// A WRITE behind the file's end, or that a broken connection does not take, is an error to nobody.
template <class W>
void fuse_finish_unsent(FuseInode<W>& fi, FuseReq<W>* unsent) {
  while (unsent != nullptr) {
    FuseReq<W>* next = unsent->next;
    fuse_writepage_finish(fi, unsent, 0);
    unsent = next;
  }
}

// Stops new writebacks and waits for those that were sent. The inode lock is held, which keeps this
// from nesting.
template <class W>
[[gnu::noinline]] void fuse_set_nowrite(FuseInode<W>& fi) {
  W::spin_lock(fi.lock);
  W::WARN_ON(fi.nowrite, "BUG_ON(fi->writectr < 0)");
  fi.nowrite = true;
  W::wait_event_lock(fi.page_waitq, fi.lock, [&fi] { return fi.writectr == 0; });
  W::spin_unlock(fi.lock);
}

// fi->lock is held.
template <class W>
void __fuse_release_nowrite(FuseInode<W>& fi) {
  fi.nowrite = false;
  FuseReq<W>* unsent = nullptr;
  fuse_flush_writepages(fi, &unsent);
  if (unsent != nullptr) {
    W::spin_unlock(fi.lock);
    fuse_finish_unsent(fi, unsent);
    W::spin_lock(fi.lock);
  }
}

template <class W>
[[gnu::noinline]] void fuse_release_nowrite(FuseInode<W>& fi) {
  W::spin_lock(fi.lock);
  __fuse_release_nowrite(fi);
  W::spin_unlock(fi.lock);
}

// Whether a WRITE of dirty pages of [first, last] is under way, be the pages still there or not.
// fi->lock is held.
template <class W>
bool __fuse_range_is_writeback(FuseInode<W>& fi, int64_t first, int64_t last) {
  for (const FuseReq<W>* req = fi.writepages; req != nullptr; req = req->writepages_next) {
    if (page_of(req->args.offset) <= last && first <= req->writepages_last) return true;
  }
  return false;
}

template <class W>
bool fuse_range_is_writeback(FuseInode<W>& fi, int64_t first, int64_t last) {
  W::spin_lock(fi.lock);
  const bool found = __fuse_range_is_writeback(fi, first, last);
  W::spin_unlock(fi.lock);
  return found;
}

// Waits until no WRITE of pages [first, last] is under way.
template <class W>
[[gnu::noinline]] void fuse_wait_on_page_writeback(FuseInode<W>& fi, int64_t first, int64_t last) {
  W::spin_lock(fi.lock);
  W::wait_event_lock(fi.page_waitq, fi.lock,
                     [&] { return !__fuse_range_is_writeback(fi, first, last); });
  W::spin_unlock(fi.lock);
}

// Waits for all writebacks that were sent.
template <class W>
void fuse_sync_writes(FuseInode<W>& fi) {
  fuse_set_nowrite(fi);
  fuse_release_nowrite(fi);
}

// A file through which pages of the inode can be written, with a reference; the newest one. NULL:
// none is open.
template <class W>
FuseFile<W>* fuse_write_file_get(FuseInode<W>& fi) {
  W::spin_lock(fi.lock);
  FuseFile<W>* ff = fi.write_files;
  if (ff != nullptr) W::refcount_inc(ff->count);
  W::spin_unlock(fi.lock);
  return ff;
}

template <class W>
void fuse_file_put(FuseConn<W>& fc, FuseFile<W>* ff, bool sync);

// Queues one WRITE for pages [first, last], which are locked and under writeback now. Takes over
// the reference to ff.
template <class W>
[[gnu::noinline]] void fuse_writepages_send(FuseInode<W>& fi, FuseFile<W>* ff, int64_t first,
                                            int64_t last) {
  FuseReq<W>* req = fi.fc->reqs.alloc();
  req->args.opcode = FUSE_WRITE;
  req->args.inode = &fi;
  req->args.ff = ff;
  req->args.offset = first * kPageSize;
  req->args.size = (last + 1) * kPageSize - req->args.offset;
  req->writepages_last = last;
  req->writeback = true;
  req->task = W::current();

  W::spin_lock(fi.lock);
  req->writepages_next = fi.writepages;
  fi.writepages = req;
  FuseReq<W>** tail = &fi.queued_writes;
  while (*tail != nullptr) tail = &(*tail)->next;
  *tail = req;
  FuseReq<W>* unsent = nullptr;
  fuse_flush_writepages(fi, &unsent);
  W::spin_unlock(fi.lock);
  fuse_finish_unsent(fi, unsent);
}

enum SyncMode : uint8_t { WB_SYNC_NONE, WB_SYNC_ALL };

// Sends the dirty pages of [first, last] and does not wait for the answers. A page that is still
// under writeback is waited for, or passed over with WB_SYNC_NONE. -EIO when no file is open to
// write them through; they stay dirty then.
template <class W>
[[gnu::noinline]] int fuse_writepages(FuseInode<W>& fi, int64_t first, int64_t last,
                                      SyncMode sync = WB_SYNC_ALL) {
  AddressSpace<W>& mapping = fi.i_data;
  const int64_t size = W::READ_ONCE(fi.i_size);
  int64_t at = first;
  while (at <= last && at < mapping.npages) {
    W::spin_lock(mapping.i_pages);
    while (at <= last && at < mapping.npages && !__page_is(mapping, at, PG_present | PG_dirty))
      at++;
    const bool found = at <= last && at < mapping.npages;
    W::spin_unlock(mapping.i_pages);
    if (!found) return 0;

    FuseFile<W>* ff = fuse_write_file_get(fi);
    if (ff == nullptr) return -EIO;
    int64_t end = at;
    W::spin_lock(mapping.i_pages);
    while (end <= last && end < mapping.npages && (end == at || end != pages_up_to(size)) &&
           __page_is(mapping, end, PG_present | PG_dirty)) {
      const bool waits = sync == WB_SYNC_ALL;
      if (!(waits ? __page_lock_stable(fi, end) : __page_lock(mapping, end))) break;
      const bool in_flight =
          !fi.fc->rules->writeback_copies_pages && __page_is(mapping, end, PG_writeback);
      const bool dirty = __page_is(mapping, end, PG_dirty) && !in_flight;
      if (dirty) {
        __page_clear(mapping, end, PG_dirty);
        __page_set(mapping, end, PG_writeback);
      }
      __page_unlock(mapping, end);
      if (!dirty) break;
      end++;
    }
    W::spin_unlock(mapping.i_pages);
    if (end > at) {
      fuse_writepages_send(fi, ff, at, end - 1);
    } else {
      fuse_file_put(*fi.fc, ff, false);
    }
    at = end > at ? end : at + 1;
  }
  return 0;
}

template <class W>
bool filemap_range_has_any(AddressSpace<W>& mapping, int64_t first, int64_t last, uint8_t flags) {
  bool found = false;
  W::spin_lock(mapping.i_pages);
  for (int64_t i = first; i <= last && i < mapping.npages; i++)
    found |= (mapping.flags[i] & flags) != 0;
  W::spin_unlock(mapping.i_pages);
  return found;
}

// Whether any page of [first, last] is dirty or under writeback.
template <class W>
bool filemap_range_needs_writeback(AddressSpace<W>& mapping, int64_t first, int64_t last) {
  return filemap_range_has_any(mapping, first, last, PG_dirty | PG_writeback);
}

// The same, and a page that somebody has locked may become so.
template <class W>
bool filemap_range_has_writeback(AddressSpace<W>& mapping, int64_t first, int64_t last) {
  return filemap_range_has_any(mapping, first, last, PG_dirty | PG_writeback | PG_locked);
}

// Writes dirty pages of [first, last] back and waits. 0 or the error that a writeback met, this one
// or, of any page, one before that nobody was told of.
template <class W>
[[gnu::noinline]] int filemap_write_and_wait_range(FuseInode<W>& fi, int64_t first, int64_t last) {
  int err = 0;
  if (filemap_range_needs_writeback(fi.i_data, first, last)) {
    err = fuse_writepages(fi, first, last);
    filemap_fdatawait_range(fi, first, last);
  }
  const int err2 = filemap_check_errors(fi.i_data);
  return err ? err : err2;
}

// A write or fallocate: with writeback_cache the kernel keeps the times itself.
template <class W>
void file_update_time(FuseInode<W>& fi) {
  if (fi.fc->cap(CONN_WRITEBACK_CACHE)) fi.i_data.dirty_times = true;
}

// Sends the times to the server.
template <class W>
int fuse_write_inode(FuseInode<W>& fi) {
  FuseArgs<W> args = {};
  args.opcode = FUSE_SETATTR;
  args.inode = &fi;
  args.times = true;
  return fuse_simple_request(*fi.fc, args);
}

// Writes the dirty pages and then the times back, and waits (WB_SYNC_ALL), first for another task
// that is about the same. 0 or the first error.
template <class W>
[[gnu::noinline]] int writeback_single_inode(FuseInode<W>& fi) {
  AddressSpace<W>& mapping = fi.i_data;
  if (!filemap_range_needs_writeback(mapping, 0, mapping.npages) && !mapping.dirty_times &&
      !mapping.syncing) {
    return 0;
  }
  W::spin_lock(mapping.i_pages);
  W::wait_event_lock(mapping.page_wait, mapping.i_pages, [&] { return !mapping.syncing; });
  mapping.syncing = true;
  W::spin_unlock(mapping.i_pages);
  int err = fuse_writepages(fi, 0, mapping.npages);
  filemap_fdatawait_range(fi, 0, mapping.npages);
  const int wait_err = filemap_check_errors(mapping);
  if (!err) err = wait_err;
  if (mapping.dirty_times) {
    mapping.dirty_times = false;
    const int times_err = fuse_write_inode(fi);
    if (!err) err = times_err;
  }
  W::spin_lock(mapping.i_pages);
  mapping.syncing = false;
  W::wake_up_locked(mapping.page_wait);
  W::spin_unlock(mapping.i_pages);
  return err;
}

template <class W>
int write_inode_now(FuseInode<W>& fi) {
  return writeback_single_inode(fi);
}

// For the times; the pages are written all the same.
template <class W>
int sync_inode_metadata(FuseInode<W>& fi) {
  return writeback_single_inode(fi);
}

template <class W>
void fuse_flush_time_update(FuseInode<W>& fi) {
  mapping_set_error(fi.i_data, sync_inode_metadata(fi));
}

// Removes pages [first, last]: waits for locked ones, writes dirty ones back. Pages that appear in
// a batch while one of it is waited for stay. -EBUSY when a dirty page could not be written.
template <class W>
[[gnu::noinline]] int invalidate_inode_pages2_range(FuseInode<W>& fi, int64_t first, int64_t last) {
  AddressSpace<W>& mapping = fi.i_data;
  int ret = 0;
  W::spin_lock(mapping.i_pages);
  FolioBatch batch = find_get_entries(mapping, first, last);
  for (int64_t i = first; i <= last && i < mapping.npages; i++) {
    if (i >= batch.end) batch = find_get_entries(mapping, i, last);
    if (!batch.has(i) || !__page_is(mapping, i, PG_present) || !__page_lock_stable(fi, i)) continue;
    if (__page_is(mapping, i, PG_dirty)) {
      __page_clear(mapping, i, PG_dirty);
      __page_set(mapping, i, PG_writeback);
      W::spin_unlock(mapping.i_pages);
      FuseFile<W>* ff = fuse_write_file_get(fi);
      if (ff != nullptr) fuse_writepages_send(fi, ff, i, i);
      W::spin_lock(mapping.i_pages);
      if (ff == nullptr) {
        __page_clear(mapping, i, PG_writeback);
        __page_set(mapping, i, PG_dirty);
        __page_unlock(mapping, i);
        ret = -EBUSY;
        continue;
      }
      W::spin_unlock(mapping.i_pages);
      fuse_wait_on_page_writeback(fi, i, i);
      W::spin_lock(mapping.i_pages);
    }
    __page_remove(mapping, i);
  }
  W::spin_unlock(mapping.i_pages);
  return ret;
}

template <class W>
int invalidate_inode_pages2(FuseInode<W>& fi) {
  return invalidate_inode_pages2_range(fi, 0, fi.i_data.npages);
}

// The end of a writeback, in the context of whoever answered it (fuse_writepage_end).
template <class W>
[[gnu::noinline]] void fuse_writepage_finish(FuseInode<W>& fi, FuseReq<W>* req, int error) {
  AddressSpace<W>& mapping = fi.i_data;
  const int64_t first = page_of(req->args.offset);
  const int64_t last = req->writepages_last;
  FuseFile<W>* ff = req->args.ff;
  mapping_set_error(mapping, error);
  W::spin_lock(mapping.i_pages);
  for (int64_t i = first; i <= last; i++) {
    if (!__page_is(mapping, i, PG_present | PG_writeback)) continue;
    __page_clear(mapping, i, PG_writeback);
  }
  W::wake_up_locked(mapping.page_wait);
  W::spin_unlock(mapping.i_pages);
  W::spin_lock(fi.lock);
  fi.writectr--;
  FuseReq<W>** at = &fi.writepages;
  while (*at != req) at = &(*at)->writepages_next;
  *at = req->writepages_next;
  fi.fc->reqs.free(req);
  W::wake_up_locked(fi.page_waitq);
  W::spin_unlock(fi.lock);
  fuse_file_put(*fi.fc, ff, false);
}

}  // namespace iomode

#endif  // MODEL_WRITEBACK_H_
