// SPDX-License-Identifier: GPL-2.0-only
//
// A design whose parallel writes share no cache line: each counts in the slot of its processor, as
// readers do in the kernel's percpu_rw_semaphore and percpu_ref.
//
// An inode is in one of two modes. In the spread mode, which is also that of an inode at rest, a
// write adds to its slot, looks at the mode, and is in. Whoever wants the writes gone, or is none
// (a cached open, a passthrough open), moves the inode to the central mode and sums the slots; then
// writes start under fi->lock, and those that end look whether they were the last. The references
// of files are counted by `ctr` in the central mode only. What the kernel's iocachectr would be is
// ctr - sum of the slots.
//
// Invariants:
// * ctr, waiting and fb change with fi->lock held, and `central` too; `central` is set by an
//   exchange, a full barrier, before the slots are summed, and a write adds to its slot, a full
//   barrier, before it reads `central`: one of the two sees the other.
// * The inode is spread only while ctr is 0, no backing is attached and no opener waits.
// * A write that finds the inode central is in once it has seen, with the lock held, that no file
//   caches; else it takes its addition back, in the same slot.
// * A write may end in another slot than it started in, so only the sum means something. A sum of 0
//   made with the lock held says that all writes have ended that were in when it was begun; one
//   that adds later finds the inode central, and has to take the lock.
//
// Follows the rules of v7.3 with both proposals (wake on attach, recheck of the bit).

#ifndef BENCH_DESIGNS_SHARDED_H_
#define BENCH_DESIGNS_SHARDED_H_

#include <cerrno>
#include <cstdint>
#include <utility>

#include "bench/designs/design.h"

namespace iomode {

// Where a World keeps what the design needs besides the inode. Each World that the design is used
// in specialises it:
//
//   Of(fi)                     the inode's, zero at the start; fields `central` and `ctr`, both
//                              Published, and `waiting`, an integer
//   slots(fi)                  how many slots there are
//   Slot(fi, i)                one of them, an Atomic
//   StartSlot(fi), EndSlot(fi) the slot of the processor that the task runs on, at the start and at
//                              the end of a write
//   Ends(fi)                   a write is about to end: may check that it is counted
//   Changed(fi, n)             ctr - sum of the slots has become greater by n, in the operation
//                              under way
template <class W>
struct ShardsIn;

template <class W>
struct Sharded {
  static constexpr const char* kName = "sharded counter";
  static constexpr const char* kRevision = "v7.3";
  static const IomodeOps<W>* Ops() { return OpsOf<Sharded, W>(); }

  static int fuse_inode_uncached_io_start(FuseInode<W>& fi, FuseBacking<W>* fb) {
    typename W::Function fn("fuse_inode_uncached_io_start");
    if (fb != nullptr) return StartWithBacking(fi, fb);
    auto& slot = In::Slot(fi, In::StartSlot(fi));
    Add(fi, slot, 1);
    return IsCentral(fi) ? StartCentrally(fi, slot) : 0;
  }

  static void fuse_inode_uncached_io_end(FuseInode<W>& fi) {
    typename W::Function fn("fuse_inode_uncached_io_end");
    In::Ends(fi);
    Add(fi, In::Slot(fi, In::EndSlot(fi)), -1);
    if (IsCentral(fi)) Settle(fi);
  }

  static int fuse_file_cached_io_open(FuseInode<W>& fi, FuseFile<W>& ff) {
    typename W::Function fn("fuse_file_cached_io_open");
    if (!ff.has_args) return 0;
    auto& shards = In::Of(fi);
    W::spin_lock(fi.lock);
    MakeCentral(fi);
    while (Waits(fi)) {
      W::set_bit(FUSE_I_CACHE_IO_MODE, fi.state);
      shards.waiting++;
      W::spin_unlock(fi.lock);
      W::wait_event(fi.direct_io_waitq, [&fi] {
        if (!Waits(fi)) return true;
        W::set_bit(FUSE_I_CACHE_IO_MODE, fi.state);
        return false;
      });
      W::spin_lock(fi.lock);
      shards.waiting--;
    }
    int err = 0;
    if (fuse_inode_backing(fi) != nullptr) {
      W::clear_bit(FUSE_I_CACHE_IO_MODE, fi.state);
      err = -ETXTBSY;
    } else if (ff.iomode == IOM_NONE) {
      ff.iomode = IOM_CACHED;
      if (W::READ_ONCE(shards.ctr) == 0) W::set_bit(FUSE_I_CACHE_IO_MODE, fi.state);
      AddToCtr(fi, 1);
    }
    W::spin_unlock(fi.lock);
    return err;
  }

  static void fuse_file_io_release(FuseFile<W>& ff, FuseInode<W>& fi) {
    typename W::Function fn("fuse_file_io_release");
    if (ff.iomode == IOM_NONE) return;
    W::spin_lock(fi.lock);
    const IoMode mode = std::exchange(ff.iomode, IOM_NONE);
    const int ctr = AddToCtr(fi, mode == IOM_CACHED ? -1 : 1);
    W::WARN_ON(mode == IOM_CACHED ? ctr < 0 : ctr > 0, "fi->iocachectr does not count the file");
    // Openers that have been woken, but have not got here yet, keep the bit.
    if (mode == IOM_CACHED && ctr == 0 && In::Of(fi).waiting == 0)
      W::clear_bit(FUSE_I_CACHE_IO_MODE, fi.state);
    FuseBacking<W>* const fb = SettleLocked(fi);
    W::spin_unlock(fi.lock);
    fuse_backing_put(*fi.fc, fb);
  }

  // Whether nobody holds a reference, and the next write finds the inode spread.
  static bool IsNeutral(FuseInode<W>& fi) {
    return !IsCentral(fi) && W::READ_ONCE(In::Of(fi).ctr) == 0 && Sum(fi) == 0;
  }

 protected:
  using In = ShardsIn<W>;

  template <class Slot>
  static void Add(FuseInode<W>& fi, Slot& slot, int n) {
    W::operation("adds to", &slot, n);
    slot.value += n;
    In::Changed(fi, -n);
  }

  static int Sum(FuseInode<W>& fi) {
    int sum = 0;
    for (int i = 0; i < In::slots(fi); i++) sum += W::READ_ONCE(In::Slot(fi, i));
    return sum;
  }

  static bool IsCentral(FuseInode<W>& fi) { return W::READ_ONCE(In::Of(fi).central) != 0; }

  // fi->lock is held.
  static void MakeCentral(FuseInode<W>& fi) {
    if (!IsCentral(fi)) W::xchg(In::Of(fi).central, uint8_t{1});
  }

  // fi->lock is held. The new value.
  static int AddToCtr(FuseInode<W>& fi, int n) {
    auto& ctr = In::Of(fi).ctr;
    const int value = W::READ_ONCE(ctr) + n;
    W::WRITE_ONCE(ctr, value);
    In::Changed(fi, n);
    return value;
  }

  // Whether a cached open has to wait: fuse_is_io_cache_wait. While files cache no write is in, and
  // what the slots count is taken back.
  static bool Waits(FuseInode<W>& fi) {
    const int ctr = W::READ_ONCE(In::Of(fi).ctr);
    return (ctr < 0 || (ctr == 0 && Sum(fi) != 0)) && fuse_inode_backing(fi) == nullptr;
  }

  // The write has added to its slot.
  template <class Slot>
  static int StartCentrally(FuseInode<W>& fi, Slot& slot) {
    W::spin_lock(fi.lock);
    const bool caching = W::READ_ONCE(In::Of(fi).ctr) > 0;
    if (caching) {
      Add(fi, slot, -1);
      // An opener may have summed in between and gone to sleep.
      SettleLocked(fi);
    }
    W::spin_unlock(fi.lock);
    return caching ? -ETXTBSY : 0;
  }

  static int StartWithBacking(FuseInode<W>& fi, FuseBacking<W>* fb) {
    W::spin_lock(fi.lock);
    FuseBacking<W>* const oldfb = fuse_inode_backing(fi);
    int err = 0;
    if (oldfb != nullptr && oldfb != fb) {
      err = -EBUSY;
    } else if (W::READ_ONCE(In::Of(fi).ctr) > 0) {
      err = -ETXTBSY;
    } else {
      MakeCentral(fi);
      AddToCtr(fi, -1);
      if (oldfb == nullptr) {
        W::xchg(fi.fb, fb);
        W::wake_up(fi.direct_io_waitq);
      } else {
        fuse_backing_put(*fi.fc, fb);
      }
    }
    W::spin_unlock(fi.lock);
    return err;
  }

  static void Settle(FuseInode<W>& fi) {
    W::spin_lock(fi.lock);
    FuseBacking<W>* const fb = SettleLocked(fi);
    W::spin_unlock(fi.lock);
    fuse_backing_put(*fi.fc, fb);
  }

  // fi->lock is held. Wakes the openers if they need not wait. When no reference is left, detaches
  // the backing, which is the caller's to put, and spreads the inode unless an opener waits.
  static FuseBacking<W>* SettleLocked(FuseInode<W>& fi) {
    auto& shards = In::Of(fi);
    if (!IsCentral(fi)) return nullptr;
    const int ctr = W::READ_ONCE(shards.ctr);
    if (ctr < 0 || (ctr == 0 && Sum(fi) != 0)) return nullptr;
    // Another opener may have come before whoever ended the last write got here.
    if (shards.waiting != 0) W::wake_up(fi.direct_io_waitq);
    if (ctr > 0) return nullptr;
    FuseBacking<W>* fb = fuse_inode_backing(fi);
    if (fb != nullptr) fb = W::xchg(fi.fb, static_cast<FuseBacking<W>*>(nullptr));
    if (shards.waiting == 0) W::WRITE_ONCE(shards.central, uint8_t{0});
    return fb;
  }
};

}  // namespace iomode

#endif  // BENCH_DESIGNS_SHARDED_H_
