// SPDX-License-Identifier: GPL-2.0-only

#include "sim/litmus.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace iomode {
namespace {

bool SameResult(const Result& claimed, const Result& got) {
  return claimed.kind == got.kind && claimed.value == got.value &&
         (claimed.via == Via::kNone || claimed.via == got.via);
}

}  // namespace

LitmusOutcome OutcomeOf(const Machine& machine) {
  LitmusOutcome outcome(machine.script().threads.size());
  for (size_t i = 0; i < machine.programs().size(); i++) {
    const int thread = machine.programs()[i].thread;
    if (thread >= 0) outcome[thread].push_back(machine.ResultOf(static_cast<int>(i)));
  }
  return outcome;
}

void StartThreads(Machine& machine) {
  int last = -1;
  for (size_t i = 0; i < machine.programs().size(); i++) {
    const int thread = machine.programs()[i].thread;
    if (thread > last) machine.Start(static_cast<int>(i));
    last = thread;
  }
}

Truth Judge(const Condition& condition, const std::set<LitmusOutcome>& outcomes, bool complete) {
  const bool exists = condition.quantifier == Condition::Quantifier::kExists;
  const bool always = condition.quantifier == Condition::Quantifier::kAlways;
  // One outcome decides: it is what `exists` asks for, or it breaks `never` or `always`.
  const bool decided = std::any_of(
      outcomes.begin(), outcomes.end(),
      [&](const LitmusOutcome& outcome) { return Holds(condition.expr, outcome) != always; });
  if (decided) return exists ? Truth::kHolds : Truth::kFails;
  if (!complete) return Truth::kOpen;
  return exists ? Truth::kFails : Truth::kHolds;
}

bool Holds(const Condition::Expr& expr, const LitmusOutcome& outcome) {
  using Kind = Condition::Expr::Kind;
  switch (expr.kind) {
    case Kind::kAnd:
      return Holds(expr.operands[0], outcome) && Holds(expr.operands[1], outcome);
    case Kind::kOr:
      return Holds(expr.operands[0], outcome) || Holds(expr.operands[1], outcome);
    case Kind::kNot:
      return !Holds(expr.operands[0], outcome);
    case Kind::kEq:
      return SameResult(expr.result, outcome[expr.thread][expr.step - 1]);
    case Kind::kNe:
      return !SameResult(expr.result, outcome[expr.thread][expr.step - 1]);
  }
  return false;
}

std::string PrintOutcome(const LitmusOutcome& outcome) {
  std::string text;
  for (size_t t = 0; t < outcome.size(); t++) {
    for (size_t i = 0; i < outcome[t].size(); i++) {
      absl::StrAppend(&text, text.empty() ? "" : "  ", "P", t, ".", i + 1, "=",
                      PrintResult(outcome[t][i]));
    }
  }
  return text;
}

LitmusReport RunLitmus(const Script& script, const Revision& revision,
                       const LitmusOptions& options) {
  LitmusReport report;
  RunnerOptions runner_options;
  runner_options.max_states = options.max_states;
  runner_options.reduce = options.reduce;
  runner_options.watch = options.watch;
  runner_options.faults = options.faults;
  runner_options.self_check = options.self_check;
  Runner runner(script, revision, runner_options);
  report.setup = runner.RunSteps();
  report.stats = report.setup.stats;
  report.findings = report.setup.findings;
  if (report.setup.failed_step != 0 || !report.stats.complete) return report;

  Machine& machine = runner.machine();
  const auto at_state = [&machine] { machine.CheckStarvation(); };
  Explorer explorer(machine, options.watch);
  Explorer::Visited visited;
  explorer.set_reduces(options.reduce && machine.Reducible());
  explorer.Search(visited, [&] {
    report.outcomes.clear();
    for (const Snapshot& state : runner.states()) {
      state.Restore(machine.scheduler());
      StartThreads(machine);
      Snapshot root;
      root.Save(machine.scheduler());
      explorer.Run(
          visited, options.max_states,
          [&] {
            report.outcomes[OutcomeOf(machine)]++;
            if (options.self_check != nullptr)
              options.self_check->Verify(machine, root, explorer.Path(), at_state);
            machine.CheckAtRest();
          },
          at_state);
      if (!explorer.stats().complete) break;
    }
  });
  report.stats = explorer.stats();
  report.findings.insert(machine.findings().begin(), machine.findings().end());
  std::set<LitmusOutcome> outcomes;
  for (const auto& [outcome, states] : report.outcomes) outcomes.insert(outcome);
  for (const Condition& condition : script.conditions) {
    report.conditions.push_back(Judge(condition, outcomes, report.stats.complete));
  }
  return report;
}

}  // namespace iomode
