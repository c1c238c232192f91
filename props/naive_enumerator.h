// SPDX-License-Identifier: GPL-2.0-only
//
// All interleavings the slow way, to hold the explorer against: no merging of states, no undo, no
// reduction. Every schedule is played from the start on a subject built anew.
//
// Used by one thread.

#ifndef PROPS_NAIVE_ENUMERATOR_H_
#define PROPS_NAIVE_ENUMERATOR_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "sim/litmus.h"
#include "sim/scheduler.h"

namespace iomode {

// Something whose tasks run on a scheduler; the same after every construction.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual Scheduler& scheduler() = 0;
  // After each resumption of a task.
  virtual void Resumed(int /*slot*/) {}
  // No task can run: starts what comes next, or returns false at the end.
  virtual bool StartMore() { return false; }
};

struct NaiveStats {
  uint64_t schedules = 0;
  bool complete = true;  // false: gave up at max_schedules
};

// Plays schedule after schedule, in lexical order, and calls at_end with the subject at the end of
// each.
NaiveStats EnumerateSchedules(const std::function<std::unique_ptr<Subject>()>& make,
                              const std::function<void(Subject&)>& at_end, uint64_t max_schedules);

// What a litmus script gives over all schedules.
struct NaiveReport {
  std::set<LitmusOutcome> outcomes;
  std::set<FindingKind> findings;
  NaiveStats stats;
};
NaiveReport EnumerateLitmus(const Script& script, const Revision& revision, uint64_t max_schedules);

}  // namespace iomode

#endif  // PROPS_NAIVE_ENUMERATOR_H_
