// SPDX-License-Identifier: GPL-2.0-only
//
// The page cache (mm/filemap.c, mm/truncate.c) at the grain of pages: which are there, locked, up
// to date, dirty or under writeback, and whose bytes they hold.
//
// A pass over a range is one operation unless it has to wait for a page. The kernel takes one page
// after the other; whoever slips in between two of them can, at this grain, come only before or
// after.
//
// Functions named with a leading __ expect i_pages held; the others take it, and may sleep.

#ifndef MODEL_FILEMAP_H_
#define MODEL_FILEMAP_H_

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "model/fuse_i.h"

namespace iomode {

inline int64_t page_of(int64_t pos) { return pos / kPageSize; }
inline int64_t pages_up_to(int64_t pos) { return (pos + kPageSize - 1) / kPageSize; }

template <class W>
bool __page_is(const AddressSpace<W>& mapping, int64_t index, uint8_t flags) {
  return index >= 0 && index < mapping.npages && (racy_read(mapping.flags[index]) & flags) == flags;
}

// A page's flags change with i_pages held; filemap_get_pages reads them without it.
template <class W>
void __page_set(AddressSpace<W>& mapping, int64_t index, uint8_t flags) {
  racy_write(mapping.flags[index], static_cast<uint8_t>(mapping.flags[index] | flags));
}

template <class W>
void __page_clear(AddressSpace<W>& mapping, int64_t index, uint8_t flags) {
  racy_write(mapping.flags[index], static_cast<uint8_t>(mapping.flags[index] & ~flags));
}

// Puts a new, locked page there. The slot is empty.
template <class W>
void __page_add(AddressSpace<W>& mapping, int64_t index, uint8_t flags) {
  racy_write(mapping.flags[index], static_cast<uint8_t>(PG_present | PG_locked | flags));
  mapping.bytes[index] = 0;
  mapping.nrpages++;
}

template <class W>
void __page_remove(AddressSpace<W>& mapping, int64_t index) {
  racy_write(mapping.flags[index], uint8_t{0});
  mapping.bytes[index] = 0;
  mapping.nrpages--;
  W::wake_up_locked(mapping.page_wait);
}

template <class W>
void __page_unlock(AddressSpace<W>& mapping, int64_t index) {
  __page_clear(mapping, index, PG_locked);
  W::wake_up_locked(mapping.page_wait);
}

// Waits until the page is not locked. False when it is gone then.
template <class W>
bool __page_wait_unlocked(AddressSpace<W>& mapping, int64_t index) {
  W::wait_event_lock(mapping.page_wait, mapping.i_pages, [&mapping, index] {
    return !__page_is(mapping, index, PG_present | PG_locked);
  });
  return __page_is(mapping, index, PG_present);
}

// The same for a task that can be killed: -EINTR when it was.
template <class W>
int __page_wait_unlocked_killable(AddressSpace<W>& mapping, int64_t index) {
  W::wait_event_lock(mapping.page_wait, mapping.i_pages, [&mapping, index] {
    return !__page_is(mapping, index, PG_present | PG_locked) || W::fatal_signal_pending();
  });
  return W::fatal_signal_pending() ? -EINTR : 0;
}

template <class W>
void __page_wait_writeback(AddressSpace<W>& mapping, int64_t index) {
  W::wait_event_lock(mapping.page_wait, mapping.i_pages, [&mapping, index] {
    return !__page_is(mapping, index, PG_present | PG_writeback);
  });
}

// Waits for the page's lock and takes it. False when the page is gone.
template <class W>
bool __page_lock(AddressSpace<W>& mapping, int64_t index) {
  if (!__page_wait_unlocked(mapping, index)) return false;
  __page_set(mapping, index, PG_locked);
  return true;
}

// The same, once no writeback of the page is under way. Where writeback copies pages they are not
// under writeback to the page cache.
template <class W>
bool __page_lock_stable(FuseInode<W>& fi, int64_t index) {
  AddressSpace<W>& mapping = fi.i_data;
  if (!__page_lock(mapping, index)) return false;
  if (!fi.fc->rules->writeback_copies_pages) __page_wait_writeback(mapping, index);
  return true;
}

// folio_wait_writeback over pages [first, last].
template <class W>
[[gnu::noinline]] void filemap_fdatawait_range(FuseInode<W>& fi, int64_t first, int64_t last) {
  AddressSpace<W>& mapping = fi.i_data;
  if (fi.fc->rules->writeback_copies_pages) return;
  W::spin_lock(mapping.i_pages);
  for (int64_t i = first; i <= last && i < mapping.npages; i++) __page_wait_writeback(mapping, i);
  W::spin_unlock(mapping.i_pages);
}

// Drops private copies of pages from `first` on, in all mappings of the inode: truncation takes
// them, too.
template <class W>
void unmap_mapping_cows(FuseInode<W>& fi, int64_t first) {
  fi.fc->vmas.for_each([&fi, first](Vma<W>& vma) {
    if (!vma.live || vma.file == nullptr || vma.file->inode != &fi || vma.cow == nullptr) return;
    for (int64_t i = first; i < fi.i_data.npages; i++) racy_write(vma.cow[i], uint8_t{0});
  });
}

// The pages that one look into the mapping gives, at most FOLIO_BATCH_SIZE.
struct FolioBatch {
  static constexpr int kSize = 31;
  static constexpr int kWindow = 64;
  int64_t begin;
  int64_t end;       // behind the last one; the next look begins here
  uint64_t present;  // from `begin` on
  bool has(int64_t index) const {
    return index >= begin && index - begin < kWindow && ((present >> (index - begin)) & 1);
  }
};

// The first pages of [first, last]. i_pages is held.
template <class W>
FolioBatch find_get_entries(const AddressSpace<W>& mapping, int64_t first, int64_t last) {
  FolioBatch batch = {first, last + 1, 0};
  int found = 0;
  for (int64_t i = first; i <= last && i < mapping.npages && found < FolioBatch::kSize; i++) {
    if (!__page_is(mapping, i, PG_present)) continue;
    if (found++ == 0) batch.begin = i;
    if (i - batch.begin >= FolioBatch::kWindow) break;
    batch.present |= uint64_t{1} << (i - batch.begin);
    batch.end = i + 1;
  }
  return batch;
}

// Removes the pages of [start, end) bytes; what is dirty in them is lost. First those that nobody
// holds, then, one after the other, the others, until none is left. The pages that `start` and
// `end` fall into stay, zeroed in part.
template <class W>
[[gnu::noinline]] void truncate_inode_pages_range(FuseInode<W>& fi, int64_t start, int64_t end) {
  AddressSpace<W>& mapping = fi.i_data;
  const int64_t first = pages_up_to(start);
  const int64_t last = std::min<int64_t>(page_of(end), mapping.npages);
  const uint8_t held = fi.fc->rules->writeback_copies_pages ? PG_locked : PG_locked | PG_writeback;
  W::spin_lock(mapping.i_pages);
  for (int64_t i = first; i < last; i++) {
    if (__page_is(mapping, i, PG_present) && !(mapping.flags[i] & held)) __page_remove(mapping, i);
  }
  for (const int64_t edge : {start, end}) {
    const int64_t i = page_of(edge);
    if (edge % kPageSize != 0 && __page_is(mapping, i, PG_present) && __page_lock_stable(fi, i))
      __page_unlock(mapping, i);
  }
  for (bool found = true; found;) {
    found = false;
    for (int64_t i = first; i < last; i++) {
      if (!__page_is(mapping, i, PG_present)) continue;
      found = true;
      if (__page_lock_stable(fi, i)) __page_remove(mapping, i);
    }
  }
  W::spin_unlock(mapping.i_pages);
}

// The file grows from `oldsize` to at least `size`: 34b5c4a6e4fb calls truncate_pagecache_range().
template <class W>
void truncate_pagecache_range(FuseInode<W>& fi, int64_t oldsize, int64_t size) {
  if (fi.fc->rules->growth_clears_old_end) truncate_inode_pages_range(fi, oldsize, size);
}

// Removes the pages beyond `size`.
template <class W>
void truncate_pagecache(FuseInode<W>& fi, int64_t size) {
  W::spin_lock(fi.i_data.i_pages);
  unmap_mapping_cows(fi, pages_up_to(size));
  W::spin_unlock(fi.i_data.i_pages);
  truncate_inode_pages_range(fi, size, int64_t{fi.i_data.npages} * kPageSize);
}

// mapping_set_error().
template <class W>
void mapping_set_error(AddressSpace<W>& mapping, int error) {
  if (error == 0) return;
  W::spin_lock(mapping.i_pages);
  mapping.error = static_cast<int16_t>(error == -ENOSPC ? -ENOSPC : -EIO);
  mapping.wb_err = static_cast<int16_t>(error);
  // As errseq_set(): errors that nobody has seen count as one.
  if (mapping.wb_seen || mapping.wb_seq == 0) mapping.wb_seq += 1;
  mapping.wb_seen = false;
  W::spin_unlock(mapping.i_pages);
}

// Reports and forgets the mapping's error.
template <class W>
int filemap_check_errors(AddressSpace<W>& mapping) {
  W::reads_unlocked(mapping.i_pages);
  if (mapping.error == 0) return 0;
  W::spin_lock(mapping.i_pages);
  const int err = mapping.error;
  mapping.error = int16_t{0};
  W::spin_unlock(mapping.i_pages);
  return err;
}

// Where a new file begins to look for writeback errors: one that nobody has seen is still to be
// reported (errseq_sample).
template <class W>
uint8_t filemap_sample_wb_err(const AddressSpace<W>& mapping) {
  W::reads_unlocked(mapping.i_pages);
  return mapping.wb_seen ? mapping.wb_seq : uint8_t{0};
}

// Reports each writeback error once to each file.
template <class W>
int file_check_and_advance_wb_err(File<W>& file) {
  AddressSpace<W>& mapping = file.inode->i_data;
  W::spin_lock(mapping.i_pages);
  int err = 0;
  if (file.f_wb_err != mapping.wb_seq) {
    err = mapping.wb_err;
    file.f_wb_err = mapping.wb_seq;
    mapping.wb_seen = true;
  }
  mapping.error = int16_t{0};
  W::spin_unlock(mapping.i_pages);
  return err;
}

}  // namespace iomode

#endif  // MODEL_FILEMAP_H_
