// SPDX-License-Identifier: GPL-2.0-only
//
// Cached attributes (fs/fuse/dir.c, inode.c): the inode's size, which of them are stale, and what
// happens to the page cache when the server reports another size. Attributes live long enough never
// to time out by themselves.
//
// Callers hold no spin lock.

#ifndef MODEL_ATTRIBUTES_H_
#define MODEL_ATTRIBUTES_H_

#include "model/dev.h"
#include "model/filemap.h"
#include "model/fuse_i.h"
#include "model/writeback.h"

namespace iomode {

template <class W>
int64_t i_size_read(const FuseInode<W>& fi) {
  return W::READ_ONCE(fi.i_size);
}

template <class W>
void fuse_invalidate_attr_mask(FuseInode<W>& fi, uint8_t mask) {
  W::set_bits(fi.inval_mask, mask);
}

// Advances the connection's attr_version and stamps the inode with it. fi->lock is held.
template <class W>
void fuse_next_attr_version(FuseInode<W>& fi) {
  fi.attr_version = W::increment(fi.fc->attr_version);
}

// After `written` bytes that end at `pos`: the size grows if it must.
template <class W>
[[gnu::noinline]] bool fuse_write_update_attr(FuseInode<W>& fi, int64_t pos, int64_t written) {
  bool grown = false;
  W::spin_lock(fi.lock);
  fuse_next_attr_version(fi);
  if (written > 0 && pos > i_size_read(fi)) {
    W::WRITE_ONCE(fi.i_size, pos);
    grown = true;
  }
  W::spin_unlock(fi.lock);
  fuse_invalidate_attr_mask(fi, FUSE_STATX_SIZE);
  return grown;
}

// A READ came back short: the file ends at `size`, unless it changed since `attr_version`.
template <class W>
void fuse_read_update_size(FuseInode<W>& fi, int64_t size, uint16_t attr_version) {
  W::spin_lock(fi.lock);
  if (attr_version >= fi.attr_version && size < i_size_read(fi) &&
      !W::READ_ONCE(fi.size_unstable)) {
    fuse_next_attr_version(fi);
    W::WRITE_ONCE(fi.i_size, size);
  }
  W::spin_unlock(fi.lock);
}

// The server reported `size`, asked at `attr_version`.
template <class W>
[[gnu::noinline]] void fuse_change_attributes(FuseInode<W>& fi, int64_t size,
                                              uint16_t attr_version) {
  const bool trusts_own_size = fi.fc->cap(CONN_WRITEBACK_CACHE);
  W::spin_lock(fi.lock);
  if (fi.attr_version > attr_version || W::READ_ONCE(fi.size_unstable)) {
    W::spin_unlock(fi.lock);
    return;
  }
  W::WRITE_ONCE(fi.inval_mask, uint8_t{0});
  fuse_next_attr_version(fi);
  const int64_t oldsize = i_size_read(fi);
  if (!trusts_own_size && oldsize != size) W::WRITE_ONCE(fi.i_size, size);
  W::spin_unlock(fi.lock);

  if (!trusts_own_size && oldsize != size) {
    truncate_pagecache(fi, size);
    invalidate_inode_pages2(fi);
  }
}

// *stat_size: the size that stat(2) gives, the server's even where it came too late to be taken
// over.
template <class W>
[[gnu::noinline]] int fuse_do_getattr(FuseInode<W>& fi, int64_t* stat_size) {
  typename W::Function fn("fuse_do_getattr");
  const uint16_t attr_version = W::READ_ONCE(fi.fc->attr_version);
  FuseArgs<W> args = {};
  args.opcode = FUSE_GETATTR;
  args.inode = &fi;
  const int err = fuse_simple_request(*fi.fc, args);
  if (err) return err;
  fuse_change_attributes(fi, args.out_size, attr_version);
  *stat_size = fi.fc->cap(CONN_WRITEBACK_CACHE) ? i_size_read(fi) : args.out_size;
  return 0;
}

// Asks the server when one of `mask` is stale. 0 with *stat_size, or a negative errno.
template <class W>
int fuse_update_get_attr(FuseInode<W>& fi, uint8_t mask, int64_t* stat_size) {
  const uint8_t cached = fi.fc->cap(CONN_WRITEBACK_CACHE) ? FUSE_STATX_SIZE : 0;
  if (W::READ_ONCE(fi.inval_mask) & mask & ~cached) return fuse_do_getattr(fi, stat_size);
  *stat_size = i_size_read(fi);
  return 0;
}

template <class W>
int fuse_update_attributes(FuseInode<W>& fi, uint8_t mask) {
  int64_t stat_size;
  return fuse_update_get_attr(fi, mask, &stat_size);
}

// Truncates to `size`. `by_open`: for open(2) with O_TRUNC, of a server that did it in OPEN already
// when it has atomic_o_trunc. The inode lock is held exclusively.
template <class W>
[[gnu::noinline]] int fuse_do_setattr(FuseInode<W>& fi, int64_t size, bool by_open) {
  typename W::Function fn("fuse_do_setattr");
  FuseConn<W>& fc = *fi.fc;
  if (by_open && fc.cap(CONN_ATOMIC_O_TRUNC)) {
    W::WRITE_ONCE(fi.i_size, int64_t{0});
    truncate_pagecache(fi, 0);
    return 0;
  }
  fuse_set_nowrite(fi);
  W::WRITE_ONCE(fi.size_unstable, uint8_t{1});
  FuseArgs<W> args = {};
  args.opcode = FUSE_SETATTR;
  args.inode = &fi;
  args.size = size;
  const int err = fuse_simple_request(fc, args);
  if (err) {
    fuse_release_nowrite(fi);
    W::WRITE_ONCE(fi.size_unstable, uint8_t{0});
    return err;
  }

  W::spin_lock(fi.lock);
  W::WRITE_ONCE(fi.inval_mask, uint8_t{0});
  fuse_next_attr_version(fi);
  const int64_t oldsize = i_size_read(fi);
  W::WRITE_ONCE(fi.i_size, args.out_size);
  __fuse_release_nowrite(fi);
  W::spin_unlock(fi.lock);
  if (oldsize != args.out_size) {
    if (args.out_size > oldsize) truncate_pagecache_range(fi, oldsize, args.out_size);
    truncate_pagecache(fi, args.out_size);
    invalidate_inode_pages2(fi);
  }
  W::WRITE_ONCE(fi.size_unstable, uint8_t{0});
  return 0;
}

}  // namespace iomode

#endif  // MODEL_ATTRIBUTES_H_
