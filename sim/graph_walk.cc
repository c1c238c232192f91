// SPDX-License-Identifier: GPL-2.0-only

#include "sim/graph_walk.h"

#include <algorithm>

#include "sim/equal_states.h"

namespace iomode {

std::vector<PathStep> PathTo(const GraphReport& report, int state) {
  std::vector<PathStep> path;
  for (; report.parent[state] >= 0; state = report.parent[state])
    path.push_back(report.reached[state]);
  std::reverse(path.begin(), path.end());
  return path;
}

namespace {

GraphReport Walk(OpGraph& graph, int max_states, const std::function<bool(int, int)>& stop) {
  GraphReport report;
  report.parent = {-1};
  report.reached.resize(1);
  // States are numbered in the order in which they are found, which is breadth first.
  for (int state = 0; state < graph.states(); state++) {
    if (state >= max_states || (stop && stop(state, graph.states()))) {
      report.complete = false;
      break;
    }
    for (const OpGraph::Edge& edge : graph.Expand(state)) {
      report.edges++;
      if (edge.to >= static_cast<int>(report.parent.size())) {
        report.parent.resize(edge.to + 1, -1);
        report.reached.resize(edge.to + 1);
        report.parent[edge.to] = state;
        report.reached[edge.to] = {edge.op, edge.outcome};
      }
      for (int kind = 0; kind < kFindingKinds; kind++) {
        if (!(edge.findings >> kind & 1) ||
            report.findings.contains(static_cast<FindingKind>(kind)))
          continue;
        std::vector<PathStep> path = PathTo(report, state);
        path.push_back({edge.op, edge.outcome});
        report.findings.emplace(static_cast<FindingKind>(kind), std::move(path));
      }
    }
    report.states++;
  }
  return report;
}

}  // namespace

GraphReport WalkGraph(OpGraph& graph, int max_states, const std::function<bool(int, int)>& stop) {
  GraphReport report = Walk(graph, max_states, stop);
  if (!report.complete) return report;
  graph.Merge(EqualStates(graph));
  return Walk(graph, max_states, nullptr);
}

}  // namespace iomode
