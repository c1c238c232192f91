// SPDX-License-Identifier: GPL-2.0-only
//
// The judging of what a kernel did, on results that a real one once gave: right ones agree, and
// when the model is made wrong on purpose, by flipping one rule, the first step that the rule is
// about is named.

#include "conformance/kernel/judgement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "conformance/kernel/report.h"
#include "sim/script_parser.h"
#include "sim/verdict.h"

namespace iomode::conform {
namespace {

using ::testing::HasSubstr;
using Kind = Judgement::Kind;

// The recording of this name; its results are what the agent printed.
struct Recording {
  Script script;
  AgentOutcome outcome;
};

Recording Read(const std::string& name) {
  Recording recording;
  auto script = ParseScriptFile(absl::StrCat("scenarios/recorded/linux-6.18/", name, ".iom"));
  EXPECT_TRUE(script.ok()) << script.status().message();
  if (!script.ok()) return recording;
  recording.outcome.out = PrintScript(*script);
  recording.script = *std::move(script);
  for (Step& step : recording.script.steps) {
    step.has_result = false;
    step.result.clear();
    step.completions.clear();
  }
  return recording;
}

const Revision& V618() { return *FindRevision("v6.18"); }

std::string Text(const Judgement& judgement) { return absl::StrJoin(judgement.details, "\n"); }

Revision Flipped(const Revision& revision, const std::string& name) {
  Revision flipped = revision;
  bool found = false;
  for (const Rule& rule : RuleTable()) {
    if (name != rule.name) continue;
    rule.Flip(flipped.rules);
    found = true;
  }
  EXPECT_TRUE(found) << name;
  return flipped;
}

TEST(JudgementTest, WhatAKernelDidAgrees) {
  const Recording recording = Read("c01-cached-open-waits");
  const Judgement judgement = Judge(recording.script, recording.outcome, V618());
  EXPECT_EQ(judgement.kind, Kind::kAgree) << Text(judgement);
  EXPECT_EQ(judgement.runs, 1);
  EXPECT_EQ(Text(judgement), "");
}

struct Flip {
  const char* rule;
  const char* recording;
  int step;
};

TEST(JudgementTest, AFlippedRuleDisagreesAtItsStep) {
  const std::vector<Flip> flips = {
      // The open that sleeps would fail instead.
      {"cached_open_waits", "c01-cached-open-waits", 3},
      // The passthrough open would wake the sleeper.
      {"attach_wakes_waiters", "d01-missed-wakeup", 5},
      // The second write would wait for the lock that the first, held one has.
      {"allow_mmap_means_exclusive", "b01-two-parallel-writes", 4},
      // Files would open, but their first write would go to the server.
      {"passthrough", "a04-one-backing-two-inodes", 4},
  };
  for (const Flip& flip : flips) {
    const Recording recording = Read(flip.recording);
    const Judgement judgement =
        Judge(recording.script, recording.outcome, Flipped(V618(), flip.rule));
    EXPECT_EQ(judgement.kind, Kind::kDisagree) << flip.rule;
    EXPECT_EQ(judgement.failed_step, flip.step) << flip.rule << "\n" << Text(judgement);
    EXPECT_THAT(Text(judgement), HasSubstr("the model does not allow step")) << flip.rule;
  }
}

TEST(JudgementTest, BothSidesAndTheStateAreNamed) {
  const Recording recording = Read("d01-missed-wakeup");
  const Judgement judgement =
      Judge(recording.script, recording.outcome, Flipped(V618(), "attach_wakes_waiters"));
  const std::string text = Text(judgement);
  EXPECT_THAT(text, HasSubstr("step 5: open p A PASSTHROUGH backing=B1"));
  EXPECT_THAT(text, HasSubstr("kernel  -> 0\n"));
  EXPECT_THAT(text, HasSubstr("model   -> 0; 4 -> EIO"));
  EXPECT_THAT(text, HasSubstr("A: iocachectr=-1 CACHE_IO_MODE=1 fb=- waiters=1"));
}

TEST(JudgementTest, APredictedLostWakeupIsConfirmed) {
  const Recording recording = Read("d01-missed-wakeup");
  const Judgement judgement = Judge(recording.script, recording.outcome, V618());
  EXPECT_EQ(judgement.kind, Kind::kConfirmed);
  EXPECT_THAT(Text(judgement), HasSubstr("the kernel shows, lost-wakeup after step 5"));
}

TEST(JudgementTest, AFindingThatTheRunNeedNotHaveIsNotConfirmed) {
  Recording recording = Read("c01-cached-open-waits");
  recording.script.expectations.push_back({"lost-wakeup", {}});
  const Judgement judgement = Judge(recording.script, recording.outcome, V618());
  EXPECT_EQ(judgement.kind, Kind::kAgree);
  EXPECT_THAT(Text(judgement), HasSubstr("expects lost-wakeup, which no run shows"));
}

TEST(JudgementTest, SeveralRunsThatDifferAreFlaky) {
  Recording recording = Read("c01-cached-open-waits");
  const std::string good = recording.outcome.out;
  const std::string bad = absl::StrReplaceAll(good, {{"KEEP_CACHE -> blocked", "KEEP_CACHE -> 0"}});
  ASSERT_NE(good, bad);
  recording.outcome.out = absl::StrCat("=== f (4 of 5)\n", good, "=== f (1 of 5)\n", bad);
  const Judgement judgement = Judge(recording.script, recording.outcome, V618());
  EXPECT_EQ(judgement.kind, Kind::kDisagree);
  EXPECT_TRUE(judgement.flaky);
  EXPECT_EQ(judgement.runs, 5);
  EXPECT_THAT(Text(judgement), HasSubstr("flaky: 1 of 5 runs do not agree"));
}

TEST(JudgementTest, RunsThatShowAFindingAreCounted) {
  Recording recording = Read("d01-missed-wakeup");
  recording.outcome.out = absl::StrCat("=== f (5 of 5)\n", recording.outcome.out);
  const Judgement judgement = Judge(recording.script, recording.outcome, V618());
  EXPECT_EQ(judgement.kind, Kind::kConfirmed);
  EXPECT_THAT(Text(judgement), HasSubstr("shows in 5 of 5 runs, lost-wakeup after step 5"));
}

TEST(JudgementTest, NoResultIsNoPass) {
  Recording recording = Read("c01-cached-open-waits");
  AgentOutcome nothing;
  EXPECT_EQ(Judge(recording.script, nothing, V618()).kind, Kind::kHung);
  nothing.out = "what?\n";
  EXPECT_EQ(Judge(recording.script, nothing, V618()).kind, Kind::kHung);
  AgentOutcome hung;
  hung.exit = kAgentFailed;
  hung.err = "f: hung at step 3\n";
  const Judgement judgement = Judge(recording.script, hung, V618());
  EXPECT_EQ(judgement.kind, Kind::kHung);
  EXPECT_THAT(Text(judgement), HasSubstr("hung at step 3"));
}

TEST(JudgementTest, WhatTheKernelLogsIsNoPass) {
  Recording recording = Read("c01-cached-open-waits");
  recording.outcome.kernel_log = {"WARNING: CPU: 1 PID: 7 at fs/fuse/iomode.c:10"};
  const Judgement judgement = Judge(recording.script, recording.outcome, V618());
  EXPECT_EQ(judgement.kind, Kind::kDisagree);
  EXPECT_THAT(Text(judgement), HasSubstr("fs/fuse/iomode.c:10"));
}

// Two overlapping writes of one file, which v6.9-rc1 warns of (U1).
Recording OverlappingWrites() {
  Recording recording;
  recording.outcome.out =
      "conn direct_io_allow_mmap\n"
      "inode A\n"
      "1: open w A DIRECT_IO|PARALLEL_DIRECT_WRITES -> 0\n"
      "2: write w hold -> blocked\n"
      "3: write w off=4096 -> 4096 via=server\n"
      "4: reply 2 -> 0; 2 -> 4096 via=server\n";
  recording.script = *ParseScript("overlap", recording.outcome.out);
  return recording;
}

TEST(JudgementTest, AWarningIsConfirmedWhereTheModelPredictsIt) {
  Recording recording = OverlappingWrites();
  recording.outcome.kernel_log = {"WARNING: CPU: 1 PID: 7 at fs/fuse/file.c:1418 fuse_dio_lock"};
  const Judgement judgement = Judge(recording.script, recording.outcome, *FindRevision("v6.9-rc1"));
  EXPECT_EQ(judgement.kind, Kind::kConfirmed) << Text(judgement);
  EXPECT_THAT(Text(judgement), HasSubstr("the model predicts, warn "));
  EXPECT_EQ(Judge(recording.script, recording.outcome, *FindRevision("v6.9")).kind,
            Kind::kDisagree);
  recording.outcome.kernel_log = {"WARNING: CPU: 1 PID: 9 at fuse_file_write_iter+0x417/0x420"};
  EXPECT_EQ(Judge(recording.script, recording.outcome, *FindRevision("v6.9-rc1")).kind,
            Kind::kConfirmed);
  recording.outcome.kernel_log.push_back("BUG: KASAN: slab-use-after-free");
  EXPECT_EQ(Judge(recording.script, recording.outcome, *FindRevision("v6.9-rc1")).kind,
            Kind::kDisagree);
}

TEST(JudgementTest, APredictedWarningThatDoesNotComeIsNoPass) {
  const Recording recording = OverlappingWrites();
  EXPECT_EQ(Judge(recording.script, recording.outcome, *FindRevision("v6.9")).kind, Kind::kAgree);
  const Judgement judgement = Judge(recording.script, recording.outcome, *FindRevision("v6.9-rc1"));
  EXPECT_EQ(judgement.kind, Kind::kDisagree);
  EXPECT_THAT(Text(judgement), HasSubstr("the kernel logged no such warning"));
}

TEST(JudgementTest, ABoundThatIsReachedIsNoPass) {
  const Recording recording = Read("c01-cached-open-waits");
  const Judgement judgement = Judge(recording.script, recording.outcome, V618(), {.max_states = 3});
  EXPECT_EQ(judgement.kind, Kind::kIncomplete);
  EXPECT_FALSE(judgement.passed());
}

// Several writes end in the last step, in any order.
Recording ManyOrders() {
  const std::string text = R"(conn async_dio
inode A
1: open f A DIRECT_IO|PARALLEL_DIRECT_WRITES o=RDWR|DIRECT -> 0
2: open g A DIRECT_IO o=RDWR|DIRECT -> 0
3: write g off=4096 hold -> blocked
4: write f -> blocked
5: write f off=8192 -> blocked
6: write f off=16384 -> blocked
7: reply 3 -> 0; 3 -> 4096 via=server; 4 -> 4096 via=server; 5 -> 4096 via=server; 6 -> 4096 via=server
)";
  Recording recording;
  recording.script = *ParseScript("many-orders.iom", text);
  recording.outcome.out = text;
  return recording;
}

TEST(JudgementTest, AResultThatTheModelAllowsAgreesBeyondTheBound) {
  Recording recording = ManyOrders();
  const uint64_t all = CheckScript(recording.script, V618(), {}).stats.states;
  const JudgeOptions bound = {.max_states = all - 1};
  EXPECT_FALSE(Judge(recording.script, recording.outcome, V618()).in_part);
  const Judgement judgement = Judge(recording.script, recording.outcome, V618(), bound);
  EXPECT_EQ(judgement.kind, Kind::kAgree);
  EXPECT_TRUE(judgement.in_part);
  EXPECT_THAT(Text(judgement), HasSubstr("what findings the others have is open"));

  // Whether a warning is predicted is then not known.
  recording.outcome.kernel_log = {"WARNING: CPU: 0 PID: 9 at fuse_dio_lock+0x1/0x2"};
  EXPECT_EQ(Judge(recording.script, recording.outcome, V618(), bound).kind, Kind::kIncomplete);
  EXPECT_EQ(Judge(recording.script, recording.outcome, V618()).kind, Kind::kDisagree);
  recording.outcome.kernel_log = {"BUG: unable to handle page fault"};
  EXPECT_EQ(Judge(recording.script, recording.outcome, V618(), bound).kind, Kind::kDisagree);
}

TEST(JudgementTest, RevisionOfAKernelsOwnVersion) {
  const auto name = [](const char* release) {
    const Revision* revision = RevisionOfRelease(release);
    return std::string(revision == nullptr ? "none" : revision->name);
  };
  EXPECT_EQ(name("6.18.44-fc"), "v6.18");
  EXPECT_EQ(name("6.12.117"), "v6.12");
  EXPECT_EQ(name("6.17.0-rc3"), "v6.12");
  EXPECT_EQ(name("6.9.0"), "v6.9");
  EXPECT_EQ(name("7.3.4"), "v7.3");
  EXPECT_EQ(name("8.0.0-rc1+"), "v7.3");
  EXPECT_EQ(name("6.8.12"), "none");
  EXPECT_EQ(name("what"), "none");
}

TEST(ReportTest, KtapNamesEachCaseOnce) {
  Judgement bad;
  bad.kind = Kind::kDisagree;
  bad.details = {"why"};
  EXPECT_EQ(KtapHead(3), "KTAP version 1\n1..3\n");
  EXPECT_EQ(KtapLines(1, "a.iom", Judgement()), "ok 1 a.iom\n");
  EXPECT_EQ(KtapLines(2, "b.iom", bad), "# why\nnot ok 2 b.iom\n");
  EXPECT_EQ(KtapLines(3, "c.iom", NotRun("threads")), "ok 3 c.iom # SKIP threads\n");
}

TEST(ReportTest, TimesAreOfAllStepsThatRan) {
  KernelRuns runs;
  EXPECT_EQ(TimesLine(runs), "0 steps");
  runs.outcomes.resize(3);
  runs.outcomes[0].emplace().step_us = {4000, 1000};
  runs.outcomes[2].emplace().step_us = {2000};
  EXPECT_EQ(TimesLine(runs), "3 steps: median 2.0 ms, 99 % within 2.0 ms, longest 4.0 ms");
  runs.start_seconds = 1.96;
  EXPECT_THAT(TimesLine(runs), HasSubstr("; the first script began 2.0 s after the guest's start"));
}

TEST(ReportTest, SumsNameWhatWasNotRun) {
  Sums sums;
  sums.Add(Judgement());
  sums.Add(NotRun("threads"));
  EXPECT_EQ(sums.Line(), "2 scripts: 1 agree, 0 show a predicted finding, 0 disagree, 1 not run");
}

}  // namespace
}  // namespace iomode::conform
