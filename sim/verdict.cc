// SPDX-License-Identifier: GPL-2.0-only

#include "sim/verdict.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace iomode {
namespace {

std::string Where(const Script& script, Position pos) {
  return absl::StrCat(script.name, ":", pos.line, ":", pos.column);
}

std::string ResultsOf(const StepOutcome& outcome) {
  std::string text = absl::StrCat("-> ", PrintResult(outcome.own));
  for (const auto& [step, result] : outcome.completions)
    absl::StrAppend(&text, "; ", step, " -> ", PrintResult(result));
  return text;
}

void ExplainFailedStep(const Script& script, const RunReport& report, Verdict& verdict) {
  const Step& step = script.steps[report.failed_step - 1];
  verdict.status = Verdict::Status::kFails;
  verdict.problems.push_back(absl::StrCat(
      Where(script, step.result_pos), ": no interleaving gives the results of step ", step.number));
  verdict.problems.push_back(absl::StrCat("    step       ", PrintStep(script, step)));
  verdict.problems.push_back(absl::StrCat("    claimed   ", PrintResults(step)));
  for (const StepOutcome& outcome : report.steps.back().outcomes) {
    verdict.problems.push_back(absl::StrCat("    model gives ", ResultsOf(outcome)));
  }
  for (const std::string& line : report.states_before_failure) {
    verdict.problems.push_back(
        absl::StrCat("    before     ", line.substr(line.find_first_not_of("# "))));
  }
}

void JudgeFindings(const Script& script, Verdict& verdict) {
  std::vector<bool> met(script.expectations.size());
  for (const Finding& finding : verdict.findings) {
    bool expected = false;
    for (size_t i = 0; i < script.expectations.size(); i++) {
      if (script.expectations[i].finding != FindingName(finding.kind)) continue;
      expected = met[i] = true;
    }
    if (expected || verdict.recording) {
      verdict.notes.push_back(absl::StrCat("finding ", PrintFinding(finding)));
    } else {
      verdict.status = Verdict::Status::kFails;
      verdict.unexpected.push_back(finding);
      verdict.problems.push_back(absl::StrCat(script.name, ": finding ", PrintFinding(finding)));
    }
  }
  for (size_t i = 0; i < met.size(); i++) {
    if (met[i] || !verdict.stats.complete || !verdict.stats.shard.IsWhole()) continue;
    verdict.status = Verdict::Status::kFails;
    verdict.problems.push_back(absl::StrCat(Where(script, script.expectations[i].pos),
                                            ": expected finding ", script.expectations[i].finding,
                                            " was not found"));
  }
}

void CheckSequence(const Script& script, const Revision& revision, const CheckOptions& options,
                   SelfCheck* self_check, Verdict& verdict) {
  RunnerOptions runner_options;
  runner_options.max_states = options.max_states;
  runner_options.watch = options.watch;
  runner_options.self_check = self_check;
  runner_options.reduce = options.reduce;
  Runner runner(script, revision, runner_options);
  verdict.run = runner.Run();
  verdict.stats = verdict.run.stats;
  verdict.findings = DistinctFindings(verdict.run.findings);
  if (verdict.run.failed_step != 0) ExplainFailedStep(script, verdict.run, verdict);
}

void SampleInstead(const Script& script, const Revision& revision, SampleOptions options,
                   Watch* watch, SelfCheck* self_check, Verdict& verdict) {
  options.watch = watch;
  options.self_check = self_check;
  verdict.sampled = true;
  verdict.sample = SampleLitmus(script, revision, options);
  LitmusReport& litmus = verdict.litmus;
  litmus.setup = verdict.sample.setup;
  litmus.findings = verdict.sample.findings;
  litmus.stats.complete = false;
  litmus.stats.transitions = verdict.sample.transitions;
  litmus.stats.stopped = absl::StrCat(verdict.sample.runs, " runs");
  if (!verdict.sample.stopped.empty())
    absl::StrAppend(&litmus.stats.stopped, ", ", verdict.sample.stopped);
  std::set<LitmusOutcome> outcomes;
  for (const auto& [outcome, sighting] : verdict.sample.outcomes) {
    litmus.outcomes[outcome] = sighting.runs;
    outcomes.insert(outcome);
  }
  for (const Condition& condition : script.conditions)
    litmus.conditions.push_back(Judge(condition, outcomes, false));
}

// Of a script that was sampled and in which nothing failed: whether all that it asks for was seen.
bool AllSeen(const Script& script, const Verdict& verdict) {
  const auto asks_for_one = [](const Condition& condition) {
    return condition.quantifier == Condition::Quantifier::kExists;
  };
  if (script.conditions.empty() && script.expectations.empty()) return false;
  return std::all_of(script.conditions.begin(), script.conditions.end(), asks_for_one) &&
         std::all_of(verdict.litmus.conditions.begin(), verdict.litmus.conditions.end(),
                     [](Truth truth) { return truth == Truth::kHolds; }) &&
         std::all_of(script.expectations.begin(), script.expectations.end(),
                     [&verdict](const Expectation& expectation) {
                       return std::any_of(verdict.findings.begin(), verdict.findings.end(),
                                          [&expectation](const Finding& finding) {
                                            return expectation.finding == FindingName(finding.kind);
                                          });
                     });
}

void CheckLitmus(const Script& script, const Revision& revision, const CheckOptions& options,
                 SelfCheck* self_check, Verdict& verdict) {
  if (options.sample.has_value()) {
    SampleInstead(script, revision, *options.sample, options.watch, self_check, verdict);
  } else {
    verdict.litmus = RunLitmus(script, revision,
                               {.max_states = options.max_states,
                                .reduce = options.reduce,
                                .learn = options.learn,
                                .watch = options.watch,
                                .self_check = self_check,
                                .shard = options.shard,
                                .owner = options.owner});
    verdict.elsewhere = verdict.litmus.elsewhere;
  }
  verdict.stats = verdict.litmus.stats;
  verdict.findings = DistinctFindings(verdict.litmus.findings);
  if (verdict.litmus.setup.failed_step != 0) {
    ExplainFailedStep(script, verdict.litmus.setup, verdict);
    return;
  }
  for (size_t i = 0; i < verdict.litmus.conditions.size(); i++) {
    if (verdict.litmus.conditions[i] != Truth::kFails) continue;
    verdict.status = Verdict::Status::kFails;
    verdict.problems.push_back(
        absl::StrCat(Where(script, script.conditions[i].pos),
                     ": does not hold: ", PrintCondition(script.conditions[i])));
  }
}

}  // namespace

std::string PrintExtent(const Verdict& verdict) {
  if (!verdict.sampled) return PrintStats(verdict.stats);
  return absl::StrCat("incomplete: ", verdict.stats.stopped, "; ", verdict.stats.transitions,
                      " transitions sampled");
}

const Revision& RevisionFor(const std::string& path, const Revision& otherwise) {
  for (absl::string_view part : absl::StrSplit(path, '/')) {
    if (const Revision* named = FindRevision(std::string(part))) return *named;
    if (!absl::ConsumePrefix(&part, "linux-")) continue;
    if (const Revision* recorded = FindRevision(absl::StrCat("v", part))) return *recorded;
  }
  return otherwise;
}

bool IsRecording(const Script& script) {
  return !script.is_litmus() && std::all_of(script.steps.begin(), script.steps.end(),
                                            [](const Step& step) { return step.has_result; });
}

std::vector<Finding> DistinctFindings(const std::set<Finding>& findings) {
  std::vector<Finding> distinct;
  for (const Finding& finding : findings) {
    const bool seen =
        std::any_of(distinct.begin(), distinct.end(), [&finding](const Finding& other) {
          return finding.kind == other.kind && finding.rule == other.rule &&
                 finding.task == other.task && finding.function == other.function;
        });
    if (!seen) distinct.push_back(finding);
  }
  return distinct;
}

Verdict CheckScript(const Script& script, const Revision& revision, const CheckOptions& options) {
  Verdict verdict;
  verdict.recording = IsRecording(script);
  verdict.elsewhere = !script.is_litmus() && !options.owner;
  if (verdict.elsewhere) return verdict;
  SelfCheck self_check;
  if (script.is_litmus()) {
    CheckLitmus(script, revision, options, options.self_check ? &self_check : nullptr, verdict);
  } else {
    CheckSequence(script, revision, options, options.self_check ? &self_check : nullptr, verdict);
  }
  verdict.replays = self_check.replays();
  if (!self_check.problem().empty()) {
    verdict.status = Verdict::Status::kFails;
    verdict.problems.push_back(absl::StrCat(script.name, ": self-check: ", self_check.problem()));
  }
  if (verdict.status != Verdict::Status::kHolds || verdict.elsewhere) return verdict;
  JudgeFindings(script, verdict);
  const bool enough = verdict.sampled && AllSeen(script, verdict);
  if (!verdict.stats.complete && verdict.status == Verdict::Status::kHolds && !enough) {
    verdict.status = Verdict::Status::kIncomplete;
    verdict.problems.push_back(absl::StrCat(script.name, ": ", PrintExtent(verdict)));
  }
  return verdict;
}

}  // namespace iomode
