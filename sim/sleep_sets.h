// SPDX-License-Identifier: GPL-2.0-only
//
// Sleep sets (Godefroid 1996, chapter 5): the tasks that need not be tried in a state although they
// can run, each with the transition that it would make. That transition was tried before, in a
// state from which only transitions independent of it have led here, so it leads from here to where
// the others lead from there.
//
// A stack: one set for each state on the path of a depth-first search. Without reduction no task is
// ever added, and all sets are empty. docs/design.md says why a state that is met again with a
// smaller set need not be entered again. Used by the thread that drives the scheduler.

#ifndef SIM_SLEEP_SETS_H_
#define SIM_SLEEP_SETS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/reduction.h"

namespace iomode {

class SleepSets {
 public:
  explicit SleepSets(const Reduction& reduction) : reduction_(reduction) {}

  void Clear() {
    sleepers_.clear();
    begins_.clear();
  }
  // The set of the state that a transition with these accesses led to (Reduction::Noted), from the
  // state whose set was pushed last.
  void Push(int32_t accesses) {
    const size_t begin = begins_.empty() ? 0 : begins_.back();
    const size_t end = sleepers_.size();
    begins_.push_back(end);
    for (size_t i = begin; i < end; i++) {
      if (reduction_.Independent(sleepers_[i].accesses, accesses))
        sleepers_.push_back(sleepers_[i]);
    }
  }
  void Pop() {
    sleepers_.resize(begins_.back());
    begins_.pop_back();
  }

  // Of the set pushed last: its tasks, a bit each by slot.
  uint64_t tasks() const {
    uint64_t tasks = 0;
    for (size_t i = begins_.back(); i < sleepers_.size(); i++)
      tasks |= uint64_t{1} << sleepers_[i].slot;
    return tasks;
  }
  // The task's next transition has been tried.
  void Add(int slot, int32_t accesses) {
    if (accesses >= 0) sleepers_.push_back({static_cast<int16_t>(slot), accesses});
  }

 private:
  struct Sleeper {
    int16_t slot;
    int32_t accesses;
  };

  const Reduction& reduction_;
  std::vector<Sleeper> sleepers_;
  std::vector<size_t> begins_;  // in sleepers_, of each set
};

}  // namespace iomode

#endif  // SIM_SLEEP_SETS_H_
