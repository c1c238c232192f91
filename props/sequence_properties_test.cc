// SPDX-License-Identifier: GPL-2.0-only
//
// Properties of sequential scripts on the model: what holds for every script, at every revision.

#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "props/file_size_oracle.h"
#include "props/open_rules_oracle.h"
#include "props/property.h"
#include "props/random_script.h"
#include "props/soundness.h"
#include "sim/runner.h"
#include "sim/script_parser.h"

namespace iomode {
namespace {

constexpr int kMaxGenes = 30;
// A random script that has more states is left out, and counted.
constexpr uint64_t kMaxStates = 20'000;

RunReport RunAll(const Script& script, const Revision& revision) {
  PrintOnCrash(script);
  return Runner(script, revision, {.max_states = kMaxStates, .narrow = false, .seed = {}}).Run();
}

void RequireSound(const RunReport& report, const Revision& revision) {
  const std::string forbidden = FirstForbidden(report.findings, revision);
  if (!forbidden.empty()) RC_FAIL(forbidden);
}

void ForEachFamily(int cases, void (*property)(Family)) {
  const std::pair<Family, const char*> families[] = {{Family::kCore, "core"},
                                                     {Family::kCache, "cache"},
                                                     {Family::kAio, "aio"},
                                                     {Family::kLifetimes, "lifetimes"}};
  for (const auto& [family, name] : families) {
    const Family f = family;
    CheckProperty(name, cases, [f, property] { property(f); });
  }
}

TEST(Accounting, HoldsAtRestInTheNewestRevision) {
  ForEachFamily(120, [](Family family) {
    const Script script = *Sequences(family, kMaxGenes);
    const RunReport report = RunAll(script, NewestRevision());
    RC_CLASSIFY(!report.stats.complete, "too many states");
    RequireSound(report, NewestRevision());
  });
}

TEST(Accounting, HoldsAtRestInEveryRevision) {
  ForEachFamily(60, [](Family family) {
    const Script script = *Sequences(family, kMaxGenes);
    for (const Revision& revision : Revisions()) RequireSound(RunAll(script, revision), revision);
  });
}

// At the end no task sleeps and no object is left, whatever was closed, killed or aborted in which
// order, and whatever failed on the way.
void RequireAllFreed(const Script& script, const Revision& revision, const Faults& faults) {
  PrintOnCrash(script);
  Runner runner(
      script, revision,
      {.max_states = kMaxStates, .narrow = false, .seed = {}, .watch = nullptr, .faults = faults});
  const RunReport report = runner.Run();
  RC_CLASSIFY(!report.stats.complete, "too many states");
  if (!report.stats.complete) return;
  RequireSound(report, revision);
  FuseConn<ScheduledWorld>& fc = runner.machine().conn();
  int left = 0;
  const auto count = [&left](const auto& item) { left += item.live; };
  fc.files.for_each(count);
  fc.fuse_files.for_each(count);
  fc.reqs.for_each(count);
  fc.ios.for_each(count);
  fc.backings.for_each([&left](const auto& fb) { left += fb.live && fb.count.value != 1; });
  if (left != 0) RC_FAIL(absl::StrCat("at ", revision.name, ", ", left, " objects are left"));
}

TEST(Lifetimes, EverythingIsFreedOnceWhateverTheOrder) {
  CheckProperty("freed exactly once", 600, [] {
    RequireAllFreed(*Sequences(Family::kLifetimes, kMaxGenes), NewestRevision(), {});
  });
}

TEST(Lifetimes, EverythingIsFreedOnceInEveryRevisionWhateverFails) {
  CheckProperty("freed exactly once, with faults", 600, [] {
    const Revision& revision = Revisions()[*rc::gen::inRange<size_t>(0, Revisions().size())];
    const Faults faults = {.allocation = *rc::gen::inRange<int16_t>(0, 16),
                           .request = *rc::gen::inRange<int16_t>(0, 24),
                           .error = *rc::gen::element<int16_t>(EIO, ENOSPC, ENOMEM)};
    const Family family = *rc::gen::element(Family::kLifetimes, Family::kCache, Family::kAio);
    const Script script = *Sequences(family, kMaxGenes);
    RC_LOG() << "at " << revision.name << ", allocation " << faults.allocation << " and request "
             << faults.request << " fail";
    RequireAllFreed(script, revision, faults);
  });
}

bool Agrees(const Result& expected, const Result& got) {
  return expected.kind == got.kind && expected.value == got.value &&
         (expected.via == Via::kNone || expected.via == got.via);
}

bool Agrees(const OpenRulesOracle::Expected& expected, const StepOutcome& outcome) {
  if (!Agrees(expected.own, outcome.own)) return false;
  if (expected.completions.size() != outcome.completions.size()) return false;
  for (const auto& [step, result] : expected.completions) {
    const auto it = outcome.completions.find(step);
    if (it == outcome.completions.end() || !Agrees(result, it->second)) return false;
  }
  return true;
}

std::string Describe(const std::string& who, const Result& own,
                     const std::map<int, Result>& completions) {
  std::string text = absl::StrCat("\n  ", who, " -> ", PrintResult(own));
  for (const auto& [step, result] : completions)
    absl::StrAppend(&text, "; ", step, " -> ", PrintResult(result));
  return text;
}

TEST(OpenRules, ModelAndOracleAgree) {
  CheckProperty("the model agrees with the table of open rules", 2000, [] {
    const CoveredScript covered = *rc::gen::map(Sequences(Family::kRules, 40), &Covered);
    const RunReport report = RunAll(covered.script, NewestRevision());
    RC_CLASSIFY(!report.stats.complete, "too many states");
    RC_CLASSIFY(covered.script.steps.size() > 8, "more than 8 steps covered");
    if (!report.stats.complete) return;
    for (size_t i = 0; i < report.steps.size(); i++) {
      const OpenRulesOracle::Expected& expected = covered.expected[i];
      for (const StepOutcome& outcome : report.steps[i].outcomes) {
        if (Agrees(expected, outcome)) continue;
        RC_FAIL(absl::StrCat("step ", i + 1, Describe("oracle", expected.own, expected.completions),
                             Describe("model ", outcome.own, outcome.completions)));
      }
    }
  });
}

// Results without `via`, and the size that the inodes have in the end.
TEST(FileSizes, ModelAndOracleAgree) {
  for (Family family : {Family::kCache, Family::kCore, Family::kAio}) {
    CheckProperty("the model agrees with one number an inode", 500, [family] {
      const Script script = *rc::gen::map(Sequences(family, 40), &FileSizeOracle::Covered);
      const RunReport report = RunAll(script, NewestRevision());
      RC_CLASSIFY(!report.stats.complete, "too many states");
      if (!report.stats.complete) return;
      FileSizeOracle oracle(script);
      for (size_t i = 0; i < report.steps.size(); i++) {
        const Result expected = oracle.Next(script.steps[i]);
        for (const StepOutcome& outcome : report.steps[i].outcomes) {
          if (Agrees(expected, outcome.own) && outcome.completions.empty()) continue;
          RC_FAIL(absl::StrCat("step ", i + 1, Describe("oracle", expected, {}),
                               Describe("model ", outcome.own, outcome.completions)));
        }
      }
    });
  }
}

// Equal but for what printing normalises: positions, lines and the order of names.
void RequireSame(const Script& a, const Script& b) {
  RC_ASSERT(a.conn == b.conn);
  RC_ASSERT(a.inodes == b.inodes);
  RC_ASSERT(a.backings == b.backings);
  RC_ASSERT(a.steps.size() == b.steps.size());
  const auto name = [](const std::vector<std::string>& names, int i) {
    return i < 0 ? std::string() : names[i];
  };
  for (size_t i = 0; i < a.steps.size(); i++) {
    const Step& s = a.steps[i];
    const Step& t = b.steps[i];
    RC_ASSERT(s.op == t.op);
    RC_ASSERT(name(a.files, s.file) == name(b.files, t.file));
    RC_ASSERT(name(a.files, s.source) == name(b.files, t.source));
    RC_ASSERT(name(a.maps, s.map) == name(b.maps, t.map));
    RC_ASSERT(s.inode == t.inode);
    RC_ASSERT(s.backing == t.backing);
    RC_ASSERT(s.backing_id == t.backing_id);
    RC_ASSERT(s.fopen_flags == t.fopen_flags);
    RC_ASSERT(s.open_flags == t.open_flags);
    RC_ASSERT(s.error == t.error);
    RC_ASSERT(s.off.value_or(0) == t.off.value_or(0));
    RC_ASSERT(s.len.value_or(kPageSize) == t.len.value_or(kPageSize));
    RC_ASSERT(s.argument == t.argument);
    RC_ASSERT(s.append == t.append);
    RC_ASSERT(s.shared == t.shared);
    RC_ASSERT(s.read_only == t.read_only);
    RC_ASSERT(s.hold == t.hold);
    RC_ASSERT(s.targets == t.targets);
    RC_ASSERT(s.has_result == t.has_result);
    RC_ASSERT(s.result == t.result);
    RC_ASSERT(s.completions.size() == t.completions.size());
    for (size_t c = 0; c < s.completions.size(); c++) {
      RC_ASSERT(s.completions[c].step == t.completions[c].step);
      RC_ASSERT(s.completions[c].results == t.completions[c].results);
    }
  }
}

Script Parse(const Script& script) {
  const absl::StatusOr<Script> parsed = ParseScript("random.iom", PrintScript(script));
  if (!parsed.ok()) RC_FAIL(std::string(parsed.status().message()));
  return *parsed;
}

TEST(ScriptText, ParsingWhatWasPrintedGivesTheScript) {
  ForEachFamily(200, [](Family family) {
    const Script script = *Sequences(family, kMaxGenes);
    const Script parsed = Parse(script);
    RequireSame(script, parsed);
    RC_ASSERT(PrintScript(parsed) == PrintScript(script));
  });
}

TEST(ScriptText, RecordedResultsSurviveAndHold) {
  ForEachFamily(80, [](Family family) {
    const Script script = *Sequences(family, kMaxGenes);
    const RunReport report = RunAll(script, NewestRevision());
    RC_CLASSIFY(!report.stats.complete, "too many states");
    if (!report.stats.complete) return;
    const Script recorded = DropUnusable(script, report);
    const Script parsed = Parse(recorded);
    RequireSame(recorded, parsed);
    const RunReport again = Runner(parsed, NewestRevision(), {}).Run();
    RC_ASSERT(again.failed_step == 0);
  });
}

// Both machines exist at once, so that their arenas lie at different addresses.
TEST(Runner, SameScriptGivesTheSameReport) {
  ForEachFamily(120, [](Family family) {
    const Script script = *Sequences(family, kMaxGenes);
    const RunnerOptions options = {.max_states = kMaxStates, .narrow = false, .seed = {}};
    Runner one(script, NewestRevision(), options);
    Runner other(script, NewestRevision(), options);
    const RunReport first = one.Run();
    const RunReport second = other.Run();
    RC_ASSERT(first.stats.states == second.stats.states);
    RC_ASSERT(first.stats.transitions == second.stats.transitions);
    RC_ASSERT(first.findings == second.findings);
    RC_ASSERT(first.found_at == second.found_at);
    RC_ASSERT(first.steps.size() == second.steps.size());
    for (size_t i = 0; i < first.steps.size(); i++) {
      RC_ASSERT(first.steps[i].outcomes == second.steps[i].outcomes);
      RC_ASSERT(first.steps[i].state_lines == second.steps[i].state_lines);
    }
  });
}

// A random walk is one of the interleavings, so what it gives is among what they give.
TEST(Runner, RandomWalksStayWithinTheExhaustiveOutcomes) {
  ForEachFamily(60, [](Family family) {
    const Script script = *Sequences(family, kMaxGenes);
    const RunReport all = RunAll(script, NewestRevision());
    RC_CLASSIFY(!all.stats.complete, "too many states");
    if (!all.stats.complete) return;
    for (uint64_t seed = 1; seed <= 8; seed++) {
      const RunReport walk = Runner(script, NewestRevision(),
                                    {.max_states = kMaxStates, .narrow = false, .seed = seed})
                                 .Run();
      RC_ASSERT(walk.steps.size() == all.steps.size());
      for (size_t i = 0; i < walk.steps.size(); i++) {
        RC_ASSERT(walk.steps[i].outcomes.size() == 1u);
        const StepOutcome& outcome = *walk.steps[i].outcomes.begin();
        if (all.steps[i].outcomes.contains(outcome)) continue;
        RC_FAIL(absl::StrCat("seed ", seed, ", step ", i + 1,
                             Describe("walk", outcome.own, outcome.completions)));
      }
      for (const Finding& finding : walk.findings) RC_ASSERT(all.findings.contains(finding));
    }
  });
}

}  // namespace
}  // namespace iomode
