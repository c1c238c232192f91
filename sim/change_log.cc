// SPDX-License-Identifier: GPL-2.0-only

#include "sim/change_log.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

namespace iomode {
namespace {

// Blocks of the shared part are compared four at a time first.
constexpr size_t kCoarseBytes = 256;

using Words = uint64_t __attribute__((vector_size(16), aligned(16)));

// Whether `bytes` at a and b, both aligned to 16, are the same.
template <size_t bytes>
NO_SANITIZE_MEMORY_ACCESS inline bool Same(const uint8_t* a, const uint8_t* b) {
  const auto* x = reinterpret_cast<const Words*>(a);
  const auto* y = reinterpret_cast<const Words*>(b);
  Words differ = {};
#pragma GCC unroll 16
  for (size_t i = 0; i < bytes / sizeof(Words); i++) differ |= x[i] ^ y[i];
  return (differ[0] | differ[1]) == 0;
}

}  // namespace

ChangeLog::~ChangeLog() {
  if (copy_ != nullptr) munmap(copy_, copy_bytes_);
}

void ChangeLog::Begin() {
  if (copy_ == nullptr) MapCopy();
  changes_ = 0;
  // From the state that was noted last, or from nothing, to the one that the arena is in.
  std::vector<const uint8_t*> stacks;
  for (int slot = 0; slot < scheduler_.task_count(); slot++) stacks.push_back(StackInCopy(slot));
  MakeRoom();
  NoteShared();
  for (int slot = 0; slot < scheduler_.task_count(); slot++) {
    NoteStack(slot, stacks[slot]);
    changes_ = 0;
  }
}

// For all that one Note() can add: each lane of the shared part, and of one stack.
void ChangeLog::MakeRoom() {
  const size_t most = scheduler_.shared_used() / sizeof(Lane) +
                      scheduler_.stack_size() / sizeof(Lane) + kCoarseBytes / sizeof(Lane);
  if (room_ - changes_ >= most) return;
  room_ = 2 * room_ + most;
  auto larger = std::make_unique_for_overwrite<Change[]>(room_);
  std::copy(log_.get(), log_.get() + changes_, larger.get());
  log_ = std::move(larger);
}

void ChangeLog::MapCopy() {
  copy_bytes_ = scheduler_.arena_bytes();
  void* copy = mmap(nullptr, copy_bytes_, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (copy == MAP_FAILED) {
    std::fprintf(stderr, "change log: no memory for the copy of the arena\n");
    std::abort();
  }
  copy_ = static_cast<uint8_t*>(copy);
}

const uint8_t* ChangeLog::StackInCopy(int slot) const {
  const size_t task = reinterpret_cast<uint8_t*>(&scheduler_.task(slot)) - scheduler_.shared();
  Task before;
  std::memcpy(&before, copy_ + task, sizeof(before));
  const bool had_stack = before.pending != Pending::kFree && before.pending != Pending::kDone;
  return had_stack ? static_cast<const uint8_t*>(before.sp) : scheduler_.stack_top(slot);
}

NO_SANITIZE_MEMORY_ACCESS inline void ChangeLog::Set(size_t lane) {
  const Lane now = *reinterpret_cast<const Lane*>(at(lane));
  Lane& before = reinterpret_cast<Lane*>(copy_)[lane];
  if (((now.words[0] ^ before.words[0]) | (now.words[1] ^ before.words[1])) == 0) return;
  Add(lane, before);
  key_ -= HashLane(lane, before.words[0], before.words[1]);
  key_ += HashLane(lane, now.words[0], now.words[1]);
  before = now;
}

NO_SANITIZE_MEMORY_ACCESS inline void ChangeLog::SetBlock(size_t lane) {
  for (size_t i = 0; i < kBlockLanes; i++) Set(lane + i);
}

// The lane is below its stack's pointer now and may become anything, so that going back has to
// write it even where it was zero.
inline void ChangeLog::Drop(size_t lane) {
  Lane& before = reinterpret_cast<Lane*>(copy_)[lane];
  Add(lane, before);
  key_ -= HashLane(lane, before.words[0], before.words[1]);
  before = {};
}

NO_SANITIZE_MEMORY_ACCESS void ChangeLog::NoteShared() {
  const size_t used = scheduler_.shared_used();
  const uint8_t* shared = scheduler_.shared();
  for (size_t coarse = 0; coarse < used; coarse += kCoarseBytes) {
    if (Same<kCoarseBytes>(shared + coarse, copy_ + coarse)) continue;
    for (size_t block = coarse; block < coarse + kCoarseBytes; block += kBlockBytes) {
      if (!Same<kBlockBytes>(shared + block, copy_ + block)) SetBlock(block / sizeof(Lane));
    }
  }
}

// The lanes between the lower of the two stack pointers, which are aligned to lanes, and the top.
NO_SANITIZE_MEMORY_ACCESS void ChangeLog::NoteStack(int slot, const uint8_t* sp_before) {
  const auto lane_of = [this](const uint8_t* address) {
    return static_cast<size_t>(address - scheduler_.shared()) / sizeof(Lane);
  };
  const size_t end = lane_of(scheduler_.stack_top(slot));
  const size_t live = scheduler_.live(slot) ? lane_of(scheduler_.stack_begin(slot)) : end;
  for (size_t lane = lane_of(sp_before); lane < live; lane++) Drop(lane);
  size_t lane = live;
  for (; lane % kBlockLanes != 0 && lane < end; lane++) Set(lane);
  for (; lane < end; lane += kBlockLanes) {  // a stack's top is aligned to pages
    if (!Same<kBlockBytes>(at(lane), copy_ + lane * sizeof(Lane))) SetBlock(lane);
  }
}

void ChangeLog::Note(int slot) {
  MakeRoom();
  if (slot < 0) return NoteShared();
  const uint8_t* const sp_before = StackInCopy(slot);
  NoteShared();
  NoteStack(slot, sp_before);
}

NO_SANITIZE_MEMORY_ACCESS void ChangeLog::Undo(const Mark& mark) {
  for (size_t i = changes_; i > mark.changes; i--) {
    const Change& change = log_[i - 1];
    reinterpret_cast<Lane*>(copy_)[change.lane] = change.before;
    *reinterpret_cast<Lane*>(at(change.lane)) = change.before;
  }
  key_ = mark.key;
  changes_ = mark.changes;
}

}  // namespace iomode
