// SPDX-License-Identifier: GPL-2.0-only

#include "props/stress_watchdog.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

namespace iomode {

File<StressWorld>* StressMachine::Get(int i) {
  Slot& slot = slots_[i];
  const std::lock_guard<std::mutex> lock(slot.mutex);
  if (slot.file != nullptr) W::refcount_inc(slot.file->f_count);
  return slot.file;
}

File<StressWorld>* StressMachine::Exchange(int i, File<W>* file) {
  Slot& slot = slots_[i];
  const std::lock_guard<std::mutex> lock(slot.mutex);
  return std::exchange(slot.file, file);
}

File<StressWorld>* StressMachine::TakePassthrough(int i) {
  Slot& slot = slots_[i];
  const std::lock_guard<std::mutex> lock(slot.mutex);
  if (slot.file == nullptr || !(slot.file->private_data->open_flags & FOPEN_PASSTHROUGH))
    return nullptr;
  return std::exchange(slot.file, nullptr);
}

StressWatchdog::StressWatchdog(StressMachine& machine, const StressOptions& options,
                               const std::deque<StressThread>& threads)
    : machine_(machine), options_(options), threads_(threads), seen_(threads.size()) {}

int64_t StressWatchdog::Progress() const {
  int64_t sum = 0;
  for (const StressThread& thread : threads_) sum += thread.operation + thread.finished;
  return sum;
}

void StressWatchdog::RunUntilFinished() {
  using Clock = std::chrono::steady_clock;
  constexpr auto kRound = std::chrono::milliseconds(5);
  int64_t progress = -1;
  Clock::time_point since = Clock::now();
  const auto finished = [](const StressThread& thread) { return thread.finished.load(); };
  while (!std::all_of(threads_.begin(), threads_.end(), finished)) {
    std::this_thread::sleep_for(kRound);
    if (options_.frees_known_sleepers && !options_.revision->rules.attach_wakes_waiters)
      FreeKnownSleepers();
    const int64_t now = Progress();
    if (now != progress) {
      progress = now;
      since = Clock::now();
    } else if (Clock::now() - since > options_.stall_limit) {
      std::fprintf(stderr, "No operation ended for %d seconds (%s).\n%s",
                   static_cast<int>(options_.stall_limit.count()),
                   PrintStressOptions(options_).c_str(), Dump().c_str());
      // The sleepers cannot be joined.
      std::_Exit(3);
    }
  }
}

// Finds cached openers whose condition has come while they sleep on: a backing is attached. Closes
// the passthrough files of their inode, and lets no new ones in until the sleepers are awake. Wakes
// them where that is not enough: a thread may hold such a file while it waits for the mmap_lock of
// a mmap that sleeps.
void StressWatchdog::FreeKnownSleepers() {
  constexpr int kPatience = 4;
  constexpr int kLastResort = 200;
  std::vector<bool> sleeper_on(machine_.kernel.inodes(), false);
  for (size_t t = 0; t < threads_.size(); t++) {
    const StressThread& thread = threads_[t];
    const uint64_t sleeps = thread.sleeps;
    const void* on = thread.sleeps_on;
    for (int i = 0; i < machine_.kernel.inodes(); i++) {
      FuseInode<StressWorld>& fi = machine_.kernel.inode(i);
      if (on != &fi.direct_io_waitq) continue;
      Seen& seen = seen_[t];
      seen.rounds = seen.sleeps == sleeps ? seen.rounds + 1 : 0;
      seen.sleeps = sleeps;
      if (seen.rounds < kPatience || fi.fb.value == nullptr) continue;
      if (seen.rounds == kPatience) lost_wakeups_++;
      if (seen.rounds == kLastResort) StressWorld::wake_up(fi.direct_io_waitq);
      sleeper_on[i] = true;
    }
  }
  for (int i = 0; i < machine_.kernel.inodes(); i++) machine_.no_passthrough[i] = sleeper_on[i];
  for (int slot = 0; slot < machine_.slots(); slot++) {
    if (!sleeper_on[machine_.InodeOf(slot)]) continue;
    File<StressWorld>* file = machine_.TakePassthrough(slot);
    if (file != nullptr) vfs_close(machine_.kernel.conn(), file);
  }
}

std::string StressWatchdog::Dump() {
  std::string text;
  for (int i = 0; i < machine_.kernel.inodes(); i++)
    absl::StrAppend(&text, machine_.kernel.Describe(i), "\n");
  for (size_t t = 0; t < threads_.size(); t++) {
    const StressThread& thread = threads_[t];
    absl::StrAppend(&text, "thread ", t, ": ");
    if (thread.finished) {
      absl::StrAppend(&text, "finished\n");
      continue;
    }
    const int64_t number = thread.operation;
    StressSequence sequence(options_.seed, static_cast<int>(t), options_.objects);
    StressOp op = sequence.Next();
    for (int64_t i = 0; i < number && i + 1 < options_.operations; i++) op = sequence.Next();
    absl::StrAppend(&text, "operation ", number + 1, " (", PrintStressOp(op), ") in ",
                    thread.function.load());
    const char* in = thread.sleeps_in;
    if (in != nullptr) {
      const std::string on = machine_.kernel.NameOf(thread.sleeps_on);
      absl::StrAppend(&text, ", asleep in ", in, on.empty() ? "" : " on " + on);
    }
    absl::StrAppend(&text, "\n");
  }
  return text;
}

}  // namespace iomode
