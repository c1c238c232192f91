// SPDX-License-Identifier: GPL-2.0-only

#include "sim/runner.h"

#include <algorithm>
#include <random>

#include "sim/random_walk.h"
#include "sim/teardown.h"

namespace iomode {
namespace {

bool Contains(const Alternatives& alternatives, const Result& result) {
  return std::find(alternatives.begin(), alternatives.end(), result) != alternatives.end();
}

const Result kBlocked = {Result::Kind::kBlocked, 0, Via::kNone};

// At most this many end states are closed down and checked for leaks.
constexpr size_t kMaxTeardowns = 32;

}  // namespace

bool Allows(const Step& step, const StepOutcome& outcome) {
  if (!Contains(step.result, outcome.own)) return false;
  size_t seen = 0;
  for (const Completion& completion : step.completions) {
    const auto it = outcome.completions.find(completion.step);
    if (it == outcome.completions.end()) {
      if (!Contains(completion.results, kBlocked)) return false;
    } else {
      seen++;
      if (!Contains(completion.results, it->second)) return false;
    }
  }
  return seen == outcome.completions.size();
}

StepOutcome OutcomeAtRest(const Machine& machine, int index) {
  StepOutcome outcome;
  outcome.own = machine.ResultOf(index);
  for (int i = 0; i < index; i++) {
    if (machine.completed(i)) outcome.completions[i + 1] = machine.ResultOf(i);
  }
  return outcome;
}

void TakeResults(Machine& machine, int index) {
  for (int i = 0; i <= index; i++) {
    if (machine.completed(i)) machine.TakeResult(i);
  }
}

void SetResults(const StepReport& report, Step& step) {
  std::set<Result> own;
  std::map<int, std::set<Result>> completions;
  for (const StepOutcome& outcome : report.outcomes) {
    own.insert(outcome.own);
    for (const auto& [number, result] : outcome.completions) completions[number].insert(result);
  }
  for (auto& [number, results] : completions) {
    for (const StepOutcome& outcome : report.outcomes) {
      if (!outcome.completions.contains(number)) results.insert(kBlocked);
    }
  }
  step.has_result = true;
  step.result.assign(own.begin(), own.end());
  step.completions.clear();
  for (const auto& [number, results] : completions) {
    step.completions.push_back({number, Alternatives(results.begin(), results.end()), {}});
  }
}

struct Runner::Random {
  explicit Random(uint64_t seed) : numbers(seed) {}

  std::mt19937_64 numbers;
};

Runner::Runner(const Script& script, const Revision& revision, const RunnerOptions& options)
    : script_(script),
      options_(options),
      machine_(script, revision),
      explorer_(machine_, options.watch),
      random_(options.seed.has_value() ? std::make_unique<Random>(*options.seed) : nullptr) {
  machine_.Inject(options.faults);
  explorer_.set_reduces(options.reduce && machine_.Reducible());
  states_.emplace_back();
  states_.back().Save(machine_.scheduler());
}

Runner::~Runner() = default;

void Runner::NoteFindings(int step) {
  for (const Finding& finding : machine_.findings()) {
    if (!(machine_.finding_kinds() >> static_cast<int>(finding.kind) & 1)) continue;
    report_.findings.insert(finding);
    report_.found_at.emplace(finding.kind, step);
  }
}

void Runner::AtRest(int index, const Step& step, StepReport& report, Explorer::Visited& kept,
                    std::vector<Snapshot>& next) {
  const StepOutcome outcome = OutcomeAtRest(machine_, index);
  report.outcomes.insert(outcome);
  if (options_.narrow && step.has_result && !Allows(step, outcome)) return;

  Scheduler& s = machine_.scheduler();
  Snapshot before;
  before.Save(s);
  TakeResults(machine_, index);
  machine_.CheckAtRest();
  NoteFindings(step.number);
  if (kept.Insert(s.Key())) {
    next.emplace_back();
    next.back().Save(s);
    report.state_lines.insert(machine_.StateLines());
  }
  before.Restore(s);
}

// Runs one task after the other, picked at random, until none can run.
void Runner::WalkAtRandom() {
  while (RandomStep(machine_, random_->numbers)) {
  }
}

bool Runner::RunStep(int index) {
  const Step& step = *machine_.programs()[index].step;
  StepReport step_report;
  Explorer::Visited visited;
  Explorer::Visited kept;
  std::vector<Snapshot> next;
  explorer_.Search(visited, [&] {
    for (const Snapshot& state : states_) {
      state.Restore(machine_.scheduler());
      machine_.Start(index);
      if (random_ != nullptr) {
        WalkAtRandom();
        AtRest(index, step, step_report, kept, next);
      } else {
        Snapshot root;
        if (options_.self_check != nullptr) root.Save(machine_.scheduler());
        explorer_.Run(visited, options_.max_states, [&] {
          if (options_.self_check != nullptr)
            options_.self_check->Verify(machine_, root, explorer_.Path());
          AtRest(index, step, step_report, kept, next);
        });
      }
      if (!explorer_.stats().complete) break;
    }
  });
  report_.steps.push_back(std::move(step_report));
  if (next.empty() && explorer_.stats().complete) {
    report_.failed_step = step.number;
    std::set<std::string> lines;
    for (const Snapshot& state : states_) {
      state.Restore(machine_.scheduler());
      for (const std::string& line : machine_.StateLines()) lines.insert(line);
    }
    report_.states_before_failure.assign(lines.begin(), lines.end());
    return false;
  }
  states_ = std::move(next);
  return explorer_.stats().complete;
}

// Of the present states; none while it is open which states there are.
uint32_t Runner::CertainFindings() {
  if (report_.failed_step != 0 || !explorer_.stats().complete) return 0;
  uint32_t kinds = ~0u;
  for (const Snapshot& state : states_) {
    state.Restore(machine_.scheduler());
    kinds &= machine_.finding_kinds();
  }
  return kinds;
}

RunReport Runner::RunSteps() {
  bool runs = true;
  for (size_t i = 0; runs && i < script_.steps.size(); i++) runs = RunStep(static_cast<int>(i));
  report_.claims_met =
      report_.steps.size() == script_.steps.size() && !states_.empty() && report_.failed_step == 0;
  report_.certain = CertainFindings();
  report_.stats = explorer_.stats();
  return report_;
}

void Runner::RunTeardown() {
  for (size_t i = 0; i < states_.size() && i < kMaxTeardowns; i++) {
    states_[i].Restore(machine_.scheduler());
    Teardown teardown;
    for (int slot; (slot = teardown.Next(machine_)) >= 0;) {
      machine_.scheduler().Resume(slot);
      machine_.Finish(slot);
    }
    NoteFindings(0);
  }
}

RunReport Runner::Run() {
  RunSteps();
  if (report_.failed_step == 0 && explorer_.stats().complete) RunTeardown();
  report_.stats = explorer_.stats();
  return report_;
}

}  // namespace iomode
