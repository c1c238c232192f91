// SPDX-License-Identifier: GPL-2.0-only
//
// The machine of a stress run as all its threads see it, and the watchdog that looks after
// sleepers.

#ifndef PROPS_STRESS_WATCHDOG_H_
#define PROPS_STRESS_WATCHDOG_H_

#include <atomic>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "props/stress_probe.h"
#include "props/stress_run.h"

namespace iomode {

// The kernel, and the tables of open files and processes. Any thread.
struct StressMachine {
  using W = StressWorld;

  StressMachine(const Rules& rules, const NativeOptions& options, const StressObjects& objects)
      : kernel(rules, options),
        processes(objects.processes),
        no_passthrough(objects.inodes),
        slots_(objects.slots) {}

  int slots() const { return static_cast<int>(slots_.size()); }
  int InodeOf(int slot) const { return slot % static_cast<int>(no_passthrough.size()); }
  // The file with one more reference, or nullptr.
  File<W>* Get(int slot);
  // Puts a file or nullptr into the slot; what was there, with its reference.
  File<W>* Exchange(int slot, File<W>* file);
  // Takes out the slot's file if it is open for passthrough, else nullptr.
  File<W>* TakePassthrough(int slot);

  NativeKernel<W> kernel;
  std::vector<NativeProcess<W>> processes;
  std::vector<std::atomic<bool>> no_passthrough;  // by inode: new opens are not for passthrough

 private:
  struct Slot {
    std::mutex mutex;
    File<W>* file = nullptr;
  };
  std::vector<Slot> slots_;
};

class StressWatchdog {
 public:
  // All outlive the watchdog.
  StressWatchdog(StressMachine& machine, const StressOptions& options,
                 const std::deque<StressThread>& threads);

  // Returns when all threads have finished. Exits with 3, after a dump to stderr, when they are
  // stuck.
  void RunUntilFinished();

  int64_t lost_wakeups() const { return lost_wakeups_; }
  // A line a thread and an inode: who does what, and sleeps on what.
  std::string Dump();

 private:
  struct Seen {
    uint64_t sleeps = 0;
    int rounds = 0;  // how many rounds in a row it was found in the same sleep
  };

  void FreeKnownSleepers();
  int64_t Progress() const;

  StressMachine& machine_;
  const StressOptions& options_;
  const std::deque<StressThread>& threads_;
  std::vector<Seen> seen_;
  int64_t lost_wakeups_ = 0;
};

}  // namespace iomode

#endif  // PROPS_STRESS_WATCHDOG_H_
