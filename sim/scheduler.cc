// SPDX-License-Identifier: GPL-2.0-only

#include "sim/scheduler.h"

#include <sys/mman.h>

#include <algorithm>
#include <boost/context/detail/fcontext.hpp>
#include <cstdio>
#include <cstdlib>

#if defined(__SANITIZE_ADDRESS__)
#define SIM_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SIM_ASAN 1
#endif
#endif
#ifdef SIM_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace iomode {
namespace {

using boost::context::detail::fcontext_t;
using boost::context::detail::jump_fcontext;
using boost::context::detail::make_fcontext;
using boost::context::detail::transfer_t;

// What jump_fcontext saves below its return address on x86-64; elsewhere it saves more.
constexpr size_t kSwitchBytes = 56;

// Below a stack pointer, where a call chain may have been.
constexpr size_t kLeftBehind = 8192;

[[noreturn]] void Die(const char* what) {
  std::fprintf(stderr, "scheduler: %s\n", what);
  std::abort();
}

// The lanes from `begin` to `end` of the arena that starts at `arena`.
NO_SANITIZE_MEMORY_ACCESS Hash128 HashLanes(const uint8_t* arena, const uint8_t* begin,
                                            const uint8_t* end) {
  Hash128 key;
  for (const uint8_t* at = begin; at < end; at += 16) {
    const auto* words = reinterpret_cast<const uint64_t*>(at);
    key += HashLane((at - arena) / 16, words[0], words[1]);
  }
  return key;
}

// Of the word before a run's lanes, for how many they are; the rest is the number of the first.
constexpr int kRunLanesBits = 24;

// Adds the runs between `begin` and `end`, which are aligned to lanes, of the arena.
NO_SANITIZE_MEMORY_ACCESS void AddRuns(const uint64_t* arena, const uint64_t* begin,
                                       const uint64_t* end, std::vector<uint64_t>& words) {
  size_t run = 0;  // where it is in `words`
  bool in_run = false;
  for (const uint64_t* at = begin; at < end; at += 2) {
    // Copies: push_back, which is not exempt, would read the lane itself.
    const uint64_t first = at[0], second = at[1];
    if ((first | second) == 0) {
      in_run = false;
      continue;
    }
    if (!in_run) {
      in_run = true;
      run = words.size();
      words.push_back(static_cast<uint64_t>(at - arena) / 2 << kRunLanesBits);
    }
    words[run]++;
    words.push_back(first);
    words.push_back(second);
  }
}

const uint64_t* Words(const uint8_t* bytes) { return reinterpret_cast<const uint64_t*>(bytes); }

}  // namespace

thread_local Scheduler* Scheduler::current_ = nullptr;

// The first frame of every task. ASan would keep notes of its own in the frame,
// and equal states would look different.
struct FiberEntry {
  [[noreturn]] NO_SANITIZE_MEMORY_ACCESS static void Run(transfer_t from) {
    auto* scheduler = static_cast<Scheduler*>(from.data);
    scheduler->driver_sp_ = from.fctx;
    from.fctx = nullptr;
#ifdef SIM_ASAN
    __sanitizer_finish_switch_fiber(nullptr, &scheduler->driver_stack_,
                                    &scheduler->driver_stack_bytes_);
#endif
    scheduler->Suspend(Pending::kRun, nullptr);
    scheduler->running_->fresh = true;
    scheduler->body_(scheduler->context_, scheduler->running_->user);
    scheduler->Suspend(Pending::kDone, nullptr);
    Die("a finished task was resumed");
  }
};

Scheduler::Scheduler(size_t shared_bytes, int tasks) : task_count_(tasks) {
  shared_capacity_ = (shared_bytes + sizeof(Task) * tasks + 4095) & ~size_t{4095};
  arena_bytes_ = shared_capacity_ + kStackBytes * tasks;
  void* arena = mmap(nullptr, arena_bytes_, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (arena == MAP_FAILED) Die("no memory for the arena");
  arena_ = static_cast<uint8_t*>(arena);
  stacks_ = arena_ + shared_capacity_;
  tasks_ = Allocate<Task>(tasks);
}

Scheduler::~Scheduler() {
  Unpoison(arena_, arena_bytes_);
  munmap(arena_, arena_bytes_);
}

void* Scheduler::AllocateBytes(size_t bytes, size_t align) {
  used_ = (used_ + align - 1) & ~(align - 1);
  void* result = arena_ + used_;
  used_ += bytes;
  if (used_ > shared_capacity_) Die("the arena's shared part is too small");
  return result;
}

int Scheduler::Spawn(Body body, void* context, uint32_t user, int slot) {
  if (slot < 0) {
    slot = 0;
    while (slot < task_count_ && tasks_[slot].pending != Pending::kFree) slot++;
  }
  if (slot >= task_count_ || tasks_[slot].pending != Pending::kFree) Die("no free slot for a task");
  Task& t = tasks_[slot];
  t = Task();
  t.user = user;
  Unpoison(StackTop(slot) - kStackBytes, kStackBytes);
  // What the slot's last task left would fill the holes of the first frames.
  ScrubBelow(StackTop(slot));
  body_ = body;
  context_ = context;
  t.sp = make_fcontext(StackTop(slot), kStackBytes, &FiberEntry::Run);
  // Run up to the first scheduling point, which Spawn's caller wants before the task has done
  // anything: the bodies start with one.
  t.pending = Pending::kRun;
  Resume(slot);
  return slot;
}

void Scheduler::Resume(int slot, int choice) {
  Task& t = tasks_[slot];
  footprint_.Clear();
  if (t.pending == Pending::kLock)
    *static_cast<uint8_t*>(const_cast<void*>(t.object)) = static_cast<uint8_t>(slot + 1);
  t.choice = static_cast<uint8_t>(choice);
  t.pending = Pending::kRun;
  // Going back to an earlier state brings the stack back and not what ASan noted about it.
  Unpoison(StackTop(slot) - kStackBytes, kStackBytes);
  ScrubBelow(t.sp);
  running_ = &t;
  Scheduler* outer = current_;
  current_ = this;
#ifdef SIM_ASAN
  __sanitizer_start_switch_fiber(&asan_fake_stack_, StackTop(slot) - kStackBytes, kStackBytes);
#endif
  const transfer_t back = jump_fcontext(t.sp, this);
#ifdef SIM_ASAN
  __sanitizer_finish_switch_fiber(asan_fake_stack_, nullptr, nullptr);
#endif
  current_ = outer;
  running_ = nullptr;
  t.sp = back.fctx;
  if (reinterpret_cast<uintptr_t>(t.sp) % 16 != 0) Die("a stack pointer is not aligned");
  if (t.pending == Pending::kDone) t.sp = StackTop(slot);
}

// Frames that have returned leave their bytes below the stack pointer, and new frames have holes
// that they do not write. Zeroing what is likely to be reused keeps histories that no longer matter
// out of the state's identity; what is missed only makes equal states look different.
void Scheduler::ScrubBelow(void* sp) {
  uint8_t* begin = static_cast<uint8_t*>(sp) - kScrubBytes;
  std::memset(begin, 0, kScrubBytes);
}

// Like FiberEntry::Run, the frame of every suspended task: ASan's additions are none of the state.
NO_SANITIZE_MEMORY_ACCESS void Scheduler::Suspend(Pending pending, const void* object) {
  Task& t = *running_;
  t.pending = pending;
  t.object = object;
#ifdef SIM_ASAN
  __sanitizer_start_switch_fiber(nullptr, driver_stack_, driver_stack_bytes_);
#endif
  transfer_t back = jump_fcontext(driver_sp_, nullptr);
#ifdef SIM_ASAN
  __sanitizer_finish_switch_fiber(nullptr, &driver_stack_, &driver_stack_bytes_);
#endif
  driver_sp_ = back.fctx;
  // Where the driver's stack was is none of the state.
  back.fctx = nullptr;
  // The saved registers are dead now, and frames to come have holes where they lie.
  Unpoison(t.sp, kSwitchBytes);
  std::memset(t.sp, 0, kSwitchBytes);
}

void Scheduler::Reap(int slot) { tasks_[slot] = Task(); }

Hash128 Scheduler::Key() const {
  Hash128 key = HashLanes(arena_, arena_, arena_ + used_);
  for (int slot = 0; slot < task_count_; slot++) {
    if (live(slot)) key += StackKey(slot);
  }
  return key;
}

Hash128 Scheduler::StackKey(int slot) const {
  return HashLanes(arena_, stack_begin(slot), StackTop(slot));
}

// What ran there since may have left more behind than Resume() cleans away.
void Scheduler::ClearStack(int slot) {
  const size_t left = std::min(kLeftBehind, stack_left(slot));
  auto* begin = static_cast<uint8_t*>(tasks_[slot].sp) - left;
  const size_t bytes = left + stack_bytes(slot);
  Unpoison(begin, bytes);
  std::memset(begin, 0, bytes);
}

void Scheduler::Unpoison([[maybe_unused]] const void* begin, [[maybe_unused]] size_t bytes) const {
#ifdef SIM_ASAN
  __asan_unpoison_memory_region(begin, bytes);
#endif
}

void Snapshot::Save(const Scheduler& scheduler, bool stacks) {
  thread_local std::vector<uint64_t> words;
  words.clear();
  const uint64_t* arena = Words(scheduler.shared());
  const size_t shared = (scheduler.shared_used() + 15) / 16 * 16;
  AddRuns(arena, arena, Words(scheduler.shared() + shared), words);
  for (int i = 0; stacks && i < scheduler.task_count(); i++) {
    if (scheduler.live(i))
      AddRuns(arena, Words(scheduler.stack_begin(i)), Words(scheduler.stack_top(i)), words);
  }
  words_.assign(words.begin(), words.end());
}

void Snapshot::Restore(Scheduler& scheduler, bool stacks) const {
  const auto* at = words_.data();
  const auto* const end = at + words_.size();
  // Puts the runs that lie before `limit` back.
  const auto put = [&](const uint8_t* limit) {
    while (at != end) {
      uint8_t* to = scheduler.shared() + (*at >> kRunLanesBits) * 16;
      if (to >= limit) break;
      const size_t bytes = (*at & ((uint64_t{1} << kRunLanesBits) - 1)) * 16;
      std::memcpy(to, at + 1, bytes);
      at += 1 + bytes / sizeof(uint64_t);
    }
  };
  std::memset(scheduler.shared(), 0, scheduler.shared_used());
  put(scheduler.shared() + scheduler.shared_used());
  for (int i = 0; stacks && i < scheduler.task_count(); i++) {
    if (!scheduler.live(i)) continue;
    scheduler.ClearStack(i);
    put(scheduler.stack_top(i));
  }
}

}  // namespace iomode
