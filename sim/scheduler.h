// SPDX-License-Identifier: GPL-2.0-only
//
// Tasks as fibers under a deterministic scheduler, with the whole machine in one arena, so that a
// state can be saved, restored and compared byte by byte.
//
//   arena:  | shared part: kernel objects, server, Task[]  | stack 0 | stack 1 | ...
//
// A task runs until its next scheduling point. It stops there *before* the visible operation that
// the point announces; resuming it performs the operation and goes on to the next point. Whoever
// drives the scheduler (the explorer, a replay, a random walk) decides who is resumed.
//
// Identity of a state: the bytes of the shared part and, for each live task, the bytes of its stack
// from the saved stack pointer up, each at its place. That is the machine's whole memory, so equal
// bytes mean equal futures. Frames that have returned lie below the stack pointer and do not count.
//
// Invariants: one scheduler per arena, and all of it is used by one thread. Objects of the shared
// part are trivially copyable and hold pointers into the arena only, or to constants of the
// program.

#ifndef SIM_SCHEDULER_H_
#define SIM_SCHEDULER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "sim/hash.h"

namespace iomode {

// What a task does next when it is resumed.
enum class Pending : uint8_t {
  kFree,    // the slot holds no task
  kRun,     // performs a visible operation, always possible
  kLock,    // takes the spin lock `object`; possible when the lock is free
  kChoose,  // picks one of `choices` values
  kSleep,   // asleep until another task wakes it
  kDone,    // finished; the slot can be reaped
};

// One task. Lives in the arena's shared part. Lanes of 16 bytes: two that only the task itself and
// the driver use, and one that others change to wake it.
struct alignas(16) Task {
  void* sp = nullptr;              // saved stack pointer (a Boost fcontext_t)
  const void* object = nullptr;    // what the pending operation is about
  const char* function = nullptr;  // innermost kernel function, for findings and stories
  uint32_t user = 0;               // the owner's: which step or thread this task carries out
  uint8_t choices = 0;             // kChoose: how many
  uint8_t choice = 0;              // what was picked
  uint8_t locks = 0;               // spin locks held
  bool fresh = false;  // resumed by a lock, a wakeup or its start, and nothing visible done since

  Pending pending = Pending::kFree;
  bool wakeup = false;    // woken before it went to sleep
  uint8_t next = 0;       // FIFO link of the queue that the task waits in: slot + 1
  uint8_t want = 0;       // what it waits for there; the World's
  bool killable = false;  // asleep, and woken by a kill of its process
  uint8_t item = 0;       // the owner's: which items of pools it takes first
  uint8_t unused[10] = {};
};

// What the running task accessed since its last scheduling point: variables that others may access
// too, by address. Accesses to what only one task can reach, or what two tasks may change in either
// order with the same bytes as the result, are left out.
class Footprint {
 public:
  struct Access {
    const void* object;
    bool write;
  };

  void Clear() {
    count_ = 0;
    hash_ = 0;
  }
  void Add(const void* object, bool write) {
    hash_ = (hash_ ^ (reinterpret_cast<uintptr_t>(object) * 2 + write)) * 0x9e3779b97f4a7c15u;
    hash_ ^= hash_ >> 29;
    if (count_ < kMax) accesses_[count_] = {object, write};
    count_++;
  }

  // Of the accesses in their order.
  uint64_t hash() const { return hash_; }
  // False: there were more than could be kept.
  bool complete() const { return count_ <= kMax; }
  const Access* begin() const { return accesses_; }
  const Access* end() const { return accesses_ + (complete() ? count_ : kMax); }

 private:
  static constexpr int kMax = 128;
  Access accesses_[kMax];
  int count_ = 0;
  uint64_t hash_ = 0;
};

class Scheduler {
 public:
  // A task's body; `user` is Task::user.
  using Body = void (*)(void* context, uint32_t user);

  // `shared_bytes`: capacity of the shared part; `tasks`: how many can be alive at a time.
  Scheduler(size_t shared_bytes, int tasks);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // The scheduler whose task is running now, on this thread.
  static Scheduler* current() { return current_; }

  // --- Set-up ---

  // Takes zeroed memory from the shared part, for good, that shares no lane with anything else. T
  // is trivially copyable.
  template <class T>
  T* Allocate(size_t count = 1) {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);
    return static_cast<T*>(AllocateBytes(sizeof(T) * count, std::max(size_t{16}, alignof(T))));
  }

  // Makes a task that will run body(context, user). It stands before its first operation. Returns
  // its slot.
  int Spawn(Body body, void* context, uint32_t user, int slot = -1);

  // --- Driving ---

  int task_count() const { return task_count_; }
  Task& task(int slot) { return tasks_[slot]; }
  const Task& task(int slot) const { return tasks_[slot]; }
  int SlotOf(const Task* task) const { return static_cast<int>(task - tasks_); }

  // Whether resuming `slot` would do something now.
  bool Enabled(int slot) const {
    const Task& t = tasks_[slot];
    switch (t.pending) {
      case Pending::kRun:
      case Pending::kChoose:
        return true;
      case Pending::kLock:
        return *static_cast<const uint8_t*>(t.object) == 0;
      default:
        return false;
    }
  }

  // Resumes a task until its next scheduling point. `choice` counts for kChoose only.
  void Resume(int slot, int choice = 0);

  // What was accessed since the last Resume() began.
  const Footprint& footprint() const { return footprint_; }

  // Frees the slot of a finished task.
  void Reap(int slot);

  // --- For the World, from within a task ---

  Task& self() { return *running_; }
  bool in_task() const { return running_ != nullptr; }

  // A scheduling point before a visible operation on `object`.
  void Point(const void* object, bool write = true) {
    if (running_->fresh) {
      running_->fresh = false;
      running_->object = object;
    } else {
      Suspend(Pending::kRun, object);
    }
    Touch(object, write);
  }
  // The operation under way accesses `object`, too.
  void Touch(const void* object, bool write = true) { footprint_.Add(object, write); }
  // Leaves the processor until resumed, having announced what comes next.
  void Suspend(Pending pending, const void* object);

  // --- States ---

  // The state's identity: the sum of HashLane over the shared part and the live stacks. A search
  // keeps it up to date with a ChangeLog instead.
  Hash128 Key() const;
  // What the stack of the task in `slot`, which is alive, contributes.
  Hash128 StackKey(int slot) const;

  uint8_t* shared() { return arena_; }
  const uint8_t* shared() const { return arena_; }
  size_t shared_used() const { return used_; }
  // Shared part and stacks.
  size_t arena_bytes() const { return arena_bytes_; }
  size_t stack_size() const { return kStackBytes; }
  const uint8_t* stack_top(int slot) const { return StackTop(slot); }
  // The live part of a task's stack.
  const uint8_t* stack_begin(int slot) const {
    return static_cast<const uint8_t*>(tasks_[slot].sp);
  }
  size_t stack_bytes(int slot) const {
    return StackTop(slot) - static_cast<uint8_t*>(tasks_[slot].sp);
  }
  // The unused rest of a task's stack, which lies below.
  size_t stack_left(int slot) const { return kStackBytes - stack_bytes(slot); }
  // Zeroes the live part of a task's stack and what call chains may have left below it, for a state
  // that is put into the arena: a task's next frames are to find the same there each time.
  void ClearStack(int slot);
  // Makes [begin, begin + bytes) of the arena writable to memcpy under the sanitizers.
  void Unpoison(const void* begin, size_t bytes) const;
  bool live(int slot) const {
    return tasks_[slot].pending != Pending::kFree && tasks_[slot].pending != Pending::kDone;
  }

 private:
  friend struct FiberEntry;
  uint8_t* StackTop(int slot) const { return stacks_ + (slot + 1) * kStackBytes; }
  void* AllocateBytes(size_t bytes, size_t align);
  void ScrubBelow(void* sp);

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  static constexpr size_t kStackBytes = 256 << 10;
#else
  static constexpr size_t kStackBytes = 32 << 10;
#endif

  // What a transition may use of the stack: frames are larger without optimisation.
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__)
  static constexpr size_t kScrubBytes = 4096;
#else
  static constexpr size_t kScrubBytes = 8192;
#endif

  static thread_local Scheduler* current_;

  uint8_t* arena_ = nullptr;
  size_t arena_bytes_ = 0;
  size_t shared_capacity_ = 0;
  size_t used_ = 0;
  uint8_t* stacks_ = nullptr;
  int task_count_ = 0;
  Task* tasks_ = nullptr;  // in the arena
  Task* running_ = nullptr;
  Footprint footprint_;
  void* driver_sp_ = nullptr;
  Body body_ = nullptr;
  void* context_ = nullptr;
  [[maybe_unused]] void* asan_fake_stack_ = nullptr;
  [[maybe_unused]] const void* driver_stack_ = nullptr;
  [[maybe_unused]] size_t driver_stack_bytes_ = 0;
};

// A saved state: shared part and live stacks. Restoring puts every byte back to where it was. Most
// of a machine is zero; what is kept are runs of lanes of 16 bytes that are not.
class Snapshot {
 public:
  void Save(const Scheduler& scheduler) { Save(scheduler, true); }
  void Restore(Scheduler& scheduler) const { Restore(scheduler, true); }
  // The shared part only, for those who know the stacks.
  void SaveShared(const Scheduler& scheduler) { Save(scheduler, false); }
  void RestoreShared(Scheduler& scheduler) const { Restore(scheduler, false); }
  size_t bytes() const { return words_.size() * sizeof(uint64_t); }

 private:
  void Save(const Scheduler& scheduler, bool stacks);
  void Restore(Scheduler& scheduler, bool stacks) const;

  // A run is a word, the number of its first lane in the arena and how many it has, and its lanes.
  std::vector<uint64_t> words_;
};

}  // namespace iomode

#endif  // SIM_SCHEDULER_H_
