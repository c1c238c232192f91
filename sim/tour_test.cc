// SPDX-License-Identifier: GPL-2.0-only
//
// Tours are measured anew here: the scripts' text is parsed, held against the model as any
// recording is, and followed through a graph of its own.

#include "sim/tour.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "model/revision.h"
#include "sim/script_parser.h"
#include "sim/verdict.h"

namespace iomode {
namespace {

constexpr int kMaxSteps = 100;
constexpr int kMaxStates = 50'000;

// A walked graph and its tour.
struct Toured {
  explicit Toured(const Revision& revision, const GraphBounds& bounds = {})
      : universe(MakeUniverse(bounds)),
        graph(universe, revision),
        report(WalkGraph(graph, kMaxStates, nullptr)),
        tour(MakeTour(graph, report, kMaxSteps)) {}

  Script universe;
  OpGraph graph;
  GraphReport report;
  Tour tour;
};

// A step's words without what a path changes in them: its number, and those of a reply's targets.
std::string Words(const Script& script, const Step& step) {
  const std::string text = PrintStep(script, step);
  if (step.op != Op::kReply) return text.substr(text.find(' ') + 1);
  return absl::StrCat("reply to ", Words(script, script.steps[step.targets[0] - 1]), " of ",
                      script.files[script.steps[step.targets[0] - 1].file]);
}

// Follows scripts through a graph and notes the edges that they take.
class Follower {
 public:
  // `whole`: the scripts are of a graph that was walked to its end.
  Follower(const Script& universe, const Revision& revision, bool whole)
      : graph_(universe, revision) {
    if (whole) WalkGraph(graph_, kMaxStates, nullptr);
    for (size_t op = 0; op < universe.steps.size(); op++)
      ops_[Words(universe, universe.steps[op])] = static_cast<int>(op);
  }

  void Follow(const Script& script) {
    std::map<int, int> op_of;  // step number -> the operation
    std::set<int> states = {0};
    for (const Step& step : script.steps) {
      const auto op = ops_.find(Words(script, step));
      ASSERT_NE(op, ops_.end()) << Words(script, step);
      op_of[step.number] = op->second;
      std::set<int> next;
      for (const int state : states) {
        const std::vector<OpGraph::Edge> edges = graph_.Expand(state);
        for (size_t i = 0; i < edges.size(); i++) {
          if (edges[i].op != op->second || !Allows(step, Renumbered(edges[i], op_of))) continue;
          next.insert(edges[i].to);
          // One of several that are possible is not taken for certain.
          if (states.size() == 1) (Alone(edges, i) ? taken_ : raced_).insert({state, i});
        }
      }
      ASSERT_FALSE(next.empty()) << "step " << step.number << " of\n" << PrintScript(script);
      states = next;
    }
  }

  const std::set<std::pair<int, size_t>>& taken() const { return taken_; }
  const std::set<std::pair<int, size_t>>& raced() const { return raced_; }

 private:
  static bool Alone(const std::vector<OpGraph::Edge>& edges, size_t i) {
    return (i == 0 || edges[i - 1].op != edges[i].op) &&
           (i + 1 == edges.size() || edges[i + 1].op != edges[i].op);
  }

  // The edge's outcome with the completed steps' numbers in the script.
  static StepOutcome Renumbered(const OpGraph::Edge& edge, const std::map<int, int>& op_of) {
    StepOutcome outcome = {edge.outcome.own, {}};
    for (const auto& [done, result] : edge.outcome.completions) {
      for (const auto& [number, op] : op_of) {
        if (op == done - 1) outcome.completions.insert_or_assign(number, result);
      }
    }
    // The latest step of an operation is the one under way.
    std::map<int, int> latest;
    for (const auto& [number, op] : op_of) latest[op] = number;
    std::erase_if(outcome.completions, [&](const auto& completion) {
      return latest[op_of.at(completion.first)] != completion.first;
    });
    return outcome;
  }

  OpGraph graph_;
  std::map<std::string, int> ops_;
  std::set<std::pair<int, size_t>> taken_;
  std::set<std::pair<int, size_t>> raced_;
};

// The scripts as a file would give them.
std::vector<Script> Reread(const Tour& tour) {
  std::vector<Script> scripts;
  for (size_t i = 0; i < tour.scripts.size(); i++) {
    absl::StatusOr<Script> script =
        ParseScript(absl::StrCat("tour-", i + 1), PrintScript(tour.scripts[i]));
    EXPECT_TRUE(script.ok()) << script.status().message();
    if (script.ok()) scripts.push_back(*std::move(script));
  }
  return scripts;
}

class TourTest : public testing::TestWithParam<const char*> {
 protected:
  const Revision& revision() const { return *FindRevision(GetParam()); }
  Toured& toured() const {
    static std::map<std::string, std::unique_ptr<Toured>> made;
    std::unique_ptr<Toured>& here = made[GetParam()];
    if (here == nullptr) here = std::make_unique<Toured>(revision());
    return *here;
  }
};

TEST_P(TourTest, EveryScriptHoldsAsARecording) {
  for (const Script& script : Reread(toured().tour)) {
    const Verdict verdict = CheckScript(script, revision(), {.max_states = 1'000'000});
    EXPECT_TRUE(verdict.recording) << script.name;
    EXPECT_EQ(verdict.status, Verdict::Status::kHolds)
        << absl::StrJoin(verdict.problems, "\n") << "\n"
        << PrintScript(script);
    EXPECT_LE(script.steps.size(), size_t{kMaxSteps});
  }
}

TEST_P(TourTest, EveryEdgeIsTakenOrNamed) {
  ASSERT_TRUE(toured().report.complete);
  Follower follower(toured().universe, revision(), true);
  for (const Script& script : Reread(toured().tour)) follower.Follow(script);
  EXPECT_EQ(follower.taken().size(), toured().tour.forced);
  EXPECT_EQ(follower.raced().size(), toured().tour.raced);
  EXPECT_EQ(toured().tour.forced + toured().tour.raced + toured().tour.behind,
            toured().report.edges);
  EXPECT_EQ(toured().tour.edges, toured().report.edges);
}

TEST_P(TourTest, IsMuchSmallerThanAScriptAnEdge) {
  EXPECT_LT(toured().tour.scripts.size() * 5, toured().tour.naive_scripts);
  EXPECT_LT(toured().tour.steps * 2, toured().tour.naive_steps);
}

INSTANTIATE_TEST_SUITE_P(Revisions, TourTest, testing::Values("cb098dd24b", "v6.9", "v7.3"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

TEST(TourOfTheNewestRevisionTest, NothingRaces) {
  const Toured toured(NewestRevision());
  EXPECT_EQ(toured.tour.forced, toured.report.edges);
  EXPECT_TRUE(toured.tour.races.empty());
}

TEST(TourOfTheNewestRevisionTest, IsTheSameEachTime) {
  const Toured first(NewestRevision()), second(NewestRevision());
  ASSERT_EQ(first.tour.scripts.size(), second.tour.scripts.size());
  for (size_t i = 0; i < first.tour.scripts.size(); i++)
    EXPECT_EQ(PrintScript(first.tour.scripts[i]), PrintScript(second.tour.scripts[i]));
}

TEST(TourOfTheNewestRevisionTest, OfAPartTakesThatPart) {
  const Script universe = MakeUniverse({});
  OpGraph graph(universe, NewestRevision());
  const GraphReport report = WalkGraph(graph, 50, nullptr);
  ASSERT_FALSE(report.complete);
  const Tour tour = MakeTour(graph, report, kMaxSteps);
  Follower follower(universe, NewestRevision(), false);
  for (const Script& script : Reread(tour)) follower.Follow(script);
  EXPECT_EQ(follower.taken().size(), report.edges);
}

}  // namespace
}  // namespace iomode
