// SPDX-License-Identifier: GPL-2.0-only
//
// Which states of an op-level graph are equal: those that show the same of every inode, have the
// same steps blocked, and give the same results and findings whatever is done next. That is the
// coarsest bisimulation of the graph, found by refining a partition until nothing changes
// (Kanellakis and Smolka, 1990).
//
// A state's identity in OpGraph is its memory, and memory remembers more than can ever show: a
// value left behind in a frame, who wrote a page that is never read. How much of that there is
// depends on the compiler; what is equal does not.

#ifndef SIM_EQUAL_STATES_H_
#define SIM_EQUAL_STATES_H_

#include <vector>

#include "sim/op_graph.h"

namespace iomode {

// By state of the graph, all of which are expanded: the number of its class. Classes are numbered
// in the order of their first states.
std::vector<int> EqualStates(OpGraph& graph);

}  // namespace iomode

#endif  // SIM_EQUAL_STATES_H_
