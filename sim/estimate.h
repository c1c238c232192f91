// SPDX-License-Identifier: GPL-2.0-only
//
// How far a search is: walks at random from where it began, and asks how many of the states on the
// way it has visited already.

#ifndef SIM_ESTIMATE_H_
#define SIM_ESTIMATE_H_

#include "sim/machine.h"
#include "sim/scheduler.h"
#include "sim/visited_set.h"

namespace iomode {

// The part of the states that are visited, 0 to 1, each state weighed by how often random walks
// from `root` meet it. States at the end of rare interleavings count little: where they are many,
// the estimate is too high. The same for the same arguments. Takes some milliseconds; leaves the
// machine in the state that it is in.
double EstimateKnown(Machine& machine, const Snapshot& root, const VisitedSet& visited);

}  // namespace iomode

#endif  // SIM_ESTIMATE_H_
