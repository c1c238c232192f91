// SPDX-License-Identifier: GPL-2.0-only
//
// Breadth-first walk of an op-level graph: counts, and for each kind of finding a shortest script
// that shows it.

#ifndef SIM_GRAPH_WALK_H_
#define SIM_GRAPH_WALK_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "sim/findings.h"
#include "sim/op_graph.h"

namespace iomode {

struct GraphReport {
  int states = 0;  // expanded
  uint64_t edges = 0;
  bool complete = true;  // false: `max_states` was reached or `stop` said so
  std::map<FindingKind, std::vector<PathStep>> findings;  // shortest path to each kind
  std::vector<int> parent;        // by state: where it was first reached from, -1 for the first
  std::vector<PathStep> reached;  // ... and by which step
};

// Walks the graph from state 0. If it is walked to its end, equal states become one
// (EqualStates()), and the report is of that graph. `stop` is asked now and then with the states
// expanded and known so far; may be null.
GraphReport WalkGraph(OpGraph& graph, int max_states,
                      const std::function<bool(int expanded, int known)>& stop);

// The shortest path to a state that a walk reached.
std::vector<PathStep> PathTo(const GraphReport& report, int state);

}  // namespace iomode

#endif  // SIM_GRAPH_WALK_H_
