// SPDX-License-Identifier: GPL-2.0-only
//
// What a schedule is searched for: tests of a run that has just moved. Stateless.

#ifndef SIM_RUN_GOALS_H_
#define SIM_RUN_GOALS_H_

#include <string>

#include "sim/litmus.h"
#include "sim/shortest_schedule.h"

namespace iomode {

// The last move has a finding like this one: of its kind, and of its rule, task and function where
// they are given. The object, whose state differs from run to run, does not count.
RunTest FindsLike(Finding pattern);

// The last move has any finding.
RunTest FindsAnything();

// The run is over, with all steps run.
RunTest Ends();

// The run of a litmus script is over, and the condition `holds` or does not hold of its outcome.
RunTest EndsWith(Condition::Expr expr, bool holds = true);

// Whether `finding` is one that FindsLike(pattern) looks for.
bool IsLike(const Finding& finding, const Finding& pattern);

}  // namespace iomode

#endif  // SIM_RUN_GOALS_H_
