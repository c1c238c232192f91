// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/kernel/judgement.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "conformance/agent/payload.h"
#include "sim/script_parser.h"
#include "sim/verdict.h"

namespace iomode::conform {
namespace {

// Kinds that mean a task which sleeps: if every interleaving that gives the kernel's results has
// one, then the kernel's task sleeps, too. Other kinds need a look into the kernel's memory.
constexpr FindingKind kShowInResults[] = {FindingKind::kLostWakeup, FindingKind::kDeadlock,
                                          FindingKind::kStarvation};

// What several runs gave, once a different outcome.
struct Outcome {
  std::string text;
  int count = 1;
};

// Splits what the agent printed; with several runs each outcome has a line
// "=== FILE (2 of 5)" before it.
std::vector<Outcome> SplitOutcomes(const std::string& out) {
  std::vector<Outcome> outcomes;
  for (absl::string_view line : absl::StrSplit(out, '\n')) {
    if (absl::StartsWith(line, "=== ")) {
      Outcome next;
      const size_t open = line.rfind('(');
      if (open != absl::string_view::npos) {
        std::sscanf(std::string(line.substr(open)).c_str(), "(%d", &next.count);
      }
      outcomes.push_back(next);
      continue;
    }
    if (outcomes.empty()) outcomes.emplace_back();
    absl::StrAppend(&outcomes.back().text, line, "\n");
  }
  std::erase_if(outcomes, [](const Outcome& outcome) {
    return outcome.text.find_first_not_of("\n") == std::string::npos;
  });
  for (Outcome& outcome : outcomes) {
    while (absl::EndsWith(outcome.text, "\n\n")) outcome.text.pop_back();
  }
  return outcomes;
}

// The results of one interleaving in the notation of scripts.
std::string ModelResults(const Step& step, const StepOutcome& outcome) {
  StepReport report;
  report.outcomes = {outcome};
  Step copy = step;
  SetResults(report, copy);
  return PrintResults(copy);
}

void ExplainFailure(const Script& script, const Script& recorded, const RunReport& report,
                    Judgement& judgement) {
  const int index = report.failed_step - 1;
  const Step& step = recorded.steps[index];
  judgement.failed_step = report.failed_step;
  std::vector<std::string>& details = judgement.details;
  details.push_back(absl::StrCat(script.name, ":", script.steps[index].pos.line,
                                 ": the model does not allow step ", PrintStep(recorded, step)));
  details.push_back(absl::StrCat("  kernel ", PrintResults(step)));
  for (const StepOutcome& outcome : report.steps.back().outcomes) {
    details.push_back(absl::StrCat("  model  ", ModelResults(step, outcome)));
  }
  for (const std::string& line : report.states_before_failure) {
    details.push_back(absl::StrCat("  before  ", line.substr(line.find_first_not_of("# "))));
  }
}

// A finding of this kind as the checks described it, with the step after which it was seen.
std::string Describe(const Verdict& verdict, FindingKind kind) {
  const auto at = verdict.run.found_at.find(kind);
  const int step = at == verdict.run.found_at.end() ? 0 : at->second;
  for (const Finding& finding : verdict.findings) {
    if (finding.kind != kind) continue;
    return absl::StrCat(FindingName(kind), " after step ", step, ": ", finding.rule, " (",
                        finding.task, " in ", finding.function, ")");
  }
  return FindingName(kind);
}

bool Has(uint32_t kinds, FindingKind kind) { return kinds >> static_cast<int>(kind) & 1; }

// What the model predicts of one outcome: what every interleaving behind it has is shown. Of a
// WARN_ON the kernel's log tells.
void NoteFindings(const Verdict& verdict, Judgement& judgement) {
  if (Has(verdict.run.certain, FindingKind::kWarn)) {
    judgement.shown[FindingKind::kWarn] = {1, Describe(verdict, FindingKind::kWarn)};
  }
  for (FindingKind kind : kShowInResults) {
    if (!Has(verdict.run.certain, kind)) continue;
    judgement.kind = Judgement::Kind::kConfirmed;
    judgement.shown[kind] = {1, Describe(verdict, kind)};
  }
}

// Says what all runs together show, and what the script expects and they do not.
void DescribeShown(const Script& script, Judgement& judgement) {
  for (const auto& [kind, shown] : judgement.shown) {
    judgement.details.push_back(absl::StrCat(
        kind == FindingKind::kWarn ? "the model predicts"
                                   : "the model predicts, and the kernel shows",
        judgement.runs > 1 ? absl::StrCat(" in ", shown.runs, " of ", judgement.runs, " runs") : "",
        ", ", shown.what));
  }
  for (const Expectation& expected : script.expectations) {
    const FindingKind kind = *FindingFromName(expected.finding);
    if (judgement.shown.contains(kind)) continue;
    const bool shows = std::find(std::begin(kShowInResults), std::end(kShowInResults), kind) !=
                       std::end(kShowInResults);
    judgement.details.push_back(absl::StrCat("the script expects ", expected.finding, ", which ",
                                             shows ? "no run shows" : "results do not show"));
  }
}

struct OutcomeJudge {
  const Script& script;
  const Revision& revision;
  const JudgeOptions& options;

  // Judges one outcome into a judgement of its own.
  Judgement operator()(const std::string& text) const {
    Judgement judgement;
    absl::StatusOr<Script> recorded = ParseScript(script.name, text);
    if (!recorded.ok() || recorded->steps.size() != script.steps.size()) {
      judgement.kind = Judgement::Kind::kHung;
      judgement.details.push_back("the agent's answer is no recording of this script");
      if (!recorded.ok()) judgement.details.emplace_back(recorded.status().message());
      return judgement;
    }
    recorded->expectations.clear();
    const Verdict verdict =
        CheckScript(*recorded, revision,
                    CheckOptions{.max_states = options.max_states, .watch = options.watch});
    if (verdict.run.failed_step != 0) {
      judgement.kind = Judgement::Kind::kDisagree;
      ExplainFailure(script, *recorded, verdict.run, judgement);
    } else if (!verdict.stats.complete) {
      judgement.in_part = true;
      if (!verdict.run.claims_met) judgement.kind = Judgement::Kind::kIncomplete;
      judgement.details.push_back(
          absl::StrCat("stopped after ", verdict.stats.states, " states: ", verdict.stats.stopped,
                       verdict.run.claims_met ? "; an interleaving gives the results, what findings "
                                                "the others have is open"
                                              : ""));
    } else {
      NoteFindings(verdict, judgement);
    }
    return judgement;
  }
};

// How bad a kind is, to choose among outcomes.
int Rank(Judgement::Kind kind) {
  switch (kind) {
    case Judgement::Kind::kAgree:
      return 0;
    case Judgement::Kind::kConfirmed:
      return 1;
    case Judgement::Kind::kNotRun:
      return 2;
    case Judgement::Kind::kIncomplete:
      return 3;
    case Judgement::Kind::kHung:
      return 4;
    case Judgement::Kind::kDisagree:
      return 5;
  }
  return 0;
}

void Merge(Judgement one, int count, Judgement& all) {
  all.runs += count;
  all.outcomes++;
  all.in_part |= one.in_part;
  if (!one.passed()) all.disagreeing += count;
  for (const auto& [kind, shown] : one.shown) {
    all.shown[kind].runs += count;
    all.shown[kind].what = shown.what;
  }
  if (all.outcomes > 1 && one.details == all.details && one.kind == all.kind) return;
  if (Rank(one.kind) > Rank(all.kind) || all.outcomes == 1) {
    all.kind = one.kind;
    all.failed_step = one.failed_step;
    std::swap(all.details, one.details);
  }
  for (std::string& line : one.details) all.details.push_back(std::move(line));
}

// Whether the log holds nothing but WARN_ONs of FUSE: "WARNING: CPU: 1 PID: 7 at
// fs/fuse/file.c:1418 fuse_dio_lock", or, from a kernel without CONFIG_DEBUG_BUGVERBOSE, "... at
// fuse_dio_lock+0x1/0x2".
bool OnlyFuseWarns(const std::vector<std::string>& log) {
  return std::all_of(log.begin(), log.end(), [](const std::string& line) {
    return absl::StrContains(line, "WARNING: ") &&
           (absl::StrContains(line, " at fs/fuse/") || absl::StrContains(line, " at fuse_"));
  });
}

// Holds what the kernel logged against the WARN_ONs that the model predicts for every run.
void JudgeLog(const std::vector<std::string>& log, Judgement& judgement) {
  const auto predicted = judgement.shown.find(FindingKind::kWarn);
  const bool warn = predicted != judgement.shown.end() && predicted->second.runs == judgement.runs;
  if (log.empty() && !warn) return;
  if (warn && !log.empty() && OnlyFuseWarns(log)) {
    if (judgement.kind == Judgement::Kind::kAgree) judgement.kind = Judgement::Kind::kConfirmed;
    return;
  }
  if (!warn && judgement.in_part && OnlyFuseWarns(log) && judgement.passed()) {
    judgement.kind = Judgement::Kind::kIncomplete;  // it may be predicted
  } else {
    judgement.kind = Judgement::Kind::kDisagree;
  }
  if (log.empty()) judgement.details.push_back("the kernel logged no such warning");
  for (const std::string& line : log) {
    judgement.details.push_back(absl::StrCat("the kernel logged: ", line));
  }
}

void AddLines(const std::string& text, const char* front, std::vector<std::string>* details) {
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    details->push_back(absl::StrCat(front, line));
  }
}

}  // namespace

const char* KindName(Judgement::Kind kind) {
  switch (kind) {
    case Judgement::Kind::kAgree:
      return "agree";
    case Judgement::Kind::kConfirmed:
      return "CONFIRMED";
    case Judgement::Kind::kDisagree:
      return "DISAGREE";
    case Judgement::Kind::kHung:
      return "HUNG";
    case Judgement::Kind::kIncomplete:
      return "incomplete";
    case Judgement::Kind::kNotRun:
      return "not run";
  }
  return "?";
}

Judgement Judge(const Script& script, const AgentOutcome& outcome, const Revision& revision,
                const JudgeOptions& options) {
  Judgement all;
  const OutcomeJudge judge = {script, revision, options};
  for (const Outcome& one : SplitOutcomes(outcome.out)) {
    Merge(judge(one.text), one.count, all);
    all.recordings.push_back(one.text);
  }
  DescribeShown(script, all);
  all.seconds = outcome.seconds;
  if (all.runs == 0) all.kind = Judgement::Kind::kHung;
  all.flaky = all.disagreeing != 0 && all.disagreeing != all.runs;
  if (all.flaky) {
    all.details.insert(all.details.begin(), absl::StrCat("flaky: ", all.disagreeing, " of ",
                                                         all.runs, " runs do not agree"));
  }
  if (outcome.exit != kAgentOk || outcome.stopped) {
    if (all.kind != Judgement::Kind::kDisagree) all.kind = Judgement::Kind::kHung;
    all.details.push_back(
        absl::StrCat(outcome.stopped ? "the agent was stopped" : "the agent's exit code is ",
                     outcome.stopped ? "" : absl::StrCat(outcome.exit)));
    AddLines(outcome.err, "  ", &all.details);
  }
  JudgeLog(outcome.kernel_log, all);
  return all;
}

Judgement NotRun(std::string reason) {
  Judgement judgement;
  judgement.kind = Judgement::Kind::kNotRun;
  judgement.details.push_back(std::move(reason));
  return judgement;
}

std::string WhyNotRunnable(const Script& script) {
  if (script.is_litmus()) return "it has threads, and no kernel runs all their interleavings";
  if (script.steps.size() > agent::kMaxSteps || script.inodes.size() > agent::kMaxInodes ||
      script.backings.size() > agent::kMaxBackings) {
    return "it has more steps, inodes or backings than the agent takes";
  }
  return "";
}

const Revision* RevisionOfRelease(const std::string& release) {
  int version = 0;
  int patchlevel = 0;
  if (std::sscanf(release.c_str(), "%d.%d", &version, &patchlevel) != 2) return nullptr;
  return RevisionOfLinux(version, patchlevel);
}

}  // namespace iomode::conform
