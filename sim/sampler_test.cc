// SPDX-License-Identifier: GPL-2.0-only
//
// Sampled runs: the known hazards are found, a seed repeats its run, and a verdict never claims
// more than was seen.

#include "sim/sampler.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "sim/scenario_files.h"
#include "sim/verdict.h"

namespace iomode {
namespace {

using Mode = SampleOptions::Mode;

// docs/findings.md, H1: depth 3.
constexpr char kLostWakeup[] = R"(conn passthrough direct_io_allow_mmap
inode A
backing B1
expect lost-wakeup
1: backing_open B1
2: open w A DIRECT_IO|PARALLEL_DIRECT_WRITES
P0: write w
P1: open c A KEEP_CACHE
P2: open p A PASSTHROUGH backing=B1
exists P1.1 == blocked
)";

// H15: depth 4, and so rare that random runs do not meet it.
constexpr char kLostBit[] = R"(conn direct_io_allow_mmap
inode A
expect starvation
1: open w A DIRECT_IO|PARALLEL_DIRECT_WRITES
P0: write w
P0: write w off=4096
P1: open c A KEEP_CACHE
P1: close c
P2: open d A KEEP_CACHE
)";

Verdict Check(const Script& script, const SampleOptions& options) {
  CheckOptions check;
  check.sample = options;
  return CheckScript(script, NewestRevision(), check);
}

void ExpectSame(const SampleReport& a, const SampleReport& b) {
  ASSERT_EQ(a.outcomes.size(), b.outcomes.size());
  for (auto x = a.outcomes.begin(), y = b.outcomes.begin(); x != a.outcomes.end(); ++x, ++y) {
    EXPECT_EQ(x->first, y->first);
    EXPECT_EQ(x->second.runs, y->second.runs);
    EXPECT_EQ(x->second.seed, y->second.seed);
  }
  EXPECT_EQ(a.findings, b.findings);
  EXPECT_EQ(a.transitions, b.transitions);
  EXPECT_EQ(a.steps, b.steps);
}

TEST(Sampler, FindsTheLostWakeup) {
  const Script script = Parse(kLostWakeup);
  for (const Mode mode : {Mode::kPct, Mode::kRandom}) {
    const Verdict verdict = Check(script, {.mode = mode, .depth = 3, .runs = 1000});
    EXPECT_EQ(verdict.status, Verdict::Status::kHolds);
    EXPECT_FALSE(verdict.stats.complete);
    EXPECT_TRUE(verdict.sample.kinds.contains(FindingKind::kLostWakeup));
  }
}

TEST(Sampler, FindsTheLostBitAtItsDepth) {
  const Script script = Parse(kLostBit);
  const Verdict verdict = Check(script, {.depth = 4, .runs = 20'000});
  EXPECT_EQ(verdict.status, Verdict::Status::kHolds);
  EXPECT_TRUE(verdict.sample.kinds.contains(FindingKind::kStarvation));
}

TEST(Sampler, ASeedRepeatsItsRun) {
  for (const auto& bug : {std::pair(kLostWakeup, 3), std::pair(kLostBit, 4)}) {
    const Script script = Parse(bug.first);
    const int depth = bug.second;
    const SampleReport all =
        SampleLitmus(script, NewestRevision(), {.depth = depth, .runs = 5000, .seed = 100});
    ASSERT_FALSE(all.kinds.empty());
    const auto repeat = [&](uint64_t seed) {
      return SampleLitmus(script, NewestRevision(),
                          {.depth = depth, .runs = 1, .seed = seed, .steps = all.steps});
    };
    for (const auto& [kind, sighting] : all.kinds)
      EXPECT_TRUE(repeat(sighting.seed).kinds.contains(kind)) << FindingName(kind);
    for (const auto& [outcome, sighting] : all.outcomes) {
      const SampleReport one = repeat(sighting.seed);
      ASSERT_EQ(one.outcomes.size(), 1u);
      EXPECT_EQ(one.outcomes.begin()->first, outcome);
      EXPECT_EQ(one.steps, all.steps);
    }
  }
}

TEST(Sampler, IsTheSameEveryTimeAndInPieces) {
  const Script script = Parse(kLostWakeup);
  for (const Mode mode : {Mode::kPct, Mode::kRandom}) {
    const SampleOptions options = {.mode = mode, .depth = 2, .runs = 400, .seed = 7};
    const SampleReport whole = SampleLitmus(script, NewestRevision(), options);
    ExpectSame(whole, SampleLitmus(script, NewestRevision(), options));
    uint64_t transitions = 0;
    for (uint64_t seed : {7, 107, 207, 307}) {
      SampleOptions piece = options;
      piece.runs = 100;
      piece.seed = seed;
      piece.steps = whole.steps;
      transitions += SampleLitmus(script, NewestRevision(), piece).transitions;
    }
    EXPECT_EQ(transitions, whole.transitions);
  }
}

// How often the bug of known depth shows is no less than the paper promises.
TEST(Sampler, KeepsTheGuarantee) {
  constexpr uint64_t kRuns = 4000;
  const SampleReport report =
      SampleLitmus(Parse(kLostWakeup), NewestRevision(), {.depth = 3, .runs = kRuns});
  const double promised = PctGuarantee(report, 3);
  EXPECT_NEAR(promised, 1.0 / (report.tasks * report.steps * report.steps), 1e-12);
  EXPECT_GE(report.tasks, 3u);
  EXPECT_GE(report.steps, report.longest - report.longest / 10);
  EXPECT_GE(static_cast<double>(report.kinds.at(FindingKind::kLostWakeup).runs) / kRuns, promised);
}

// Without change points a task is only left where it cannot go on, which never loses the wakeup.
TEST(Sampler, DepthOneLeavesATaskOnlyWhereItCannotGoOn) {
  const Script script = Parse(kLostWakeup);
  const SampleReport report =
      SampleLitmus(script, NewestRevision(), {.depth = 1, .runs = 2000, .steps = 50});
  EXPECT_EQ(report.runs, 2000u);
  EXPECT_TRUE(report.kinds.empty());
  EXPECT_EQ(report.outcomes.size(), 2u);
  EXPECT_NEAR(PctGuarantee(report, 1), 1.0 / report.tasks, 1e-12);
}

TEST(SampledVerdict, ClaimsNoMoreThanWasSeen) {
  const std::string start = "inode A\nP0: open a A\nP1: open b A\n";
  const SampleOptions options = {.depth = 2, .runs = 50};
  const auto status = [&](const std::string& conditions) {
    return Check(Parse(start + conditions), options).status;
  };
  EXPECT_EQ(status("exists P0.1 == 0\n"), Verdict::Status::kHolds);
  EXPECT_EQ(status("exists P0.1 == EIO\n"), Verdict::Status::kIncomplete);
  EXPECT_EQ(status("never P0.1 == EIO\n"), Verdict::Status::kIncomplete);
  EXPECT_EQ(status("always P0.1 == 0\n"), Verdict::Status::kIncomplete);
  EXPECT_EQ(status("exists P0.1 == 0\nnever P0.1 == EIO\n"), Verdict::Status::kIncomplete);
  EXPECT_EQ(status(""), Verdict::Status::kIncomplete);
  EXPECT_EQ(status("never P0.1 == 0\n"), Verdict::Status::kFails);
  EXPECT_EQ(status("always P0.1 == EIO\n"), Verdict::Status::kFails);
  const std::string lost = kLostWakeup;
  const std::string unexpected = lost.substr(0, lost.find("expect")) + lost.substr(lost.find("1:"));
  EXPECT_EQ(Check(Parse(unexpected), {.depth = 3, .runs = 1000}).status, Verdict::Status::kFails);
  EXPECT_EQ(Check(Parse("inode A\nexpect leak\nP0: open a A\nexists P0.1 == 0\n"), options).status,
            Verdict::Status::kIncomplete);
}

}  // namespace
}  // namespace iomode
