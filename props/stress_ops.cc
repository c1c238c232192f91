// SPDX-License-Identifier: GPL-2.0-only

#include "props/stress_ops.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "model/uapi.h"

namespace iomode {
namespace {

struct KindRow {
  StressKind kind;
  const char* name;
  int weight;
};

// In the order of StressKind.
constexpr KindRow kKinds[] = {
    {StressKind::kOpen, "open", 22},
    {StressKind::kClose, "close", 24},
    {StressKind::kRead, "read", 8},
    {StressKind::kWrite, "write", 24},
    {StressKind::kAioRead, "aio-read", 3},
    {StressKind::kAioWrite, "aio-write", 6},
    {StressKind::kAioWait, "aio-wait", 4},
    {StressKind::kSpliceRead, "splice-read", 3},
    {StressKind::kMmap, "mmap", 5},
    {StressKind::kMunmap, "munmap", 4},
    {StressKind::kLoad, "load", 4},
    {StressKind::kStore, "store", 4},
    {StressKind::kMsync, "msync", 2},
    {StressKind::kBackingOpen, "backing-open", 4},
    {StressKind::kBackingClose, "backing-close", 2},
    {StressKind::kTruncate, "truncate", 3},
    {StressKind::kFallocate, "fallocate", 2},
    {StressKind::kFsync, "fsync", 2},
    {StressKind::kStat, "stat", 2},
    {StressKind::kReadahead, "readahead", 3},
    {StressKind::kSyncRange, "sync-range", 1},
    {StressKind::kSetFlags, "set-flags", 1},
};
static_assert(std::size(kKinds) == kStressKinds);

constexpr int TotalWeight() {
  int sum = 0;
  for (const KindRow& row : kKinds) sum += row.weight;
  return sum;
}

// What servers reply to the other OPENs, and how often. The last one is refused with EIO.
struct ReplyRow {
  uint16_t flags;
  int weight;
};
constexpr ReplyRow kReplies[] = {
    {FOPEN_KEEP_CACHE, 4},
    {0, 3},
    {FOPEN_NOFLUSH, 1},
    {FOPEN_DIRECT_IO, 2},
    {FOPEN_PASSTHROUGH, 5},
    {FOPEN_PASSTHROUGH | FOPEN_DIRECT_IO | FOPEN_PARALLEL_DIRECT_WRITES, 2},
    {FOPEN_PASSTHROUGH | FOPEN_KEEP_CACHE, 1},
};

}  // namespace

const char* StressKindName(StressKind kind) { return kKinds[static_cast<int>(kind)].name; }

StressSequence::StressSequence(uint64_t seed, int thread, const StressObjects& objects)
    : random_(seed * 1000003 + static_cast<uint64_t>(thread)), objects_(objects) {}

void StressSequence::DrawOpen(StressOp& op) {
  op.open_flags = OPEN_READ | OPEN_WRITE;
  if (random_.Below(100) < objects_.parallel_percent) {
    op.reply_flags = FOPEN_DIRECT_IO | FOPEN_PARALLEL_DIRECT_WRITES;
    return;
  }
  if (random_.OneIn(12)) op.open_flags = random_.OneIn(2) ? OPEN_READ : OPEN_WRITE;
  if (random_.OneIn(8)) op.open_flags |= OPEN_DIRECT;
  if (random_.OneIn(16)) op.open_flags |= OPEN_APPEND;
  if (random_.OneIn(16)) op.open_flags |= OPEN_TRUNC;
  int total = 0;
  for (const ReplyRow& row : kReplies) total += row.weight;
  int at = static_cast<int>(random_.Below(total));
  for (const ReplyRow& row : kReplies) {
    op.reply_flags = row.flags;
    if ((at -= row.weight) < 0) break;
  }
}

StressOp StressSequence::Next() {
  StressOp op = {};
  int at = static_cast<int>(random_.Below(TotalWeight()));
  for (const KindRow& row : kKinds) {
    op.kind = row.kind;
    if ((at -= row.weight) < 0) break;
  }
  op.slot = static_cast<int>(random_.Below(objects_.slots));
  op.process = static_cast<int>(random_.Below(objects_.processes));
  op.map = static_cast<int>(random_.Below(4));
  op.backing = static_cast<int>(random_.Below(objects_.backings));
  // Mostly pages, sometimes odd bytes; the end is mostly within the file as it is at first.
  const int64_t unit = random_.OneIn(4) ? 1 : kPageSize;
  const int64_t limit = random_.OneIn(6) ? kStressFileEnd : kInitialFileSize;
  op.length = random_.OneIn(8) ? 8 * kPageSize : 1 + random_.Below(static_cast<uint32_t>(unit));
  if (unit == kPageSize && op.length < kPageSize) op.length = kPageSize;
  op.offset = random_.Below(static_cast<uint32_t>((limit - op.length) / unit + 1)) * unit;
  op.shared = !random_.OneIn(4);
  op.may_write = random_.OneIn(2);
  if (op.kind == StressKind::kOpen) DrawOpen(op);
  if (op.kind == StressKind::kSetFlags && random_.OneIn(2)) op.open_flags = OPEN_DIRECT;
  return op;
}

std::string PrintStressOp(const StressOp& op) {
  std::string text =
      absl::StrCat(StressKindName(op.kind), " slot ", op.slot, " process ", op.process, " map ",
                   op.map, " backing ", op.backing, " offset ", op.offset, " length ", op.length);
  if (op.kind == StressKind::kOpen)
    absl::StrAppendFormat(&text, " flags %#x reply %#x", op.open_flags, op.reply_flags);
  return text;
}

}  // namespace iomode
