// SPDX-License-Identifier: GPL-2.0-only

#include "props/sequential_orders.h"

#include <map>
#include <utility>
#include <vector>

#include "sim/explorer.h"

namespace iomode {
namespace {

// The script as a sequence, so that each step is a task of its own: set-up first, then the threads.
Script Flatten(const Script& script) {
  Script flat = script;
  flat.threads.clear();
  flat.conditions.clear();
  flat.lines.clear();
  for (const std::vector<Step>& thread : script.threads) {
    for (Step step : thread) {
      step.thread = -1;
      step.number = static_cast<int>(flat.steps.size()) + 1;
      flat.steps.push_back(std::move(step));
    }
  }
  return flat;
}

class Orders {
 public:
  Orders(const Script& script, const Revision& revision, uint64_t max_states)
      : script_(script),
        flat_(Flatten(script)),
        max_states_(max_states),
        machine_(flat_, revision),
        explorer_(machine_) {}

  OrdersReport Run() {
    Snapshot start;
    start.Save(machine_.scheduler());
    std::vector<Snapshot> states = {std::move(start)};
    for (size_t i = 0; i < script_.steps.size(); i++) {
      std::vector<Snapshot> next;
      for (const Snapshot& state : states) StartAt(state, static_cast<int>(i), next);
      states = std::move(next);
    }
    const std::vector<size_t> none(script_.threads.size());
    for (const Snapshot& state : states) Extend(state, none);
    report_.complete = explorer_.stats().complete;
    return std::move(report_);
  }

 private:
  int IndexOf(size_t thread, size_t step) const {
    size_t index = script_.steps.size() + step;
    for (size_t t = 0; t < thread; t++) index += script_.threads[t].size();
    return static_cast<int>(index);
  }

  // Starts a step and adds the states in which nothing can run then.
  void StartAt(const Snapshot& state, int index, std::vector<Snapshot>& rests) {
    state.Restore(machine_.scheduler());
    machine_.Start(index);
    Explorer::Visited visited;
    explorer_.Run(visited, max_states_, [&] {
      rests.emplace_back();
      rests.back().Save(machine_.scheduler());
    });
  }

  // `started`: by thread, how many steps.
  void Extend(const Snapshot& state, const std::vector<size_t>& started) {
    state.Restore(machine_.scheduler());
    const Hash128 key = machine_.scheduler().Key();
    if (!seen_[started].insert({key.lo, key.hi}).second) return;
    bool last = true;
    for (size_t t = 0; t < started.size(); t++) {
      if (started[t] == script_.threads[t].size()) continue;
      state.Restore(machine_.scheduler());
      if (started[t] > 0 && machine_.blocked(IndexOf(t, started[t] - 1))) continue;
      last = false;
      std::vector<size_t> next = started;
      next[t]++;
      std::vector<Snapshot> rests;
      StartAt(state, IndexOf(t, started[t]), rests);
      for (const Snapshot& rest : rests) Extend(rest, next);
    }
    if (last) AddOutcome(state);
  }

  void AddOutcome(const Snapshot& state) {
    state.Restore(machine_.scheduler());
    LitmusOutcome outcome(script_.threads.size());
    for (size_t t = 0; t < outcome.size(); t++) {
      for (size_t i = 0; i < script_.threads[t].size(); i++)
        outcome[t].push_back(machine_.ResultOf(IndexOf(t, i)));
    }
    report_.outcomes.insert(std::move(outcome));
  }

  const Script& script_;
  const Script flat_;
  const uint64_t max_states_;
  Machine machine_;
  Explorer explorer_;
  OrdersReport report_;
  std::map<std::vector<size_t>, std::set<std::pair<uint64_t, uint64_t>>> seen_;
};

}  // namespace

OrdersReport SequentialOutcomes(const Script& script, const Revision& revision,
                                uint64_t max_states) {
  return Orders(script, revision, max_states).Run();
}

LitmusOutcome WithoutVia(LitmusOutcome outcome) {
  for (std::vector<Result>& thread : outcome) {
    for (Result& result : thread) result.via = Via::kNone;
  }
  return outcome;
}

}  // namespace iomode
