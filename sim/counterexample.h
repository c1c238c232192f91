// SPDX-License-Identifier: GPL-2.0-only
//
// Which stories there are to tell of a script: for each thing that fails it, the shortest schedule
// that shows it. Stateless.

#ifndef SIM_COUNTEREXAMPLE_H_
#define SIM_COUNTEREXAMPLE_H_

#include <string>
#include <vector>

#include "sim/shortest_schedule.h"
#include "sim/verdict.h"

namespace iomode {

struct StoryGoal {
  std::string what;  // "finding lost-wakeup", "not always P0.1 == 4096"
  RunTest reached;
};

// What fails the script and can be shown by one run: findings that it does not expect, and `never`
// and `always` that do not hold. An `exists` that fails has no run to show.
std::vector<StoryGoal> FailureGoals(const Script& script, const Verdict& verdict);

// The same; else a finding that the script expects; else its end.
StoryGoal DefaultGoal(const Script& script, const Verdict& verdict);

// The shortest schedule from the start of the script; its results are claims that the run meets.
FoundSchedule FindShortestRun(const Script& script, const Revision& revision,
                              const ScheduleSearch& search);

}  // namespace iomode

#endif  // SIM_COUNTEREXAMPLE_H_
