// SPDX-License-Identifier: GPL-2.0-only

#include "sim/script_run.h"

#include <map>

#include "sim/litmus.h"
#include "sim/reduction.h"

namespace iomode {

struct ScriptRun::Learning {
  explicit Learning(Machine& machine)
      : reduction(machine.scheduler()), transitions(machine, reduction) {}

  Reduction reduction;  // of which nothing is asked
  LearnedTransitions transitions;
  // Of the transitions that have any.
  std::map<const LearnedTransitions::Transition*, std::set<Finding>> findings;
};

ScriptRun::ScriptRun(const Script& script, const Revision& revision, bool narrow)
    : script_(script), machine_(script, revision), narrow_(narrow) {
  StartPhase();
  Settle();
  found_ = machine_.TakeFindings();
}

ScriptRun::~ScriptRun() = default;

void ScriptRun::Learn(size_t most) {
  if (!script_.is_litmus() || !machine_.ReportsAccesses()) return;
  learning_ = std::make_unique<Learning>(machine_);
  learning_->transitions.set_most(most);
  if (!in_steps()) learning_->transitions.Begin();
}

bool ScriptRun::lost() const { return learning_ != nullptr && learning_->transitions.failed(); }

Hash128 ScriptRun::Key() const {
  const Hash128 state = learns() ? learning_->transitions.key() : machine_.scheduler().Key();
  return HashMix(state, teardown_.progress(), 0);
}

void ScriptRun::StartPhase() {
  last_slot_ = -1;
  if (in_steps()) {
    machine_.Start(phase_);
  } else if (script_.is_litmus()) {
    StartThreads(machine_);
    if (learns()) learning_->transitions.Begin();
    Check(&Machine::CheckStarvation);
  }
}

void ScriptRun::FindMoves() {
  moves_.clear();
  const Scheduler& s = machine_.scheduler();
  for (int slot = 0; slot < s.task_count(); slot++) {
    if (!s.Enabled(slot)) continue;
    const int choices = s.task(slot).pending == Pending::kChoose ? s.task(slot).choices : 1;
    for (int choice = 0; choice < choices; choice++) {
      moves_.push_back({static_cast<int16_t>(slot), static_cast<int16_t>(choice)});
    }
  }
}

// Finds the moves; where there are none, goes on to the next part of the script that has some.
void ScriptRun::Settle() {
  FindMoves();
  while (moves_.empty() && in_steps()) {
    const Step& step = script_.steps[phase_];
    const StepOutcome outcome = OutcomeAtRest(machine_, phase_);
    outcomes_.resize(phase_);
    outcomes_.push_back(outcome);
    if (narrow_ && step.has_result && !Allows(step, outcome)) {
      refused_ = true;
      return;
    }
    TakeResults(machine_, phase_);
    machine_.CheckAtRest();
    phase_++;
    StartPhase();
    FindMoves();
  }
  if (in_steps()) return;
  if (script_.is_litmus()) {
    if (moves_.empty()) {
      // Checks may look at a sleeper's stack.
      if (learns()) learning_->transitions.Materialize();
      Check(&Machine::CheckAtRest);
    }
  } else {
    const int slot = teardown_.Next(machine_);
    moves_.clear();
    if (slot >= 0) moves_.push_back({static_cast<int16_t>(slot), 0});
  }
}

// Makes a check of the threads' state.
void ScriptRun::Check(void (Machine::*check)()) {
  if (!learns()) return (machine_.*check)();
  const uint32_t kinds = machine_.finding_kinds();
  (machine_.*check)();
  learning_->transitions.NoteFindings(kinds);
}

// Takes a transition that is known, or learns it; its findings are found_ then.
void ScriptRun::TakeLearned(Move move) {
  LearnedTransitions& transitions = learning_->transitions;
  if (const auto* known = transitions.Find(move.slot, move.choice)) {
    transitions.Apply(*known);
    const auto findings = learning_->findings.find(known);
    if (findings != learning_->findings.end()) found_ = findings->second;
    return;
  }
  const auto& learned = transitions.Learn(move.slot, move.choice, false);
  found_ = machine_.TakeFindings();
  if (!found_.empty()) learning_->findings.emplace(&learned, found_);
}

void ScriptRun::Take(Move move) {
  ScheduledWorld::listener = &machine_;
  last_slot_ = move.slot;
  found_.clear();
  if (learns()) {
    TakeLearned(move);
  } else {
    machine_.scheduler().Resume(move.slot, move.choice);
    machine_.Finish(move.slot);
  }
  if (!in_steps() && script_.is_litmus()) Check(&Machine::CheckStarvation);
  Settle();
  found_.merge(machine_.TakeFindings());
}

void ScriptRun::Save(Saved* saved) {
  if (learns()) {
    learning_->transitions.Save(&saved->learned_);
  } else {
    saved->state_.Save(machine_.scheduler());
  }
  saved->teardown_ = teardown_;
  saved->moves_ = moves_;
  saved->phase_ = phase_;
  saved->last_slot_ = last_slot_;
  saved->refused_ = refused_;
}

void ScriptRun::Restore(const Saved& saved) {
  ScheduledWorld::listener = &machine_;
  teardown_ = saved.teardown_;
  moves_ = saved.moves_;
  phase_ = saved.phase_;
  if (learns()) {
    learning_->transitions.Restore(saved.learned_);
  } else {
    saved.state_.Restore(machine_.scheduler());
    if (learning_ != nullptr) learning_->transitions.ForgetArena();
  }
  last_slot_ = saved.last_slot_;
  refused_ = saved.refused_;
  found_.clear();
}

}  // namespace iomode
