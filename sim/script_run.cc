// SPDX-License-Identifier: GPL-2.0-only

#include "sim/script_run.h"

#include "sim/litmus.h"

namespace iomode {

ScriptRun::ScriptRun(const Script& script, const Revision& revision, bool narrow)
    : script_(script), machine_(script, revision), narrow_(narrow) {
  StartPhase();
  Settle();
  found_ = machine_.TakeFindings();
}

void ScriptRun::StartPhase() {
  last_slot_ = -1;
  if (in_steps()) {
    machine_.Start(phase_);
  } else if (script_.is_litmus()) {
    StartThreads(machine_);
    machine_.CheckStarvation();
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
    if (moves_.empty()) machine_.CheckAtRest();
  } else {
    const int slot = teardown_.Next(machine_);
    moves_.clear();
    if (slot >= 0) moves_.push_back({static_cast<int16_t>(slot), 0});
  }
}

void ScriptRun::Take(Move move) {
  ScheduledWorld::listener = &machine_;
  last_slot_ = move.slot;
  machine_.scheduler().Resume(move.slot, move.choice);
  machine_.Finish(move.slot);
  if (!in_steps() && script_.is_litmus()) machine_.CheckStarvation();
  Settle();
  found_ = machine_.TakeFindings();
}

void ScriptRun::Save(Saved* saved) {
  saved->state_.Save(machine_.scheduler());
  saved->teardown_ = teardown_;
  saved->moves_ = moves_;
  saved->phase_ = phase_;
  saved->last_slot_ = last_slot_;
  saved->refused_ = refused_;
}

void ScriptRun::Restore(const Saved& saved) {
  ScheduledWorld::listener = &machine_;
  saved.state_.Restore(machine_.scheduler());
  teardown_ = saved.teardown_;
  moves_ = saved.moves_;
  phase_ = saved.phase_;
  last_slot_ = saved.last_slot_;
  refused_ = saved.refused_;
  found_.clear();
}

}  // namespace iomode
