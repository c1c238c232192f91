// SPDX-License-Identifier: GPL-2.0-only

#include "sim/equal_states.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "model/revision.h"
#include "sim/graph_walk.h"

namespace iomode {
namespace {

// The definition, pair by pair: all pairs that look alike are equal until one of the two can do
// what the other cannot.
class Pairs {
 public:
  explicit Pairs(OpGraph& graph) : graph_(graph), states_(graph.states()) {
    for (int a = 0; a < states_; a++) {
      equal_.emplace_back();
      for (int b = 0; b < states_; b++) equal_[a].push_back(Seen(a) == Seen(b));
    }
    while (Shrink()) {
    }
  }

  bool equal(int a, int b) const { return equal_[a][b]; }

 private:
  std::string Seen(int state) {
    const Machine& machine = graph_.Load(state);
    std::string seen;
    for (int i = 0; i < machine.inode_count(); i++) seen += machine.InodeState(i) + "\n";
    for (size_t op = 0; op < graph_.universe().steps.size(); op++)
      seen += machine.blocked(op) ? "b" : "-";
    return seen;
  }

  bool Follows(int a, int b) {
    return std::ranges::all_of(graph_.Expand(a), [&](const OpGraph::Edge& of_a) {
      return std::ranges::any_of(graph_.Expand(b), [&](const OpGraph::Edge& of_b) {
        return of_a.op == of_b.op && of_a.outcome == of_b.outcome &&
               of_a.findings == of_b.findings && equal_[of_a.to][of_b.to];
      });
    });
  }

  bool Shrink() {
    bool changed = false;
    for (int a = 0; a < states_; a++) {
      for (int b = 0; b < states_; b++) {
        if (!equal_[a][b] || (Follows(a, b) && Follows(b, a))) continue;
        equal_[a][b] = false;
        changed = true;
      }
    }
    return changed;
  }

  OpGraph& graph_;
  const int states_;
  std::vector<std::vector<bool>> equal_;
};

class EqualStatesTest : public testing::TestWithParam<const char*> {
 protected:
  EqualStatesTest()
      : universe_(MakeUniverse({.files = 2, .writes = 1, .conn = 0})),
        graph_(universe_, *FindRevision(GetParam())) {}

  void ExpandAll() {
    for (int state = 0; state < graph_.states(); state++) graph_.Expand(state);
  }

  const Script universe_;
  OpGraph graph_;
};

TEST_P(EqualStatesTest, AreThoseThatNoPairOfFuturesTellsApart) {
  ExpandAll();
  const std::vector<int> class_of = EqualStates(graph_);
  Pairs pairs(graph_);
  for (int a = 0; a < graph_.states(); a++) {
    for (int b = 0; b < graph_.states(); b++)
      ASSERT_EQ(class_of[a] == class_of[b], pairs.equal(a, b)) << a << " and " << b;
  }
}

TEST_P(EqualStatesTest, AreOneAfterAWalk) {
  ExpandAll();
  const std::vector<int> class_of = EqualStates(graph_);
  const std::set<int> classes(class_of.begin(), class_of.end());
  OpGraph walked(universe_, *FindRevision(GetParam()));
  const GraphReport report = WalkGraph(walked, 100'000, nullptr);
  ASSERT_TRUE(report.complete);
  EXPECT_EQ(report.states, static_cast<int>(classes.size()));
  const std::vector<int> again = EqualStates(walked);
  for (int state = 0; state < walked.states(); state++) EXPECT_EQ(again[state], state);
}

INSTANTIATE_TEST_SUITE_P(Revisions, EqualStatesTest, testing::Values("205c1d8026", "v6.9", "v7.3"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

}  // namespace
}  // namespace iomode
