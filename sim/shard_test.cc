// SPDX-License-Identifier: GPL-2.0-only
//
// Parts of an exploration: each piece of work is one part's, and what all parts reach is what the
// whole search reaches.

#include "sim/shard.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sim/litmus.h"
#include "sim/scenario_files.h"
#include "sim/shard_parser.h"

namespace iomode {
namespace {

// Large enough to be divided by four.
constexpr char kDivisible[] = R"(conn passthrough direct_io_allow_mmap
inode A
backing B1
1: backing_open B1
2: open w A DIRECT_IO|PARALLEL_DIRECT_WRITES
P0: write w
P1: open c A KEEP_CACHE
P1: close c
P2: open p A PASSTHROUGH backing=B1
)";

std::set<LitmusOutcome> OutcomesOf(const LitmusReport& report) {
  std::set<LitmusOutcome> outcomes;
  for (const auto& [outcome, states] : report.outcomes) outcomes.insert(outcome);
  return outcomes;
}

std::set<FindingKind> KindsOf(const LitmusReport& report) {
  std::set<FindingKind> kinds;
  for (const Finding& finding : report.findings) kinds.insert(finding.kind);
  return kinds;
}

LitmusReport Part(const Script& script, Shard shard, bool reduce) {
  return RunLitmus(script, NewestRevision(),
                   {.reduce = reduce, .shard = shard, .owner = shard.Owns(0)});
}

TEST(ShardTest, EachItemIsOnePartsAlone) {
  for (int count = 1; count < 8; count++) {
    for (size_t items = 0; items < 40; items++) {
      size_t next = 0;
      size_t owned = 0;
      for (int number = 1; number <= count; number++) {
        const Shard shard = {number, count};
        EXPECT_EQ(shard.Begin(items), next);
        next = shard.End(items);
        owned += shard.Owns(items);
      }
      EXPECT_EQ(next, items);
      EXPECT_EQ(owned, 1u);
    }
  }
}

TEST(ShardTest, WhatIsNoPartIsRefused) {
  EXPECT_EQ(PrintShard(*ParseShard("2/4")), "2/4");
  for (const char* text : {"", "2", "0/4", "5/4", "1/0", "-1/4", "a/b", "1/2/3"})
    EXPECT_FALSE(ParseShard(text).ok()) << text;
}

// The states of the whole search, and those of all parts; without reduction, as with it a part may
// leave out what another does not.
TEST(ShardTest, TheStatesOfAllPartsAreThoseOfTheWhole) {
  const Script script = Parse(kDivisible);
  const auto no_op = [] {};
  // One machine for all: keys hold addresses of its objects.
  Runner runner(script, NewestRevision(), {});
  runner.RunSteps();
  Machine& machine = runner.machine();
  runner.states()[0].Restore(machine.scheduler());
  StartThreads(machine);
  std::vector<Snapshot> starts(1);
  starts[0].Save(machine.scheduler());
  std::set<std::pair<uint64_t, uint64_t>> whole;
  {
    Explorer explorer(machine);
    Explorer::Visited visited;
    explorer.Run(visited, UINT64_MAX, no_op);
    visited.ForEach([&](Hash128 key) { whole.insert({key.lo, key.hi}); });
  }
  for (const int count : {2, 3, 4}) {
    std::set<std::pair<uint64_t, uint64_t>> of_parts;
    size_t smallest = whole.size();
    for (int number = 1; number <= count; number++) {
      starts[0].Restore(machine.scheduler());
      const Spread spread = SpreadOut(
          machine, starts, kBranchesPerShard * static_cast<size_t>(count), false, no_op, no_op);
      ASSERT_FALSE(spread.frontier.empty());
      const Shard shard = {number, count};
      Explorer explorer(machine);
      Explorer::Visited visited;
      for (const Hash128& key : spread.expanded) visited.Insert(key);
      for (size_t i = shard.Begin(spread.frontier.size()); i < shard.End(spread.frontier.size());
           i++) {
        spread.frontier[i].Restore(machine.scheduler());
        explorer.Run(visited, UINT64_MAX, no_op);
      }
      visited.ForEach([&](Hash128 key) { of_parts.insert({key.lo, key.hi}); });
      smallest = std::min<size_t>(smallest, visited.size());
    }
    EXPECT_EQ(of_parts, whole) << count << " parts";
    EXPECT_LT(smallest, whole.size()) << "no part is smaller than the whole";
  }
}

// Every litmus script of the project, with reduction and without.
TEST(ShardTest, AllPartsFindWhatTheWholeFinds) {
  int divided = 0;
  for (const Script& script : ScriptsBelow("scenarios/litmus")) {
    for (const bool reduce : {true, false}) {
      SCOPED_TRACE(absl::StrCat(script.name, reduce ? "" : " without reduction"));
      const LitmusReport whole = RunLitmus(script, NewestRevision(), {.reduce = reduce});
      constexpr int kParts = 3;
      std::set<LitmusOutcome> outcomes;
      std::set<FindingKind> findings;
      int parts = 0;
      for (int number = 1; number <= kParts; number++) {
        const LitmusReport part = Part(script, {number, kParts}, reduce);
        EXPECT_TRUE(part.stats.complete);
        if (part.elsewhere) continue;
        parts++;
        outcomes.merge(OutcomesOf(part));
        findings.merge(KindsOf(part));
      }
      EXPECT_TRUE(parts == 1 || parts == kParts) << parts;
      divided += parts == kParts;
      EXPECT_EQ(outcomes, OutcomesOf(whole));
      EXPECT_EQ(findings, KindsOf(whole));
    }
  }
  EXPECT_GT(divided, 20);
}

TEST(ShardTest, APartLeavesOpenWhatAnotherMayDecide) {
  const Script script = Parse(absl::StrCat(kDivisible, "exists P1.1 == 0\nexists P1.1 == ENOENT\n",
                                           "never P1.1 == ENOENT\nnever P0.1 == 4096\n"));
  for (int number = 1; number <= 2; number++) {
    const LitmusReport part = Part(script, {number, 2}, true);
    ASSERT_EQ(part.conditions.size(), 4u);
    EXPECT_EQ(part.conditions[0], Truth::kHolds);
    EXPECT_EQ(part.conditions[1], Truth::kOpen);
    EXPECT_EQ(part.conditions[2], Truth::kOpen);
    EXPECT_EQ(part.conditions[3], Truth::kFails);
  }
}

TEST(ShardTest, WhatIsTooSmallIsItsOwnersAlone) {
  const Script script = Parse("inode A\nP0: open f A\n");
  EXPECT_FALSE(Part(script, {1, 4}, true).elsewhere);
  EXPECT_EQ(Part(script, {1, 4}, true).outcomes, Part(script, {}, true).outcomes);
  for (int number = 2; number <= 4; number++) {
    const LitmusReport part = Part(script, {number, 4}, true);
    EXPECT_TRUE(part.elsewhere);
    EXPECT_TRUE(part.outcomes.empty());
  }
}

}  // namespace
}  // namespace iomode
