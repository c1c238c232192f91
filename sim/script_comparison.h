// SPDX-License-Identifier: GPL-2.0-only
//
// Do two kernels do the same with a script? Runs it at both revisions, in every interleaving, and
// says where they differ: in outcomes, in findings, and in the state after each step.

#ifndef SIM_SCRIPT_COMPARISON_H_
#define SIM_SCRIPT_COMPARISON_H_

#include <cstdint>
#include <string>
#include <vector>

#include "model/revision.h"
#include "sim/script.h"
#include "sim/watch.h"

namespace iomode {

struct ScriptComparison {
  // One line a difference: a step's or program's outcome, the state after a step, a finding, that
  // one side alone has. Empty: they agree on everything explored.
  std::vector<std::string> differences;
  uint64_t outcomes = 0;      // of all steps, or of the threads
  uint64_t rest_states = 0;   // after steps, compared by their --state lines
  uint64_t left_states = 0;   // explored
  uint64_t right_states = 0;  // ...
  bool complete = true;       // false: a side reached a bound, and nothing was compared
};

// Results that a sequential script claims narrow both sides alike. Findings are compared without
// the function's name: what is a function of its own in one kernel is part of its caller in
// another. `watch` may end it; may be null.
ScriptComparison CompareScript(const Script& script, const Revision& left, const Revision& right,
                               uint64_t max_states, Watch* watch = nullptr);

}  // namespace iomode

#endif  // SIM_SCRIPT_COMPARISON_H_
