// SPDX-License-Identifier: GPL-2.0-only
//
// Which stories there are to tell of a script, for each thing that fails it the shortest schedule
// that shows it; and all there is to say of one. Stateless.

#ifndef SIM_COUNTEREXAMPLE_H_
#define SIM_COUNTEREXAMPLE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/held_sequence.h"
#include "sim/nearest_good_run.h"
#include "sim/shortest_schedule.h"
#include "sim/story.h"
#include "sim/verdict.h"

namespace iomode {

struct StoryGoal {
  std::string what;  // "finding lost-wakeup", "an outcome against always P0.1 == 4096"
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

// A story, why it ends as it does, and how to see the same on a real kernel.
struct Counterexample {
  Story story;

  // Of a story that has a finding at its end, or that is a litmus script's to the end: the run that
  // ends well, or with another outcome, and has most in common with it; and its story, when there
  // is such a run.
  std::optional<NearestGoodRun> nearest;
  std::optional<Story> good;

  // Of a litmus script's story with a finding at its end: the same as a sequence.
  std::optional<HeldSequence> sequence;
};

// All there is to say of a schedule. `max_states` bounds each of the searches.
Counterexample Explain(const Script& script, const Revision& revision, const Schedule& schedule,
                       uint64_t max_states);

}  // namespace iomode

#endif  // SIM_COUNTEREXAMPLE_H_
