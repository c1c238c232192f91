// SPDX-License-Identifier: GPL-2.0-only
//
// Watches over long work: bounds on its time and memory, interruption, and who is told how far it
// is. The work asks Stop() every few hundred steps; once that is true it stays true, and whatever
// is still to be done is left undone.
//
// Used by one thread; Interrupt() by signal handlers.

#ifndef SIM_WATCH_H_
#define SIM_WATCH_H_

#include <cstdint>
#include <functional>
#include <string>

namespace iomode {

// How far the work is.
struct Progress {
  uint64_t states = 0;    // visited
  uint64_t frontier = 0;  // of these, how many have successors that were not looked at
  double known = 0;       // estimate of the part of all states that is visited, 0 to 1; 0: none
};

class Watch {
 public:
  struct Limits {
    uint64_t memory = 0;  // bytes that the process has resident; 0: no bound
    double seconds = 0;   // from the construction of the Watch; 0: no bound
  };
  // What a watcher is shown once a second, from the first second on.
  struct Report {
    Progress progress;
    double seconds;   // since the construction of the Watch
    double rate;      // states a second, over the last second
    uint64_t memory;  // bytes resident
  };

  explicit Watch(const Limits& limits, std::function<void(const Report&)> show = nullptr);

  // Whether Stop() would show a report now, so that its estimate is worth making.
  bool Due() const { return show_ && Seconds() >= shown_at_ + 1; }
  // Whether the work has to end now.
  bool Stop(const Progress& progress);
  bool stopped() const { return !reason_.empty(); }
  // Why it had to: "interrupted", "bound of 60 s", "bound of 512 MiB"; "" when it had not.
  const std::string& reason() const { return reason_; }

  // Ends the work of all Watches of the process. Async-signal-safe.
  static void Interrupt();

 private:
  double Seconds() const;
  void Show(const Progress& progress, double now);

  const Limits limits_;
  const std::function<void(const Report&)> show_;
  const double begin_;  // seconds
  std::string reason_;
  double shown_at_ = 0;  // seconds
  uint64_t shown_states_ = 0;
};

// Bytes that the process has resident now.
uint64_t ResidentMemory();

// "512 MiB", "4 GiB", "12345 bytes" where it is no whole number of KiB.
std::string PrintBytes(uint64_t bytes);

}  // namespace iomode

#endif  // SIM_WATCH_H_
