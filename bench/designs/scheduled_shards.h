// SPDX-License-Identifier: GPL-2.0-only
//
// Sharded in the scheduled world: two slots, and all that it keeps in the bytes behind fi->lock
// that the inode leaves unused. A write starts in one slot and ends in the other, as if its task
// had been moved to another processor; neighbouring tasks start in different ones.
//
// iocachectr is here what the kernel's would be, for the checks and the state lines; the design
// never reads it.

#ifndef BENCH_DESIGNS_SCHEDULED_SHARDS_H_
#define BENCH_DESIGNS_SCHEDULED_SHARDS_H_

#include <cstddef>
#include <cstdint>

#include "bench/designs/sharded.h"
#include "sim/scheduled_world.h"

namespace iomode {

template <>
struct ShardsIn<ScheduledWorld> {
  using W = ScheduledWorld;
  static constexpr int kSlots = 2;
  struct Shards {
    W::Published<uint8_t> central;
    W::Published<int8_t> ctr;
    int8_t waiting;
    W::Atomic<int8_t> slots[kSlots];
  };

  static Shards& Of(FuseInode<W>& fi) {
    constexpr size_t kRoom = offsetof(FuseInode<W>, direct_io_waitq) - offsetof(FuseInode<W>, lock);
    static_assert(sizeof(fi.lock) + sizeof(Shards) <= kRoom);
    return *reinterpret_cast<Shards*>(&fi.lock + 1);
  }
  static int slots(FuseInode<W>&) { return kSlots; }
  static W::Atomic<int8_t>& Slot(FuseInode<W>& fi, int i) { return Of(fi).slots[i]; }
  static int StartSlot(FuseInode<W>&) { return static_cast<int>(W::current() % kSlots); }
  static int EndSlot(FuseInode<W>& fi) { return 1 - StartSlot(fi); }
  static void Ends(FuseInode<W>& fi) {
    W::scheduler().Touch(&W::observed, false);
    W::WARN_ON(fi.iocachectr.value >= 0, "fi->iocachectr >= 0");
  }
  static void Changed(FuseInode<W>& fi, int n) {
    fi.iocachectr.value += n;
    W::scheduler().Touch(&W::observed);
  }
};

}  // namespace iomode

#endif  // BENCH_DESIGNS_SCHEDULED_SHARDS_H_
