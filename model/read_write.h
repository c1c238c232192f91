// SPDX-License-Identifier: GPL-2.0-only
//
// Reads and writes that are not direct: through the page cache, or to the backing file
// (fs/fuse/file.c, passthrough.c, mm/filemap.c). And which of them a file uses: FOPEN_DIRECT_IO
// beats passthrough, which beats the page cache.
//
// Callers hold no spin lock.

#ifndef MODEL_READ_WRITE_H_
#define MODEL_READ_WRITE_H_

#include <algorithm>
#include <cerrno>

#include "model/attributes.h"
#include "model/dio.h"
#include "model/fuse_i.h"
#include "model/readahead.h"
#include "model/writeback.h"

namespace iomode {

// Fetches one locked page, and unlocks it (fuse_read_folio).
template <class W>
[[gnu::noinline]] int fuse_read_folio(FuseInode<W>& fi, File<W>& file, int64_t index) {
  typename W::Function fn("fuse_read_folio");
  if (fi.fc->rules->writeback_copies_pages) fuse_wait_on_page_writeback(fi, index, index);
  FuseArgs<W> args = {};
  args.opcode = FUSE_READ;
  args.page_cache = true;
  args.inode = &fi;
  args.ff = file.private_data;
  args.offset = index * kPageSize;
  args.size = kPageSize;
  const uint16_t attr_version = W::READ_ONCE(fi.fc->attr_version);
  const int err = fuse_simple_request(*fi.fc, args);
  fuse_readpages_end(fi, args, attr_version, err);
  return err;
}

template <class W>
int filemap_read_folio(FuseInode<W>& fi, File<W>& file, int64_t index) {
  const int err = fuse_read_folio(fi, file, index);
  return err && fi.fc->rules->page_read_fails_with_eio ? -EIO : err;
}

// Pages [index, end) that are there, from `index` on, up to and with the first that is not up to
// date or marked.
template <class W>
int64_t filemap_get_read_batch(AddressSpace<W>& mapping, int64_t index, int64_t end) {
  W::spin_lock(mapping.i_pages);
  int64_t n = 0;
  while (index + n < end && __page_is(mapping, index + n, PG_present)) {
    const int64_t at = index + n++;
    if (!__page_is(mapping, at, PG_uptodate) || __page_is(mapping, at, PG_readahead)) break;
  }
  W::spin_unlock(mapping.i_pages);
  return n;
}

// Makes the last page of a batch readable. 0; 1: it went away or was waited for, look again; or a
// negative errno.
template <class W>
[[gnu::noinline]] int filemap_update_page(FuseInode<W>& fi, Kiocb<W>& iocb, int64_t index) {
  AddressSpace<W>& mapping = fi.i_data;
  W::spin_lock(mapping.i_pages);
  if (__page_is(mapping, index, PG_present | PG_locked)) {
    const int err = __page_wait_unlocked_killable(mapping, index);
    W::spin_unlock(mapping.i_pages);
    return err ? err : 1;
  }
  if (!__page_is(mapping, index, PG_present)) {
    W::spin_unlock(mapping.i_pages);
    return 1;
  }
  if (__page_is(mapping, index, PG_uptodate)) {
    W::spin_unlock(mapping.i_pages);
    return 0;
  }
  __page_set(mapping, index, PG_locked);
  W::spin_unlock(mapping.i_pages);
  return filemap_read_folio(fi, *iocb.file, index);
}

// Brings in what is missing of [index, end). On 0 *n pages from `index` on are readable.
template <class W>
[[gnu::noinline]] int filemap_get_pages(FuseInode<W>& fi, Kiocb<W>& iocb, int64_t index,
                                        int64_t end, int64_t* n) {
  AddressSpace<W>& mapping = fi.i_data;
  while (true) {
    *n = filemap_get_read_batch(mapping, index, end);
    if (*n == 0) {
      page_cache_sync_ra(fi, *iocb.file, index, end - index);
      *n = filemap_get_read_batch(mapping, index, end);
    }
    if (*n == 0) {
      W::spin_lock(mapping.i_pages);
      const bool there = index >= mapping.npages || __page_is(mapping, index, PG_present);
      if (!there) __page_add(mapping, index, 0);
      W::spin_unlock(mapping.i_pages);
      if (there) {
        if (index >= mapping.npages) return -EFBIG;
        continue;
      }
      const int err = filemap_read_folio(fi, *iocb.file, index);
      *n = 1;
      return err;
    }
    const int64_t last = index + *n - 1;
    W::reads_unlocked(mapping.i_pages);
    if (__page_is(mapping, last, PG_readahead)) {
      iocb.from_ahead = true;
      page_cache_async_ra(fi, *iocb.file, last, end - last);
    }
    if (__page_is(mapping, last, PG_uptodate)) return 0;
    if (fi.fc->rules->read_copies_before_waiting && *n > 1) {
      --*n;
      return 0;
    }
    const int err = filemap_update_page(fi, iocb, last);
    if (err == 0 || --*n > 0) return 0;
    if (err < 0) return err;
  }
}

// Bytes read, or a negative errno. `splice`: filemap_splice_read, which tells readahead at once how
// far it has come, and not at its end.
template <class W>
[[gnu::noinline]] int64_t filemap_read(FuseInode<W>& fi, Kiocb<W>& iocb, bool splice = false) {
  typename W::Function fn("filemap_read");
  AddressSpace<W>& mapping = fi.i_data;
  FileRaState& ra = iocb.file->f_ra;
  int64_t last_pos = ra.prev_pos;
  int64_t done = 0;
  int err = 0;
  while (iocb.count > 0) {
    if (iocb.pos >= i_size_read(fi)) break;
    const int64_t index = page_of(iocb.pos);
    int64_t n = 0;
    err = filemap_get_pages(fi, iocb, index, pages_up_to(iocb.pos + iocb.count), &n);
    if (err) break;
    const int64_t size = i_size_read(fi);
    if (iocb.pos >= size) break;
    const int64_t end = std::min({size, iocb.pos + iocb.count, (index + n) * kPageSize});
    W::spin_lock(mapping.i_pages);
    for (int64_t i = index; i < pages_up_to(end); i++) {
      if (!__page_is(mapping, i, PG_ahead)) continue;
      iocb.from_ahead = true;
      __page_clear(mapping, i, PG_ahead);
    }
    W::spin_unlock(mapping.i_pages);
    done += end - iocb.pos;
    iocb.count -= end - iocb.pos;
    iocb.pos = end;
    last_pos = end;
    if (splice) ra.prev_pos = last_pos;
    if (end == size) break;
  }
  if (!splice) ra.prev_pos = last_pos;
  return done > 0 ? done : err;
}

template <class W>
[[gnu::noinline]] int64_t fuse_cache_read_iter(FuseInode<W>& fi, Kiocb<W>& iocb) {
  typename W::Function fn("fuse_cache_read_iter");
  if (fi.fc->cap(CONN_AUTO_INVAL_DATA) || iocb.pos + iocb.count > i_size_read(fi)) {
    const int err = fuse_update_attributes(fi, FUSE_STATX_SIZE);
    if (err) return err;
  }
  if (!iocb.direct) return filemap_read(fi, iocb);
  const int err =
      filemap_write_and_wait_range(fi, page_of(iocb.pos), page_of(iocb.pos + iocb.count - 1));
  if (err) return err;
  const int64_t count = iocb.count;
  const int64_t res = fuse_direct_IO(fi, iocb, false);
  if (res < 0 || res == count || iocb.pos >= i_size_read(fi)) return res;
  iocb.count = count - res;
  const int64_t rest = filemap_read(fi, iocb);
  return rest < 0 && res == 0 ? rest : res + std::max<int64_t>(rest, 0);
}

// Copies into the pages of [pos, end), sends one WRITE for as many as one request takes. Returns
// bytes or a negative errno. A page that is not up to date and written in part stays locked until
// the answer.
template <class W>
[[gnu::noinline]] int64_t fuse_send_write_pages(FuseInode<W>& fi, Kiocb<W>& iocb, int64_t pos,
                                                int64_t end) {
  AddressSpace<W>& mapping = fi.i_data;
  int64_t at = pos;
  int64_t locked = -1;
  while (at < end) {
    const int64_t index = page_of(at);
    const int64_t to = std::min(end, (index + 1) * kPageSize);
    if (index >= mapping.npages) return -EFBIG;
    W::spin_lock(mapping.i_pages);
    while (__page_is(mapping, index, PG_present) && !__page_wait_unlocked(mapping, index)) {
    }
    if (__page_is(mapping, index, PG_present)) {
      __page_set(mapping, index, PG_locked);
    } else {
      __page_add(mapping, index, 0);
    }
    if (to - at == kPageSize) __page_set(mapping, index, PG_uptodate);
    __page_clear(mapping, index, PG_ahead);
    mapping.bytes[index] = static_cast<uint16_t>(W::current() + 1);
    at = to;
    if (__page_is(mapping, index, PG_uptodate)) {
      __page_unlock(mapping, index);
    } else {
      locked = index;
    }
    W::spin_unlock(mapping.i_pages);
    if (locked >= 0 || at % kPageSize != 0) break;
  }
  fuse_wait_on_page_writeback(fi, page_of(pos), page_of(at - 1));

  FuseArgs<W> args = {};
  args.opcode = FUSE_WRITE;
  args.inode = &fi;
  args.ff = iocb.file->private_data;
  args.offset = pos;
  args.size = at - pos;
  const int err = fuse_simple_request(*fi.fc, args);

  W::spin_lock(mapping.i_pages);
  const bool stale = err != 0 && fi.fc->rules->failed_write_makes_pages_stale;
  for (int64_t i = page_of(pos); stale && i <= page_of(at - 1); i++) {
    if (__page_is(mapping, i, PG_present)) __page_clear(mapping, i, PG_uptodate);
  }
  if (locked >= 0) __page_unlock(mapping, locked);
  W::spin_unlock(mapping.i_pages);
  return err ? err : args.out_size;
}

// A write through the page cache to the server. The inode lock is held exclusively.
template <class W>
[[gnu::noinline]] int64_t fuse_perform_write(FuseInode<W>& fi, Kiocb<W>& iocb) {
  typename W::Function fn("fuse_perform_write");
  const int64_t old_size = i_size_read(fi);
  const int64_t end = iocb.pos + iocb.count;
  if (iocb.pos > old_size) truncate_pagecache_range(fi, old_size, iocb.pos);
  if (old_size < end) W::WRITE_ONCE(fi.size_unstable, uint8_t{1});
  int64_t done = 0;
  int64_t err = 0;
  while (iocb.pos < end) {
    const int64_t res = fuse_send_write_pages(fi, iocb, iocb.pos, end);
    if (res <= 0) {
      err = res;
      break;
    }
    done += res;
    iocb.pos += res;
  }
  fuse_write_update_attr(fi, iocb.pos, done);
  W::WRITE_ONCE(fi.size_unstable, uint8_t{0});
  return done > 0 ? done : err;
}

// A write that dirties the page cache (writeback_cache). The inode lock is held exclusively.
template <class W>
[[gnu::noinline]] int64_t iomap_file_buffered_write(FuseInode<W>& fi, Kiocb<W>& iocb) {
  typename W::Function fn("iomap_file_buffered_write");
  AddressSpace<W>& mapping = fi.i_data;
  const int64_t end = iocb.pos + iocb.count;
  int64_t done = 0;
  while (iocb.pos < end) {
    const int64_t index = page_of(iocb.pos);
    const int64_t to = std::min(end, (index + 1) * kPageSize);
    if (index >= mapping.npages) return done > 0 ? done : -EFBIG;
    W::spin_lock(mapping.i_pages);
    while (__page_is(mapping, index, PG_present) && !__page_wait_unlocked(mapping, index)) {
    }
    if (!__page_is(mapping, index, PG_present)) __page_add(mapping, index, 0);
    __page_set(mapping, index, PG_locked);
    if (fi.fc->rules->cached_write_waits_for_writeback) {
      // For a WRITE of a page that was there before, too.
      W::spin_unlock(mapping.i_pages);
      fuse_wait_on_page_writeback(fi, index, index);
      W::spin_lock(mapping.i_pages);
    }
    const bool whole = to - iocb.pos == kPageSize || index * kPageSize >= fi.i_size.value;
    const bool fetch = !whole && !__page_is(mapping, index, PG_uptodate);
    W::spin_unlock(mapping.i_pages);
    if (fetch) {
      const int err = fuse_read_folio(fi, *iocb.file, index);
      if (err) return done > 0 ? done : err;
    }
    W::spin_lock(mapping.i_pages);
    if (__page_is(mapping, index, PG_present)) {
      __page_set(mapping, index, PG_uptodate | PG_dirty);
      __page_clear(mapping, index, PG_ahead);
      mapping.bytes[index] = static_cast<uint16_t>(W::current() + 1);
      __page_unlock(mapping, index);
    }
    W::spin_unlock(mapping.i_pages);
    done += to - iocb.pos;
    iocb.pos = to;
    W::spin_lock(fi.lock);
    if (iocb.pos > i_size_read(fi)) W::WRITE_ONCE(fi.i_size, iocb.pos);
    W::spin_unlock(fi.lock);
  }
  return done;
}

// O_DIRECT on a file that is not FOPEN_DIRECT_IO.
template <class W>
[[gnu::noinline]] int64_t generic_file_direct_write(FuseInode<W>& fi, Kiocb<W>& iocb) {
  const int64_t first = page_of(iocb.pos);
  const int64_t last = page_of(iocb.pos + iocb.count - 1);
  const int err = filemap_write_and_wait_range(fi, first, last);
  if (err) return err;
  const int busy = invalidate_inode_pages2_range(fi, first, last);
  if (busy) return busy == -EBUSY ? 0 : busy;
  const int64_t res = fuse_direct_IO(fi, iocb, true);
  if (res > 0) invalidate_inode_pages2_range(fi, first, last);
  return res;
}

template <class W>
[[gnu::noinline]] int64_t fuse_cache_write_iter(FuseInode<W>& fi, Kiocb<W>& iocb) {
  typename W::Function fn("fuse_cache_write_iter");
  const bool writeback = fi.fc->cap(CONN_WRITEBACK_CACHE);
  if (writeback) {
    const int err = fuse_update_attributes(fi, FUSE_STATX_SIZE);
    if (err) return err;
  }
  W::down_write(fi.i_rwsem);
  generic_write_checks(fi, iocb);
  file_update_time(fi);
  int64_t res = 0;
  const int64_t count = iocb.count;
  if (iocb.direct) res = generic_file_direct_write(fi, iocb);
  if (res >= 0 && res < count) {
    iocb.count = count - res;
    const int64_t rest =
        writeback ? iomap_file_buffered_write(fi, iocb) : fuse_perform_write(fi, iocb);
    res = rest < 0 && res == 0 ? rest : res + std::max<int64_t>(rest, 0);
  }
  W::up_write(fi.i_rwsem);
  return res;
}

// --- Passthrough ---

template <class W>
int64_t fuse_passthrough_read_iter(FuseInode<W>& fi, Kiocb<W>& iocb) {
  typename W::Function fn("fuse_passthrough_read_iter");
  W::operation("reads backing of", &fi.fb);
  const int64_t size = iocb.file->private_data->passthrough->size;
  fuse_invalidate_attr_mask(fi, FUSE_STATX_ATIME);
  return std::clamp<int64_t>(size - iocb.pos, 0, iocb.count);
}

template <class W>
[[gnu::noinline]] int64_t fuse_passthrough_write_iter(FuseInode<W>& fi, Kiocb<W>& iocb) {
  typename W::Function fn("fuse_passthrough_write_iter");
  BackingInode* backing = iocb.file->private_data->passthrough;
  W::down_write(fi.i_rwsem);
  W::operation("writes backing of", &fi.fb);
  // A synchronous write also obeys the flags with which the backing file was opened.
  if (iocb.append || (iocb.is_sync() && iocb.file->opened_to_append)) iocb.pos = backing->size;
  const int64_t end = iocb.pos + iocb.count;
  backing->size = std::max<int64_t>(backing->size, end);
  if (fi.fc->rules->passthrough_write_grows_size) {
    fuse_write_update_attr(fi, end, iocb.count);
  } else {
    fuse_invalidate_attr_mask(fi, FUSE_STATX_SIZE);
  }
  W::up_write(fi.i_rwsem);
  return iocb.count;
}

template <class W>
bool fuse_file_passthrough_io(FuseInode<W>& fi, const FuseFile<W>& ff) {
  return ff.passthrough != nullptr && fi.fc->rules->passthrough == Passthrough::kFull;
}

// --- Which one ---

template <class W>
int64_t fuse_file_read_iter(FuseInode<W>& fi, Kiocb<W>& iocb) {
  typename W::Function fn("fuse_file_read_iter");
  const FuseFile<W>& ff = *iocb.file->private_data;
  if (ff.open_flags & FOPEN_DIRECT_IO) return fuse_direct_read_iter(fi, iocb);
  if (fuse_file_passthrough_io(fi, ff)) return fuse_passthrough_read_iter(fi, iocb);
  return fuse_cache_read_iter(fi, iocb);
}

template <class W>
int64_t fuse_file_write_iter(FuseInode<W>& fi, Kiocb<W>& iocb) {
  typename W::Function fn("fuse_file_write_iter");
  const FuseFile<W>& ff = *iocb.file->private_data;
  if (ff.open_flags & FOPEN_DIRECT_IO) return fuse_direct_write_iter(fi, iocb);
  if (fuse_file_passthrough_io(fi, ff)) return fuse_passthrough_write_iter(fi, iocb);
  return fuse_cache_write_iter(fi, iocb);
}

// splice goes through the page cache even on a FOPEN_DIRECT_IO file.
template <class W>
int64_t fuse_splice_read(FuseInode<W>& fi, Kiocb<W>& iocb) {
  typename W::Function fn("fuse_splice_read");
  const FuseFile<W>& ff = *iocb.file->private_data;
  if (fuse_file_passthrough_io(fi, ff) && !(ff.open_flags & FOPEN_DIRECT_IO)) {
    return fuse_passthrough_read_iter(fi, iocb);
  }
  return filemap_read(fi, iocb, true);
}

}  // namespace iomode

#endif  // MODEL_READ_WRITE_H_
