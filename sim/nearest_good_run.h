// SPDX-License-Identifier: GPL-2.0-only
//
// Why a run ends badly: the run that ends well and has most in common with it, and the step where
// the two part. Up to that step all can still be well; behind it nothing can. Stateless.

#ifndef SIM_NEAREST_GOOD_RUN_H_
#define SIM_NEAREST_GOOD_RUN_H_

#include <cstddef>
#include <cstdint>

#include "sim/shortest_schedule.h"

namespace iomode {

struct NearestGoodRun {
  bool found = false;
  bool complete = true;  // false: a bound was reached first
  size_t common = 0;     // steps that both runs share, from the start
  Schedule schedule;     // of the good run, from the start; behind the parting the shortest one
};

// `bad`: a schedule of the script whose last move has a finding, or that ends in some outcome. A
// run ends well when it comes to the end of the script without a finding of another kind than `bad`
// meets before its last move; and, if that has no finding, with another outcome than it.
// `max_states` bounds the states looked at.
NearestGoodRun FindNearestGoodRun(const Script& script, const Revision& revision,
                                  const Schedule& bad, uint64_t max_states);

}  // namespace iomode

#endif  // SIM_NEAREST_GOOD_RUN_H_
