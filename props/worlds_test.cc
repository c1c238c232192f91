// SPDX-License-Identifier: GPL-2.0-only
//
// The Native world against the Scheduled one: a single-threaded program gives the same results in
// both, and what real threads give is among what exhaustive exploration gives.

#include "props/native_program.h"
// The model comes before the system's headers.
#include <atomic>
#include <chrono>
#include <deque>
#include <map>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "props/native_litmus.h"
#include "props/property.h"
#include "props/random_script.h"
#include "props/sequential_orders.h"
#include "sim/scenario_files.h"

namespace iomode {
namespace {

constexpr uint64_t kMaxStates = 20'000;

// The script without what the Native world cannot do.
Script ForBothWorlds(const Script& script) {
  Script both = script;
  std::vector<bool> keep;
  for (Step& step : both.steps) {
    step.hold = Hold::kNone;
    if (step.op == Op::kOpen && NativeProgram::DependsOnBacking(script, step))
      step.open_flags &= ~OPEN_TRUNC;
    keep.push_back(NativeProgram::CanRun(step) && !NativeProgram::DependsOnBacking(script, step));
  }
  return KeepSteps(both, keep);
}

// Reports other than those of the revision's own known bugs.
std::vector<std::string> Unexpected(std::vector<std::string> reports, const Rules& rules) {
  std::erase_if(reports, [&rules](const std::string& report) {
    return (rules.parallel_write_marks_file && absl::StartsWith(report, "warn:")) ||
           (rules.null_backing_is_busy && absl::StartsWith(report, "false-busy:"));
  });
  return reports;
}

void RequireSameInBothWorlds(const Script& script, const Revision& revision) {
  PrintOnCrash(script);
  const RunReport scheduled =
      Runner(script, revision, {.max_states = kMaxStates, .narrow = false, .seed = {}}).Run();
  RC_CLASSIFY(!scheduled.stats.complete, "too many states");
  if (!scheduled.stats.complete) return;
  NativeProgram program(script, revision);
  StressWorld::task = 1;
  for (const Step& step : script.steps) {
    const Result native = program.Run(step);
    program.Drain();
    std::set<Result> results;
    for (StepOutcome outcome : scheduled.steps[step.number - 1].outcomes) {
      outcome.own.via = Via::kNone;
      results.insert(outcome.own);
    }
    if (results != std::set<Result>{native}) {
      RC_FAIL(absl::StrCat("at ", revision.name, ", step ", step.number, ": native ",
                           PrintResult(native), ", scheduled ",
                           PrintAlternatives({results.begin(), results.end()})));
    }
  }
  program.CloseAll();
  const std::vector<std::string> wrong = Unexpected(program.Finish(), revision.rules);
  if (!wrong.empty()) RC_FAIL(absl::StrJoin(wrong, "\n"));
}

TEST(Worlds, ASingleThreadGetsTheSameResults) {
  for (Family family : {Family::kCore, Family::kCache, Family::kAio, Family::kLifetimes}) {
    CheckProperty("same results in both worlds", 150, [family] {
      RequireSameInBothWorlds(ForBothWorlds(*Sequences(family, 30)), NewestRevision());
    });
  }
}

TEST(Worlds, ASingleThreadGetsTheSameResultsInEveryRevision) {
  for (const Revision& revision : Revisions()) {
    CheckProperty(absl::StrCat("same results at ", revision.name), 60, [&revision] {
      const Family family = *rc::gen::element(Family::kCore, Family::kCache, Family::kAio);
      RequireSameInBothWorlds(ForBothWorlds(*Sequences(family, 30)), revision);
    });
  }
}

// Runs of real threads, each of whose outcomes must be among the explored ones.
void RequireContained(const Script& script, const Revision& revision, int runs) {
  PrintOnCrash(script);
  const LitmusReport explored = RunLitmus(script, revision, {.max_states = kMaxStates});
  RC_CLASSIFY(!explored.stats.complete, "too many states");
  if (!explored.stats.complete) return;
  std::set<LitmusOutcome> possible;
  for (const auto& [outcome, states] : explored.outcomes) possible.insert(WithoutVia(outcome));
  std::set<LitmusOutcome> seen;
  for (int i = 0; i < runs; i++) {
    const NativeLitmusRun run = RunLitmusNatively(script, revision, static_cast<uint64_t>(i));
    seen.insert(run.outcome);
    if (!possible.contains(run.outcome))
      RC_FAIL(absl::StrCat("real threads give ", PrintOutcome(run.outcome), " at ", revision.name));
    if (!run.wrong.empty()) RC_FAIL(absl::StrJoin(run.wrong, "\n"));
  }
  RC_CLASSIFY(seen.size() > 1, "several outcomes seen");
  RC_CLASSIFY(seen.size() == possible.size(), "all outcomes seen");
}

TEST(Containment, OfRealThreadsInRandomLitmusScripts) {
  CheckProperty("real threads stay within the explored outcomes", 150, [] {
    const auto revision = *rc::gen::element(&NewestRevision(), FindRevision("v6.12"),
                                            FindRevision("v7.3+wake-on-attach"));
    RequireContained(ForBothWorlds(*LitmusScripts(3, 2)), *revision, 10);
  });
}

TEST(Containment, OfRealThreadsInTheLitmusScenarios) {
  int scripts = 0;
  for (const Script& script : ScriptsBelow("scenarios/litmus")) {
    if (!NativeProgram::CanRun(script)) continue;
    scripts++;
    CheckProperty(script.name, 1, [&script] { RequireContained(script, NewestRevision(), 20); });
  }
  EXPECT_GT(scripts, 50);
}

}  // namespace
}  // namespace iomode
