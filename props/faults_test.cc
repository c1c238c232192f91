// SPDX-License-Identifier: GPL-2.0-only
//
// Faults at each possible point of each scenario: an allocation fails, the server answers a request
// with an error, the connection is aborted, a process is killed. Whatever the steps give then,
// nothing leaks, no count is wrong, and when everything is closed nobody sleeps on.
//
// --one-in=N tries every N-th point only, 101 if not given; a failure prints the script and what to
// do.

#include <gtest/gtest.h>

#include <cstdio>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "props/soundness.h"
#include "sim/litmus.h"
#include "sim/scenario_files.h"
#include "sim/script_parser.h"
#include "sim/verdict.h"

namespace iomode {
namespace {

constexpr uint64_t kMaxStates = 20'000;

int& OneIn() {
  static int one_in = 101;
  return one_in;
}

RunnerOptions OptionsWith(const Faults& faults) {
  RunnerOptions options;
  options.max_states = kMaxStates;
  options.narrow = false;
  options.faults = faults;
  return options;
}

class FaultsTest : public ::testing::Test {
 protected:
  // Whether it is this point's turn.
  bool Takes() { return points_++ % OneIn() == 0; }

  // Runs it; false when the fault never came.
  bool Run(const Script& script, const Faults& faults, const std::string& what) {
    const Revision& revision = RevisionFor(script.name, NewestRevision());
    Runner runner(script, revision, OptionsWith(faults));
    const RunReport report = runner.Run();
    runs_++;
    if (!report.stats.complete) {
      incomplete_++;
      return true;
    }
    EXPECT_EQ(FirstForbidden(report.findings, revision), "")
        << script.name << " with " << what << ":\n"
        << PrintScript(script);
    return !runner.machine().FaultIsPending();
  }

  void ExpectDone(int least) {
    EXPECT_GE(runs_, least / OneIn());
    EXPECT_LE(incomplete_, runs_ / 20) << "had too many states, and tell nothing";
    RecordProperty("runs", runs_);
    RecordProperty("incomplete", incomplete_);
  }

 private:
  int points_ = 0;
  int runs_ = 0;
  int incomplete_ = 0;
};

// Sequential scripts, without the few that have too many states even when nothing fails.
const std::vector<Script>& Sequences() {
  static const std::vector<Script> sequences = [] {
    std::vector<Script> scripts = ScriptsBelow("scenarios");
    std::erase_if(scripts, [](const Script& script) { return script.is_litmus(); });
    const size_t too_large = std::erase_if(scripts, [](const Script& script) {
      const Revision& revision = RevisionFor(script.name, NewestRevision());
      return !Runner(script, revision, OptionsWith({})).Run().stats.complete;
    });
    EXPECT_LE(too_large, scripts.size() / 100);
    return scripts;
  }();
  return sequences;
}

// The script with one more step behind step number `after`.
Script WithStep(const Script& script, int after, Step step) {
  Script with = script;
  with.lines.clear();
  step.number = after + 1;
  const auto shift = [after](int& number) { number += number > after; };
  for (Step& s : with.steps) {
    shift(s.number);
    for (int& target : s.targets) shift(target);
    s.has_result = false;
    s.result.clear();
    s.completions.clear();
  }
  with.steps.insert(with.steps.begin() + after, step);
  return with;
}

TEST_F(FaultsTest, AnAllocationFails) {
  for (const Script& script : Sequences()) {
    for (int16_t n = 1; n < 100; n++) {
      if (!Takes()) continue;
      if (!Run(script, {.allocation = n}, absl::StrCat("no memory for allocation ", n))) break;
    }
  }
  ExpectDone(1000);
}

// By allocation of one open for passthrough: who makes it, and what the caller is told.
TEST_F(FaultsTest, AFailedAllocationIsToldToTheCaller) {
  constexpr const char* kResults[][2] = {
      {"ENOMEM", "EIO"},  // fuse_backing_open; there is no such id then
      {"0", "ENOMEM"},    // vfs_open: the struct file
      {"0", "ENOMEM"},    // fuse_file_open: the fuse_file
      {"0", "EIO"},       // fuse_passthrough_open: the backing_file; every failure there is EIO
      {"0", "0"}};
  for (int16_t n = 1; n <= 5; n++) {
    const auto& [backing_open, open] = kResults[n - 1];
    const absl::StatusOr<Script> script = ParseScript(
        "passthrough",
        absl::StrCat("conn passthrough\ninode A\nbacking B1\n1: backing_open B1 -> ", backing_open,
                     "\n2: open p A PASSTHROUGH backing=B1 -> ", open, "\n"));
    ASSERT_TRUE(script.ok()) << script.status();
    RunnerOptions options;
    options.faults = {.allocation = n};
    const RunReport report = Runner(*script, NewestRevision(), options).Run();
    EXPECT_EQ(report.failed_step, 0) << "allocation " << n;
  }
}

TEST_F(FaultsTest, TheServerAnswersWithAnError) {
  for (const Script& script : Sequences()) {
    for (int16_t n = 1; n < 200; n++) {
      if (!Takes()) continue;
      if (!Run(script, {.request = n}, absl::StrCat("EIO for request ", n))) break;
    }
  }
  ExpectDone(1000);
}

TEST_F(FaultsTest, TheConnectionIsAborted) {
  for (const Script& script : Sequences()) {
    for (size_t after = 0; after <= script.steps.size(); after++) {
      if (!Takes()) continue;
      Step abort;
      abort.op = Op::kAbort;
      Run(WithStep(script, static_cast<int>(after), abort), {}, "an abort");
    }
  }
  ExpectDone(1500);
}

TEST_F(FaultsTest, AProcessIsKilled) {
  for (const Script& script : Sequences()) {
    for (const Step& opened : script.steps) {
      if (opened.op != Op::kOpen) continue;
      for (size_t after = opened.number; after <= script.steps.size(); after++) {
        if (!Takes()) continue;
        Step kill;
        kill.op = Op::kKill;
        kill.file = opened.file;
        Run(WithStep(script, static_cast<int>(after), kill), {}, "a kill");
      }
    }
  }
  ExpectDone(1500);
}

// One more thread, which aborts the connection or kills the first one's process, at any time.
TEST_F(FaultsTest, AnAbortComesInTheMiddleOfALitmusScript) {
  int complete = 0;
  for (const Script& original : ScriptsBelow("scenarios/litmus")) {
    if (!original.is_litmus() || !Takes()) continue;
    Script script = original;
    script.conditions.clear();
    Step abort;
    abort.op = Op::kAbort;
    abort.number = 1;
    abort.thread = static_cast<int>(script.threads.size());
    script.threads.push_back({abort});
    const LitmusReport report = RunLitmus(script, NewestRevision(), {.max_states = kMaxStates});
    complete += report.stats.complete;
    EXPECT_EQ(FirstForbidden(report.findings, NewestRevision()), "") << original.name;
  }
  EXPECT_GE(complete, 60 / OneIn());
}

}  // namespace
}  // namespace iomode

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i < argc; i++) {
    absl::string_view text = argv[i];
    if (absl::ConsumePrefix(&text, "--one-in=") && absl::SimpleAtoi(text, &iomode::OneIn()) &&
        iomode::OneIn() > 0)
      continue;
    std::fprintf(stderr, "%s: expected --one-in=N\n", argv[i]);
    return 2;
  }
  return RUN_ALL_TESTS();
}
