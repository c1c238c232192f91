// SPDX-License-Identifier: GPL-2.0-only
//
// mm/readahead.c: which pages a cached read or a fault brings in, and the READ requests that fetch
// them.
//
// The window is per struct file. Callers hold no spin lock; they may sleep when the connection has
// no async reads.

#ifndef MODEL_READAHEAD_H_
#define MODEL_READAHEAD_H_

#include <algorithm>
#include <bit>

#include "model/attributes.h"
#include "model/dev.h"
#include "model/filemap.h"
#include "model/fuse_i.h"

namespace iomode {

// bdi->ra_pages: 128 KiB.
inline constexpr int32_t kReadaheadPages = 32;

// The answer to a READ of whole pages: they are up to date with the server's bytes, or stay not up
// to date on an error.
template <class W>
[[gnu::noinline]] void fuse_readpages_end(FuseInode<W>& fi, const FuseArgs<W>& args,
                                          uint16_t attr_version, int error) {
  AddressSpace<W>& mapping = fi.i_data;
  const int64_t first = page_of(args.offset);
  const int64_t count = args.size / kPageSize;
  if (!error && args.out_size < args.size && !fi.fc->cap(CONN_WRITEBACK_CACHE)) {
    fuse_read_update_size(fi, args.offset + args.out_size, attr_version);
  }
  fuse_invalidate_attr_mask(fi, FUSE_STATX_ATIME);
  W::spin_lock(mapping.i_pages);
  for (int64_t i = first; i < first + count; i++) {
    if (!__page_is(mapping, i, PG_present)) continue;
    if (!error) __page_set(mapping, i, PG_uptodate);
    __page_unlock(mapping, i);
  }
  W::spin_unlock(mapping.i_pages);
}

// Sends the READ for locked pages [first, first + count).
template <class W>
[[gnu::noinline]] void fuse_send_readpages(FuseInode<W>& fi, File<W>& file, int64_t first,
                                           int64_t count) {
  typename W::Function fn("fuse_readahead");
  if (fi.fc->rules->writeback_copies_pages)
    fuse_wait_on_page_writeback(fi, first, first + count - 1);
  FuseConn<W>& fc = *fi.fc;
  FuseArgs<W> args = {};
  args.opcode = FUSE_READ;
  args.page_cache = true;
  args.inode = &fi;
  args.ff = file.private_data;
  args.offset = first * kPageSize;
  args.size = count * kPageSize;
  const uint16_t attr_version = W::READ_ONCE(fc.attr_version);
  int err;
  if (fc.cap(CONN_NO_ASYNC_READ)) {
    err = fuse_simple_request(fc, args);
  } else {
    W::refcount_inc(args.ff->count);
    FuseReq<W>* req = fc.reqs.alloc();
    req->args = args;
    req->attr_version = attr_version;
    err = fuse_simple_background(fc, *req);
    if (!err) return;
    fc.reqs.free(req);
    fuse_readpages_end(fi, args, attr_version, err);
    fuse_file_put(fc, args.ff, false);
    return;
  }
  fuse_readpages_end(fi, args, attr_version, err);
}

// Brings in the pages of [start, start + nr) that the file has and the cache has not, one READ a
// run; the page `mark`
// (-1: none) starts the next readahead when it is read. Pages of `asked` were asked for, the others
// come ahead.
template <class W>
[[gnu::noinline]] void page_cache_ra_unbounded(FuseInode<W>& fi, File<W>& file, int64_t start,
                                               int64_t nr, int64_t mark, int64_t asked_first,
                                               int64_t asked_end) {
  AddressSpace<W>& mapping = fi.i_data;
  const int64_t size = i_size_read(fi);
  if (size == 0) return;
  const int64_t end = std::min(start + nr, page_of(size - 1) + 1);
  int64_t at = start;
  while (at < end) {
    W::spin_lock(mapping.i_pages);
    while (at < end && __page_is(mapping, at, PG_present)) at++;
    int64_t run = at;
    for (; run < end && !__page_is(mapping, run, PG_present); run++) {
      uint8_t flags = run == mark ? PG_readahead : 0;
      if (run < asked_first || run >= asked_end) flags |= PG_ahead;
      __page_add(mapping, run, flags);
    }
    W::spin_unlock(mapping.i_pages);
    if (run > at) fuse_send_readpages(fi, file, at, run - at);
    at = run;
  }
}

inline int32_t get_init_ra_size(int64_t size, int32_t max) {
  const int64_t rounded = static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(size)));
  if (rounded <= max / 32) return static_cast<int32_t>(rounded * 4);
  if (rounded <= max / 4) return static_cast<int32_t>(rounded * 2);
  return max;
}

inline int32_t get_next_ra_size(int32_t size, int32_t max) {
  if (size < max / 16) return 4 * size;
  if (size <= max / 2) return 2 * size;
  return max;
}

template <class W>
void page_cache_ra_window(FuseInode<W>& fi, File<W>& file, int64_t asked_first, int64_t asked_end) {
  const FileRaState& ra = file.f_ra;
  page_cache_ra_unbounded(fi, file, ra.start, ra.size, ra.start + ra.size - ra.async_size,
                          asked_first, asked_end);
}

// A read of `count` pages at `index` missed the cache.
template <class W>
[[gnu::noinline]] void page_cache_sync_ra(FuseInode<W>& fi, File<W>& file, int64_t index,
                                          int64_t count) {
  FileRaState& ra = file.f_ra;
  const int64_t prev_index = ra.prev_pos < 0 ? -1 : page_of(ra.prev_pos);
  const uint64_t gap = static_cast<uint64_t>(index) -
                       static_cast<uint64_t>(ra.prev_pos < 0 ? ~(~0ull >> 12) : prev_index);
  if (index == 0 || count > kReadaheadPages || gap <= 1) {
    ra.start = static_cast<int32_t>(index);
    ra.size = get_init_ra_size(count, kReadaheadPages);
    ra.async_size = ra.size > count ? static_cast<int32_t>(ra.size - count) : ra.size >> 1;
    page_cache_ra_window(fi, file, index, index + count);
    return;
  }

  W::spin_lock(fi.i_data.i_pages);
  int64_t miss = index - 1;
  while (miss >= 0 && index - 1 - miss < kReadaheadPages && __page_is(fi.i_data, miss, PG_present))
    miss--;
  W::spin_unlock(fi.i_data.i_pages);
  int64_t contiguous = index - miss - 1;
  if (contiguous <= count) {
    page_cache_ra_unbounded(fi, file, index, count, -1, index, index + count);
    return;
  }
  if (miss < 0) contiguous *= 2;
  ra.start = static_cast<int32_t>(index);
  ra.size = static_cast<int32_t>(std::min<int64_t>(contiguous + count, kReadaheadPages));
  ra.async_size = 1;
  page_cache_ra_window(fi, file, index, index + count);
}

// A read of `count` pages came to the marked page `index`.
template <class W>
[[gnu::noinline]] void page_cache_async_ra(FuseInode<W>& fi, File<W>& file, int64_t index,
                                           int64_t count) {
  AddressSpace<W>& mapping = fi.i_data;
  FileRaState& ra = file.f_ra;
  W::spin_lock(mapping.i_pages);
  const bool writeback = __page_is(mapping, index, PG_writeback);
  if (!writeback) __page_clear(mapping, index, PG_readahead);
  int64_t next = index + 1;
  while (next < index + 1 + kReadaheadPages && __page_is(mapping, next, PG_present)) next++;
  W::spin_unlock(mapping.i_pages);
  if (writeback) return;

  if (index == ra.start + ra.size - ra.async_size) {
    ra.start += ra.size;
    ra.size = std::max<int32_t>(ra.size, get_next_ra_size(ra.size, kReadaheadPages));
  } else {
    if (next - index > kReadaheadPages) return;
    ra.start = static_cast<int32_t>(next);
    ra.size = get_next_ra_size(static_cast<int32_t>(next - index + count), kReadaheadPages);
  }
  ra.async_size = ra.size;
  page_cache_ra_window(fi, file, -1, -1);
}

// A fault at page `index` missed the cache: reads around it.
template <class W>
[[gnu::noinline]] void do_sync_mmap_readahead(FuseInode<W>& fi, File<W>& file, int64_t index) {
  FileRaState& ra = file.f_ra;
  ra.start = static_cast<int32_t>(std::max<int64_t>(0, index - kReadaheadPages / 2));
  ra.size = kReadaheadPages;
  ra.async_size = kReadaheadPages / 4;
  page_cache_ra_window(fi, file, index, index + 1);
}

// posix_fadvise(WILLNEED), readahead(2): exactly these pages.
template <class W>
void force_page_cache_readahead(FuseInode<W>& fi, File<W>& file, int64_t index, int64_t count) {
  page_cache_ra_unbounded(fi, file, index, std::min<int64_t>(count, kReadaheadPages), -1, -1, -1);
}

}  // namespace iomode

#endif  // MODEL_READAHEAD_H_
