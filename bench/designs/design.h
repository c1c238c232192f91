// SPDX-License-Identifier: GPL-2.0-only
//
// Designs of the io-mode lock, to be held side by side. A Design is a class of static functions
// over a World that stand in for those of model/iomode.h, with their meaning:
//
//   kName                              in tables
//   kRevision                          the row of the revision table that the rest follows
//   fuse_file_cached_io_open, fuse_inode_uncached_io_start, fuse_inode_uncached_io_end,
//   fuse_file_io_release               as in model/iomode.h; same locks, same sleeping
//   Ops()                              these for FuseConn::ops; nullptr: the model's own
//
// At rest iocachectr, state and fb of an inode say what they say in the kernel: the rest of the
// model reads them without a lock.

#ifndef BENCH_DESIGNS_DESIGN_H_
#define BENCH_DESIGNS_DESIGN_H_

#include <concepts>

#include "model/iomode.h"

namespace iomode {

template <class D, class W>
concept IomodeDesign = requires(FuseInode<W>& fi, FuseFile<W>& ff, FuseBacking<W>* fb) {
  { D::kName } -> std::convertible_to<const char*>;
  { D::kRevision } -> std::convertible_to<const char*>;
  { D::fuse_file_cached_io_open(fi, ff) } -> std::same_as<int>;
  { D::fuse_inode_uncached_io_start(fi, fb) } -> std::same_as<int>;
  { D::fuse_inode_uncached_io_end(fi) } -> std::same_as<void>;
  { D::fuse_file_io_release(ff, fi) } -> std::same_as<void>;
  { D::Ops() } -> std::same_as<const IomodeOps<W>*>;
};

// The kernel's spin lock around counter, bit and backing, at one row of the revision table.
template <class W>
struct Lock {
  static constexpr const char* kName = "lock";
  static constexpr const char* kRevision = "v7.3";

  static int fuse_file_cached_io_open(FuseInode<W>& fi, FuseFile<W>& ff) {
    return iomode::fuse_file_cached_io_open(fi, ff);
  }
  static int fuse_inode_uncached_io_start(FuseInode<W>& fi, FuseBacking<W>* fb) {
    return iomode::fuse_inode_uncached_io_start(fi, fb);
  }
  static void fuse_inode_uncached_io_end(FuseInode<W>& fi) {
    iomode::fuse_inode_uncached_io_end(fi);
  }
  static void fuse_file_io_release(FuseFile<W>& ff, FuseInode<W>& fi) {
    iomode::fuse_file_io_release(ff, fi);
  }
  static const IomodeOps<W>* Ops() { return nullptr; }
};

// A parallel open holds the reference, for as long as the file is open.
template <class W>
struct PerOpen : Lock<W> {
  static constexpr const char* kName = "lock, per open (cb098dd24b)";
  static constexpr const char* kRevision = "cb098dd24b";
};

template <class W>
struct WakeOnAttach : Lock<W> {
  static constexpr const char* kName = "lock, wake on attach";
  static constexpr const char* kRevision = "v7.3+wake-on-attach";
};

template <class W>
struct RecheckBit : Lock<W> {
  static constexpr const char* kName = "lock, recheck bit";
  static constexpr const char* kRevision = "v7.3+recheck-bit-in-wait";
};

// IomodeOps of a design that brings code of its own.
template <class D, class W>
const IomodeOps<W>* OpsOf() {
  static const IomodeOps<W> ops = [] {
    IomodeOps<W> o = {};
    o.fuse_file_cached_io_open = D::fuse_file_cached_io_open;
    o.fuse_inode_uncached_io_start = D::fuse_inode_uncached_io_start;
    o.fuse_inode_uncached_io_end = D::fuse_inode_uncached_io_end;
    o.fuse_file_io_release = D::fuse_file_io_release;
    return o;
  }();
  return &ops;
}

}  // namespace iomode

#endif  // BENCH_DESIGNS_DESIGN_H_
