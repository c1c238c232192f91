// SPDX-License-Identifier: GPL-2.0-only

#include "sim/held_sequence.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "sim/explorer.h"
#include "sim/op_graph.h"
#include "sim/run_goals.h"
#include "sim/runner.h"
#include "sim/script_parser.h"

namespace iomode {
namespace {

// So many sequences that can meet the finding are looked at for one that always does.
constexpr int kMaxCandidates = 24;

// What a step of the universe is: set-up (thread -1), a thread's step, held or not, or the reply to
// one that is held.
struct Role {
  int thread = -1;
  int number = 0;  // of the step in its thread
  bool is_reply = false;
};

// All that a sequence may do, as a script that is not to be run in order: the set-up, then each
// step of a thread as it is, held, and the reply to that.
struct Universe {
  explicit Universe(const Script& litmus) : script(litmus) {
    script.threads.clear();
    script.conditions.clear();
    script.expectations.clear();
    script.lines.clear();
    roles.resize(script.steps.size());
    for (const std::vector<Step>& thread : litmus.threads) {
      for (const Step& step : thread) {
        const Role role = {step.thread, step.number, false};
        Add(step, role);
        if (!TakesHold(step.op)) continue;
        Add(step, role).hold = step.op == Op::kClose ? Hold::kFlush : Hold::kRequest;
        Step reply;
        reply.op = Op::kReply;
        reply.targets = {static_cast<int>(script.steps.size())};
        Add(reply, {step.thread, step.number, true});
      }
    }
  }

  Step& Add(Step step, Role role) {
    step.thread = -1;
    step.number = static_cast<int>(script.steps.size()) + 1;
    script.steps.push_back(std::move(step));
    roles.push_back(role);
    return script.steps.back();
  }

  Script script;
  std::vector<Role> roles;  // by index of the script's step
};

// A state at rest, and how it was first reached.
struct Node {
  Snapshot state;
  int parent;
  PathStep step;
};

// Breadth first over sequences, merging equal states.
class Search {
 public:
  Search(const Script& litmus, const Revision& revision, const Finding& finding,
         uint64_t max_states)
      : universe_(litmus),
        revision_(revision),
        pattern_{finding.kind, finding.rule, "", "", finding.function},
        max_states_(max_states),
        machine_(universe_.script, revision),
        explorer_(machine_) {}

  HeldSequence Run() {
    Keep(-1, {});
    for (size_t at = 0; at < nodes_.size() && !done_; at++) {
      for (size_t op = 0; op < universe_.roles.size() && !done_; op++) {
        nodes_[at].state.Restore(machine_.scheduler());
        if (CanDo(static_cast<int>(op))) Do(static_cast<int>(at), static_cast<int>(op));
      }
      if (!explorer_.stats().complete) {
        best_.complete = false;
        break;
      }
    }
    return std::move(best_);
  }

 private:
  bool Started(int op) const {
    return machine_.step_state(op).kind != Machine::StepState::kNotStarted;
  }
  bool Over(int op) const { return machine_.step_state(op).kind == Machine::StepState::kReported; }

  // Set-up in order, threads' steps in the order of their thread and once each, replies to what is
  // held.
  bool CanDo(int op) const {
    if (Started(op)) return false;
    const Role& role = universe_.roles[op];
    if (role.is_reply) return machine_.IsHeld(universe_.script.steps[op].targets[0] - 1);
    bool before_over = role.number <= 1;
    for (int other = 0; other < static_cast<int>(universe_.roles.size()); other++) {
      const Role& at = universe_.roles[other];
      if (at.thread < 0 && other < op && !Started(other)) return false;
      if (role.thread < 0 || at.thread != role.thread || at.is_reply) continue;
      if (at.number == role.number && Started(other)) return false;
      if (at.number == role.number - 1) before_over |= Over(other);
    }
    return before_over;
  }

  void Do(int from, int op) {
    machine_.Start(op);
    Explorer::Visited visited;
    explorer_.Run(visited, max_states_, [&] { AtRest(from, op); });
  }

  void AtRest(int from, int op) {
    Snapshot before;
    before.Save(machine_.scheduler());
    StepOutcome outcome;
    outcome.own = machine_.ResultOf(op);
    for (int i = 0; i < static_cast<int>(universe_.roles.size()); i++) {
      if (i != op && machine_.completed(i)) outcome.completions[i + 1] = machine_.ResultOf(i);
      if (machine_.completed(i)) machine_.TakeResult(i);
    }
    machine_.CheckAtRest();
    const bool met = machine_.finding_kinds() >> static_cast<int>(pattern_.kind) & 1;
    const int node = Keep(from, {op, outcome});
    if (met && node >= 0 && !done_) Judge(node);
    before.Restore(machine_.scheduler());
  }

  // The number of a state that is new, or -1.
  int Keep(int parent, PathStep step) {
    if (!known_.Insert(machine_.scheduler().Key())) return -1;
    nodes_.push_back({{}, parent, std::move(step)});
    nodes_.back().state.Save(machine_.scheduler());
    return static_cast<int>(nodes_.size()) - 1;
  }

  // Runs the sequence that leads to a node, by itself.
  void Judge(int node) {
    std::vector<PathStep> path;
    for (; nodes_[node].parent >= 0; node = nodes_[node].parent) path.push_back(nodes_[node].step);
    std::reverse(path.begin(), path.end());
    Script script = PathScript(universe_.script, path);
    script.name = "sequence";
    script.expectations.push_back({FindingName(pattern_.kind), {}});
    const absl::StatusOr<Script> parsed = ParseScript(script.name, PrintScript(script));
    if (!parsed.ok()) return;
    best_.tried++;
    Runner runner(*parsed, revision_,
                  {.max_states = max_states_, .narrow = false, .seed = std::nullopt});
    const RunReport report = runner.Run();
    ScheduledWorld::listener = &machine_;
    const bool reached =
        report.stats.complete &&
        std::any_of(report.findings.begin(), report.findings.end(),
                    [this](const Finding& finding) { return IsLike(finding, pattern_); });
    if (reached) Take(script, runner, report);
    done_ = best_.every_run || best_.tried == kMaxCandidates;
  }

  void Take(Script& script, Runner& runner, const RunReport& report) {
    bool every_run = true;
    for (const Snapshot& state : runner.states()) {
      state.Restore(runner.machine().scheduler());
      every_run &= runner.machine().finding_kinds() >> static_cast<int>(pattern_.kind) & 1;
    }
    if (best_.found && !every_run) return;
    best_.found = true;
    best_.every_run = every_run;
    for (size_t i = 0; i < report.steps.size(); i++) SetResults(report.steps[i], script.steps[i]);
    best_.script = std::move(script);
  }

  const Universe universe_;
  const Revision& revision_;
  const Finding pattern_;
  const uint64_t max_states_;
  Machine machine_;
  Explorer explorer_;
  Explorer::Visited known_;
  std::vector<Node> nodes_;
  HeldSequence best_;
  bool done_ = false;
};

}  // namespace

HeldSequence FindHeldSequence(const Script& litmus, const Revision& revision,
                              const Finding& finding, uint64_t max_states) {
  return Search(litmus, revision, finding, max_states).Run();
}

}  // namespace iomode
