// SPDX-License-Identifier: GPL-2.0-only

#include "sim/litmus.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"

namespace iomode {
namespace {

bool SameResult(const Result& claimed, const Result& got) {
  return claimed.kind == got.kind && claimed.value == got.value &&
         (claimed.via == Via::kNone || claimed.via == got.via);
}

// The states after the steps, in each of which all threads have been started.
std::vector<Snapshot> StatesWithThreads(Runner& runner) {
  Machine& machine = runner.machine();
  std::vector<Snapshot> starts;
  for (const Snapshot& state : runner.states()) {
    state.Restore(machine.scheduler());
    StartThreads(machine);
    starts.emplace_back().Save(machine.scheduler());
  }
  return starts;
}

// The search through all interleavings of the threads, or one part of it.
class ThreadSearch {
 public:
  // All outlive the search.
  ThreadSearch(Machine& machine, const LitmusOptions& options, LitmusReport& report)
      : machine_(machine),
        options_(options),
        report_(report),
        explorer_(machine, options.watch),
        reduces_(options.reduce && machine.Reducible()) {
    explorer_.set_reduces(reduces_);
    explorer_.set_learns(options.learn);
  }

  void Run(std::vector<Snapshot> starts) {
    report_.stats = {};
    if (!options_.shard.IsWhole()) starts = TakePart(std::move(starts));
    const std::map<LitmusOutcome, uint64_t> outcomes_before = report_.outcomes;
    Explorer::Visited visited;
    explorer_.Search(visited, [&] {
      report_.outcomes = outcomes_before;
      for (const Hash128& key : expanded_) visited.Insert(key);
      for (const Snapshot& start : starts) {
        Explore(start, visited);
        if (!explorer_.stats().complete) break;
      }
    });
    const ExploreStats before = report_.stats;
    report_.stats = explorer_.stats();
    report_.stats.shard = options_.shard;
    report_.stats.states += before.states;
    report_.stats.transitions += before.transitions;
    report_.stats.rests += before.rests;
    report_.findings.insert(machine_.findings().begin(), machine_.findings().end());
  }

 private:
  // What every part walks through; its owner counts it and reports what is there. Returns the
  // states that this part goes on from.
  std::vector<Snapshot> TakePart(std::vector<Snapshot> starts) {
    const bool owner = options_.owner;
    Spread spread = SpreadOut(
        machine_, starts, kBranchesPerShard * static_cast<size_t>(options_.shard.count), reduces_,
        [&] {
          if (owner) AtRest();
        },
        [&] {
          if (owner) machine_.CheckStarvation();
        });
    std::vector<Snapshot>& frontier = spread.frontier;
    report_.elsewhere = frontier.empty() && !owner;
    if (owner) {
      report_.stats.states = spread.expanded.size();
      report_.stats.transitions = spread.transitions;
      report_.stats.rests = spread.rests;
    }
    expanded_ = std::move(spread.expanded);
    const auto begin = frontier.begin();
    return {std::make_move_iterator(begin + options_.shard.Begin(frontier.size())),
            std::make_move_iterator(begin + options_.shard.End(frontier.size()))};
  }

  void Explore(const Snapshot& start, Explorer::Visited& visited) {
    start.Restore(machine_.scheduler());
    const auto at_state = [this] { machine_.CheckStarvation(); };
    const auto at_rest = [&] {
      if (options_.self_check != nullptr)
        options_.self_check->Verify(machine_, start, explorer_.Path(), at_state);
      AtRest();
    };
    explorer_.Run(visited, options_.max_states, at_rest, at_state);
  }

  void AtRest() {
    report_.outcomes[OutcomeOf(machine_)]++;
    machine_.CheckAtRest();
  }

  Machine& machine_;
  const LitmusOptions& options_;
  LitmusReport& report_;
  Explorer explorer_;
  const bool reduces_;
  std::vector<Hash128> expanded_;  // before this part begins
};

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

  ThreadSearch search(runner.machine(), options, report);
  search.Run(StatesWithThreads(runner));
  if (report.elsewhere) return report;
  std::set<LitmusOutcome> outcomes;
  for (const auto& [outcome, states] : report.outcomes) outcomes.insert(outcome);
  const bool all = report.stats.complete && options.shard.IsWhole();
  for (const Condition& condition : script.conditions)
    report.conditions.push_back(Judge(condition, outcomes, all));
  return report;
}

}  // namespace iomode
