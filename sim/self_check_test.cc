// SPDX-License-Identifier: GPL-2.0-only
//
// The self-check passes on the model, and catches code that does not do the same twice.

#include "sim/self_check.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "model/iomode.h"
#include "sim/litmus.h"
#include "sim/sampler.h"
#include "sim/scenario_files.h"
#include "sim/verdict.h"

namespace iomode {
namespace {

using W = ScheduledWorld;

constexpr char kOpens[] = R"(conn passthrough
inode A
backing B1
1: backing_open B1
P0: open c A KEEP_CACHE
P0: close c
P1: open p A PASSTHROUGH backing=B1
P1: close p
)";

// A finding that is seen in a state on the way, and not by an operation.
constexpr char kStarvation[] = R"(conn direct_io_allow_mmap
inode A
expect starvation
1: open w A DIRECT_IO|PARALLEL_DIRECT_WRITES -> 0
P0: write w
P1: open c A KEEP_CACHE
)";

// A file's open that decides by how often it was called before, anywhere.
int calls = 0;
int OpenThatCounts(FuseInode<W>& fi, FuseFile<W>&) {
  W::operation("counts", &fi.iocachectr);
  return ++calls % 3 == 0 ? -EIO : 0;
}

// One that is the same to the outside, and leaves what it counts in the inode.
int OpenThatLeavesAMark(FuseInode<W>& fi, FuseFile<W>&) {
  W::operation("counts", &fi.iocachectr);
  fi.i_size.value = ++calls;
  return 0;
}

// One that does one operation more now and then.
int OpenThatLooksTwice(FuseInode<W>& fi, FuseFile<W>&) {
  W::operation("looks at", &fi.iocachectr);
  if (++calls % 2 == 0) W::Trace("looks again at", &fi.iocachectr);
  return 0;
}

TEST(SelfCheck, TheModelDoesTheSameAgain) {
  for (const bool sampled : {false, true}) {
    CheckOptions options;
    options.self_check = true;
    if (sampled) options.sample = SampleOptions{.depth = 3, .runs = 200};
    const Verdict verdict = CheckScript(Parse(kOpens), NewestRevision(), options);
    EXPECT_NE(verdict.status, Verdict::Status::kFails)
        << (verdict.problems.empty() ? "" : verdict.problems[0]);
    EXPECT_GT(verdict.replays, 3u);
  }
  CheckOptions options;
  options.self_check = true;
  const Verdict sequence =
      CheckScript(Parse("inode A\n1: open a A KEEP_CACHE -> 0\n2: write a\n3: close a -> 0\n"),
                  NewestRevision(), options);
  EXPECT_EQ(sequence.status, Verdict::Status::kHolds)
      << (sequence.problems.empty() ? "" : sequence.problems[0]);
  EXPECT_GE(sequence.replays, 3u);
}

TEST(SelfCheck, FindingsOfStatesOnTheWayAreReplayed) {
  Revision revision = NewestRevision();
  revision.rules.cache_bit_is_tested = false;
  for (const bool sampled : {false, true}) {
    CheckOptions options;
    options.self_check = true;
    if (sampled) options.sample = SampleOptions{.depth = 3, .runs = 200};
    const Verdict verdict = CheckScript(Parse(kStarvation), revision, options);
    EXPECT_NE(verdict.status, Verdict::Status::kFails)
        << (verdict.problems.empty() ? "" : verdict.problems[0]);
    ASSERT_EQ(verdict.findings.size(), 1u);
    EXPECT_EQ(verdict.findings.begin()->kind, FindingKind::kStarvation);
    EXPECT_GE(verdict.replays, 3u);
  }
}

TEST(SelfCheck, ReplaysAllPathsOfASmallSearchAndLeavesTheMachineAlone) {
  const Script script = Parse(kOpens);
  const LitmusReport plain = RunLitmus(script, NewestRevision(), {});
  SelfCheck check;
  const LitmusReport checked = RunLitmus(script, NewestRevision(), {.self_check = &check});
  EXPECT_EQ(checked.outcomes, plain.outcomes);
  EXPECT_EQ(checked.stats.states, plain.stats.states);
  EXPECT_EQ(checked.stats.transitions, plain.stats.transitions);
  EXPECT_EQ(check.problem(), "");
  EXPECT_GE(check.replays(), plain.stats.rests);
}

class Nondeterminism : public testing::TestWithParam<int (*)(FuseInode<W>&, FuseFile<W>&)> {};

TEST_P(Nondeterminism, IsCaught) {
  Revision revision = NewestRevision();
  IomodeOps<W> ops = {};
  ops.fuse_file_cached_io_open = GetParam();
  Machine::SetOps(revision, &ops);
  calls = 0;
  SelfCheck check;
  RunLitmus(Parse(kOpens), revision, {.self_check = &check});
  Machine::SetOps(revision, nullptr);
  EXPECT_NE(check.problem(), "");
  EXPECT_GT(check.replays(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Ops, Nondeterminism,
                         testing::Values(&OpenThatCounts, &OpenThatLeavesAMark,
                                         &OpenThatLooksTwice));

}  // namespace
}  // namespace iomode
