// SPDX-License-Identifier: GPL-2.0-only
//
// What a thread of a stress run does: a sequence of operations that is a function of seed and
// thread alone. Whether the operation finds a file to work on depends on the other threads.

#ifndef PROPS_STRESS_OPS_H_
#define PROPS_STRESS_OPS_H_

#include <cstdint>
#include <string>

#include "props/stress_probe.h"

namespace iomode {

enum class StressKind : uint8_t {
  kOpen,
  kClose,
  kRead,
  kWrite,
  kAioRead,
  kAioWrite,
  kAioWait,
  kSpliceRead,
  kMmap,
  kMunmap,
  kLoad,
  kStore,
  kMsync,
  kBackingOpen,
  kBackingClose,
  kTruncate,
  kFallocate,
  kFsync,
  kStat,
  kReadahead,
  kSyncRange,
  kSetFlags,
};
inline constexpr int kStressKinds = static_cast<int>(StressKind::kSetFlags) + 1;

// "open", "close", ...
const char* StressKindName(StressKind kind);

// How many of each thing the threads share. Files of inode i are those with slot % inodes == i.
struct StressObjects {
  int inodes = 2;
  int slots = 8;      // for open files
  int processes = 2;  // each with NativeProcess::kMaps mappings
  int backings = 2;
  // So many percent of the opens are for parallel direct writes, and the others as they come. With
  // many of them, and a slow server, cached openers find writes in flight.
  uint32_t parallel_percent = 20;
};

struct StressOp {
  StressKind kind;
  int slot;
  int process;
  int map;
  int backing;
  int64_t offset;
  int64_t length;
  uint32_t open_flags;   // open: OpenFlag; set flags: OPEN_DIRECT or 0
  uint16_t reply_flags;  // open: FopenFlag
  bool shared;           // mmap
  bool may_write;        // mmap
};

// No operation but an append ends beyond this, and an append writes one byte.
inline constexpr int64_t kStressFileEnd = 24 * 4096;

class StressSequence {
 public:
  StressSequence(uint64_t seed, int thread, const StressObjects& objects);
  StressOp Next();

 private:
  void DrawOpen(StressOp& op);

  Random random_;
  const StressObjects objects_;
};

// "write slot 3 offset 4096 length 100"
std::string PrintStressOp(const StressOp& op);

}  // namespace iomode

#endif  // PROPS_STRESS_OPS_H_
