// SPDX-License-Identifier: GPL-2.0-only
//
// Which edges of an op-level graph a kernel took when it ran a tour of it (sim/tour.h). An edge is
// taken when the results of a run cannot come about without it.
//
// Used by one thread.

#ifndef CONFORMANCE_KERNEL_EDGE_COVERAGE_H_
#define CONFORMANCE_KERNEL_EDGE_COVERAGE_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sim/graph_walk.h"
#include "sim/op_graph.h"
#include "sim/tour.h"

namespace iomode::conform {

class EdgeCoverage {
 public:
  // All three outlive this. The graph was walked to its end, and the tour is of it.
  EdgeCoverage(OpGraph& graph, const GraphReport& report, const Tour& tour);

  // Takes in a run of the tour's script of this index: what the kernel did with it, step by step.
  // From the first step on that no edge explains, a run counts for nothing.
  void Add(size_t script, const Script& recorded);

  // "2530 of 2537 edges taken on the kernel", then the others, by the reason why they are not, each
  // with the state where it starts.
  std::string Report();

  size_t taken() const { return taken_; }
  size_t edges() const { return edges_; }

 private:
  using Edge = std::pair<int, int>;  // state, and index among its edges

  enum class Seen : uint8_t { kNo, kPerhaps, kYes };

  std::vector<std::vector<Edge>> Explanations(size_t script, const Script& recorded);
  std::string WhyNot(const Edge& edge);

  OpGraph& graph_;
  const GraphReport& report_;
  const Tour& tour_;
  std::vector<std::vector<Seen>> seen_;        // by state and edge
  std::map<std::pair<int, int>, int> visits_;  // by state and operation: runs that took some end
  size_t taken_ = 0;
  size_t edges_ = 0;
};

}  // namespace iomode::conform

#endif  // CONFORMANCE_KERNEL_EDGE_COVERAGE_H_
