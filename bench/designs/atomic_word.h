// SPDX-License-Identifier: GPL-2.0-only
//
// A design without a lock on the paths of writes and cached opens: counter, bit and the state of
// the backing slot are one 64-bit word, changed by compare-and-exchange.
//
//   bits 0-31   iocachectr
//   bits 32-39  state (FUSE_I_CACHE_IO_MODE)
//   bits 40-47  slot of the backing: empty, being filled, full, being emptied
//   bits 48-63  how often the slot was filled
//
// The word lies over the inode's iocachectr and state and the padding behind them, so whoever reads
// these without a lock reads the word. It is little-endian.
//
// Invariants:
// * fb is written by whoever moved the slot to kFilling or kEmptying, with fi->lock held, and is
//   what it was while the slot stays kFull; the count of fillings tells two of them apart.
// * An inode whose slot is being emptied still counts the reference of who empties it: to writers
//   and cached opens it is an inode without a backing.
// * The bit is set in the word before a task sleeps, and again whenever it goes back to sleep; so
//   who ends the wait sees in the word whether somebody has to be woken, and wakes nobody else.
//
// Follows the rules of v7.3 with both proposals (wake on attach, recheck of the bit).

#ifndef BENCH_DESIGNS_ATOMIC_WORD_H_
#define BENCH_DESIGNS_ATOMIC_WORD_H_

#include <atomic>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "bench/designs/design.h"

namespace iomode {

// The word, taken apart.
struct ModeWord {
  enum Slot : uint8_t { kEmpty, kFilling, kFull, kEmptying };
  int32_t ctr;
  uint8_t state;
  Slot slot;
  uint16_t fillings;

  bool bit() const { return (state >> FUSE_I_CACHE_IO_MODE) & 1; }
  bool has_backing() const { return slot == kFilling || slot == kFull; }
  // fuse_is_io_cache_wait
  bool waits() const { return ctr < 0 && !has_backing(); }
  ModeWord With(int32_t new_ctr) const { return {new_ctr, state, slot, fillings}; }
  ModeWord WithBit(bool on) const {
    constexpr uint8_t kBit = 1u << FUSE_I_CACHE_IO_MODE;
    const int bits = on ? (state | kBit) : (state & ~kBit);
    return {ctr, static_cast<uint8_t>(bits), slot, fillings};
  }
  ModeWord With(Slot new_slot) const {
    return {ctr, state, new_slot, static_cast<uint16_t>(fillings + (new_slot == kFilling))};
  }
};
static_assert(sizeof(ModeWord) == 8 && std::endian::native == std::endian::little);

template <class W>
struct AtomicWord {
  static constexpr const char* kName = "atomic word";
  static constexpr const char* kRevision = "v7.3";
  static const IomodeOps<W>* Ops() { return OpsOf<AtomicWord, W>(); }

  static int fuse_file_cached_io_open(FuseInode<W>& fi, FuseFile<W>& ff) {
    typename W::Function fn("fuse_file_cached_io_open");
    if (!ff.has_args || IsCached(ff)) return 0;
    for (ModeWord word = Load(fi);;) {
      if (word.waits()) {
        W::wait_event(fi.direct_io_waitq, [&fi] { return !StillWaits(fi); });
        word = Load(fi);
      } else if (word.slot == ModeWord::kFilling) {
        // fb does not say yet why this open is refused and those who sleep may do without the bit.
        W::spin_lock(fi.lock);
        W::spin_unlock(fi.lock);
        word = Load(fi);
      } else if (word.has_backing()) {
        if (Replace(fi, word, word.WithBit(false))) return -ETXTBSY;
      } else if (Replace(fi, word, word.With(word.ctr + 1).WithBit(true))) {
        break;
      }
    }
    // Of two first mmaps of one file, one keeps its reference.
    if (!BecomesCached(ff)) DropCached(fi);
    return 0;
  }

  static void fuse_file_io_release(FuseFile<W>& ff, FuseInode<W>& fi) {
    typename W::Function fn("fuse_file_io_release");
    const IoMode mode = ff.iomode;
    ff.iomode = IOM_NONE;
    if (mode == IOM_UNCACHED) fuse_inode_uncached_io_end(fi);
    if (mode == IOM_CACHED) DropCached(fi);
  }

  static int fuse_inode_uncached_io_start(FuseInode<W>& fi, FuseBacking<W>* fb) {
    typename W::Function fn("fuse_inode_uncached_io_start");
    if (fb != nullptr) return StartWithBacking(fi, fb);
    for (ModeWord word = Load(fi);;) {
      if (word.ctr > 0) return -ETXTBSY;
      if (Replace(fi, word, word.With(word.ctr - 1))) return 0;
    }
  }

  static void fuse_inode_uncached_io_end(FuseInode<W>& fi) {
    typename W::Function fn("fuse_inode_uncached_io_end");
    for (ModeWord word = Load(fi);;) {
      W::WARN_ON(word.ctr >= 0, "fi->iocachectr >= 0");
      if (word.ctr == -1 && word.slot != ModeWord::kEmpty) {
        if (Detach(fi)) return;
        word = Load(fi);
      } else if (Replace(fi, word, word.With(word.ctr + 1))) {
        if (word.ctr == -1 && word.bit()) W::wake_up(fi.direct_io_waitq);
        return;
      }
    }
  }

 private:
  // The inode's bytes are read here as another type than they are written elsewhere.
  using Bytes [[gnu::may_alias]] = uint64_t;

  static Bytes* At(FuseInode<W>& fi) {
    static_assert(offsetof(FuseInode<W>, iocachectr) % 8 == 0);
    static_assert(offsetof(FuseInode<W>, state) == offsetof(FuseInode<W>, iocachectr) + 4);
    static_assert(offsetof(FuseInode<W>, fb) == offsetof(FuseInode<W>, iocachectr) + 8);
    static_assert(sizeof(fi.iocachectr) == 4 && sizeof(fi.state) == 1);
    return reinterpret_cast<Bytes*>(&fi.iocachectr);
  }

  static ModeWord Load(FuseInode<W>& fi) {
    W::operation("reads", &fi.iocachectr);
    return std::bit_cast<ModeWord>(uint64_t{__atomic_load_n(At(fi), __ATOMIC_ACQUIRE)});
  }

  // Whether the word was still `from`; else `from` is what it is now.
  static bool Replace(FuseInode<W>& fi, ModeWord& from, ModeWord to) {
    W::operation("compares and exchanges", &fi.iocachectr, to.ctr);
    Bytes expected = std::bit_cast<uint64_t>(from);
    const bool done = __atomic_compare_exchange_n(At(fi), &expected, std::bit_cast<uint64_t>(to),
                                                  false, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE);
    if (!done) from = std::bit_cast<ModeWord>(uint64_t{expected});
    return done;
  }

  // Sets the bit of an inode whose openers wait. False, and the word is as it was: they do not.
  static bool StillWaits(FuseInode<W>& fi) {
    for (ModeWord word = Load(fi); word.waits();) {
      if (word.bit() || Replace(fi, word, word.WithBit(true))) return true;
    }
    return false;
  }

  static bool IsCached(FuseFile<W>& ff) {
    W::operation("reads io mode of", &ff);
    return std::atomic_ref<IoMode>(ff.iomode).load(std::memory_order_acquire) == IOM_CACHED;
  }
  static bool BecomesCached(FuseFile<W>& ff) {
    W::operation("marks cached", &ff);
    const IoMode before = std::atomic_ref<IoMode>(ff.iomode).exchange(IOM_CACHED);
    W::WARN_ON(before == IOM_UNCACHED, "ff->iomode == IOM_UNCACHED");
    return before == IOM_NONE;
  }

  static void DropCached(FuseInode<W>& fi) {
    for (ModeWord word = Load(fi);;) {
      W::WARN_ON(word.ctr <= 0, "fi->iocachectr <= 0");
      if (Replace(fi, word, word.With(word.ctr - 1).WithBit(word.ctr > 1))) return;
    }
  }

  // One more reference to the backing that is attached, or -EBUSY; -EAGAIN: the slot is not full.
  static int StartOnFullSlot(FuseInode<W>& fi, FuseBacking<W>* fb) {
    for (ModeWord word = Load(fi); word.slot == ModeWord::kFull;) {
      const bool same = W::READ_ONCE(fi.fb) == fb;
      // An unchanged word is an unchanged fb.
      if (!Replace(fi, word, same ? word.With(word.ctr - 1) : word)) continue;
      if (!same) return -EBUSY;
      fuse_backing_put(*fi.fc, fb);
      return 0;
    }
    return -EAGAIN;
  }

  static int StartWithBacking(FuseInode<W>& fi, FuseBacking<W>* fb) {
    int err = StartOnFullSlot(fi, fb);
    if (err != -EAGAIN) return err;
    W::spin_lock(fi.lock);
    err = StartOnFullSlot(fi, fb);
    if (err == -EAGAIN) err = Attach(fi, fb);
    W::spin_unlock(fi.lock);
    return err;
  }

  // fi->lock is held, so the slot is empty. Nobody goes to sleep once it is being filled, and
  // openers that are refused clear the bit: whether somebody sleeps is what it said before.
  static int Attach(FuseInode<W>& fi, FuseBacking<W>* fb) {
    ModeWord word = Load(fi);
    do {
      if (word.ctr > 0) return -ETXTBSY;
    } while (!Replace(fi, word, word.With(word.ctr - 1).With(ModeWord::kFilling)));
    const bool anybody_sleeps = word.bit();
    W::WRITE_ONCE(fi.fb, fb);
    word = Load(fi);
    while (!Replace(fi, word, word.With(ModeWord::kFull))) {
    }
    if (anybody_sleeps) W::wake_up(fi.direct_io_waitq);
    return 0;
  }

  // Drops the last reference and the backing with it. False, and nothing happened: it is not the
  // last one any more.
  static bool Detach(FuseInode<W>& fi) {
    W::spin_lock(fi.lock);
    ModeWord word = Load(fi);
    bool done = false;
    while (!done && word.ctr == -1 && word.slot == ModeWord::kFull)
      done = Replace(fi, word, word.With(ModeWord::kEmptying));
    FuseBacking<W>* fb = nullptr;
    if (done) {
      fb = W::xchg(fi.fb, static_cast<FuseBacking<W>*>(nullptr));
      word = Load(fi);
      while (!Replace(fi, word, word.With(word.ctr + 1).With(ModeWord::kEmpty))) {
      }
      if (word.ctr == -1 && word.bit()) W::wake_up(fi.direct_io_waitq);
    }
    W::spin_unlock(fi.lock);
    if (done) fuse_backing_put(*fi.fc, fb);
    return done;
  }
};

}  // namespace iomode

#endif  // BENCH_DESIGNS_ATOMIC_WORD_H_
