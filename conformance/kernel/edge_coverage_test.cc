// SPDX-License-Identifier: GPL-2.0-only
//
// The kernel is the model here, one interleaving of it at a time.

#include "conformance/kernel/edge_coverage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "model/revision.h"
#include "sim/runner.h"

namespace iomode::conform {
namespace {

using ::testing::HasSubstr;

struct Toured {
  Toured(const char* revision, const GraphBounds& bounds)
      : revision(*FindRevision(revision)),
        universe(MakeUniverse(bounds)),
        graph(universe, this->revision),
        report(WalkGraph(graph, 50'000, nullptr)),
        tour(MakeTour(graph, report, 100, true)),
        coverage(graph, report, tour) {}

  // What the kernel does with a script; `seed` decides who is first where tasks race.
  Script Run(size_t script, uint64_t seed) const {
    Script recorded = tour.scripts[script];
    Runner runner(recorded, revision, {.narrow = false, .seed = seed});
    const RunReport run = runner.RunSteps();
    for (size_t i = 0; i < recorded.steps.size(); i++) SetResults(run.steps[i], recorded.steps[i]);
    return recorded;
  }

  const Revision& revision;
  Script universe;
  OpGraph graph;
  GraphReport report;
  Tour tour;
  EdgeCoverage coverage;
};

TEST(EdgeCoverageTest, ATourTakesEveryEdge) {
  Toured toured("v7.3", {.files = 1});
  for (size_t i = 0; i < toured.tour.scripts.size(); i++) toured.coverage.Add(i, toured.Run(i, 1));
  EXPECT_EQ(toured.coverage.taken(), toured.tour.edges);
  EXPECT_EQ(toured.coverage.Report(), absl::StrCat(toured.tour.edges, " of ", toured.tour.edges,
                                                   " edges taken on the kernel\n"));
}

TEST(EdgeCoverageTest, WhatNoRunGotToIsNamed) {
  Toured toured("v7.3", {.files = 1});
  const std::string report = toured.coverage.Report();
  EXPECT_THAT(report, HasSubstr(absl::StrCat("0 of ", toured.tour.edges, " edges taken")));
  EXPECT_THAT(report, HasSubstr(absl::StrCat(toured.tour.edges,
                                             " edges: no run got to where it starts\n")));
  EXPECT_THAT(report, HasSubstr("  backing_open B1 -> 0\n    before  A: iocachectr=0 "));
}

TEST(EdgeCoverageTest, WhatTheModelDoesNotAllowTakesNoEdge) {
  Toured toured("v7.3", {.files = 1});
  Script recorded = toured.Run(0, 1);
  ASSERT_GE(recorded.steps.size(), 3u);
  recorded.steps[1].result = {Result{Result::Kind::kErrno, EPERM}};
  toured.coverage.Add(0, recorded);
  EXPECT_EQ(toured.coverage.taken(), 1u);
}

// How often `text` has `what`.
int Count(const std::string& text, const std::string& what) {
  int count = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) count++;
  return count;
}

TEST(EdgeCoverageTest, WhatLosesARaceIsNamed) {
  Toured toured("v6.9", {});
  ASSERT_GT(toured.tour.races.size(), 0u);
  for (size_t i = 0; i < toured.tour.scripts.size(); i++) toured.coverage.Add(i, toured.Run(i, 1));
  EXPECT_LT(toured.coverage.taken(), toured.tour.edges);
  EXPECT_EQ(Count(toured.coverage.Report(), "tasks race, and each of 1 runs ended otherwise"), 1);
}

// Whoever wins a race, and whatever lies behind it: some seed shows it, but for ends of races that
// differ in nothing that is seen.
TEST(EdgeCoverageTest, SomeRunTakesEachEndOfARace) {
  Toured toured("v6.12", {});
  ASSERT_GT(toured.tour.behind, 0u);
  const size_t all = toured.tour.scripts.size();
  const size_t forced = all - 100;
  for (size_t i = 0; i < forced; i++) toured.coverage.Add(i, toured.Run(i, 1));
  for (uint64_t seed = 1; seed <= 20; seed++) {
    for (size_t i = forced; i < all; i++) toured.coverage.Add(i, toured.Run(i, seed));
  }
  const std::string report = toured.coverage.Report();
  EXPECT_EQ(Count(report, "ended otherwise"), 0);
  EXPECT_EQ(Count(report, "no run got to"), 0);
  EXPECT_EQ(toured.coverage.taken() + Count(report, "    before  "), toured.tour.edges);
}

}  // namespace
}  // namespace iomode::conform
