// SPDX-License-Identifier: GPL-2.0-only
//
// One run of a script, one transition at a time: numbered steps one after the other, each until
// nothing can run; then a litmus script's threads, or the end of a sequence, where everything is
// closed. Whoever drives it picks each move. The built-in checks are made where Runner and
// RunLitmus make them, so a run meets the findings that they report.
//
// Invariant: while there are moves, Take() of any of them is possible. Used by one thread, which
// has one ScriptRun at work at a time; the script and the revision outlive it.

#ifndef SIM_SCRIPT_RUN_H_
#define SIM_SCRIPT_RUN_H_

#include <cstdint>
#include <memory>
#include <set>
#include <vector>

#include "sim/learned_transitions.h"
#include "sim/machine.h"
#include "sim/runner.h"
#include "sim/teardown.h"

namespace iomode {

class ScriptRun {
 public:
  static constexpr size_t kMostLearned = size_t{1} << 18;

  // `narrow`: a numbered step that gives what the script does not claim refuses the run.
  ScriptRun(const Script& script, const Revision& revision, bool narrow);
  ~ScriptRun();

  // Learns a litmus script's transitions from now on, the start, where the machine reports its
  // accesses (sim/learned_transitions.h): for searches, which meet the same ones in many states.
  void Learn(size_t most = kMostLearned);
  // There were more than `most`, or one that cannot be learned: the run is in no known state.
  bool lost() const;

  // What can happen next, in the explorer's order: by slot, then by choice. Empty: it is over.
  const std::vector<Move>& moves() const { return moves_; }
  void Take(Move move);

  // Whether this move is a context switch: by another task than the move before, within one part of
  // the script. That the next numbered step is another task is nobody's choice.
  bool IsSwitch(Move move) const { return last_slot_ >= 0 && last_slot_ != move.slot; }
  // Who moved last in this part of the script; -1: nobody yet.
  int last_slot() const { return last_slot_; }

  // Over, with every step run; not over because a claim is not met.
  bool at_end() const { return moves_.empty() && !refused_; }
  bool refused() const { return refused_; }

  // The findings of the last move, or of the start.
  const std::set<Finding>& found() const { return found_; }

  // Which part of the script runs: step number - 1; then the threads or the closing.
  int phase() const { return phase_; }
  bool in_steps() const { return phase_ < static_cast<int>(script_.steps.size()); }

  // What each numbered step gave that has ended in this run; of a run that was restored, in one
  // that was saved.
  const std::vector<StepOutcome>& outcomes() const { return outcomes_; }

  Machine& machine() { return machine_; }
  const Machine& machine() const { return machine_; }
  const Script& script() const { return script_; }

  // A saved run. Restoring one puts back all but outcomes().
  class Saved {
   public:
    size_t bytes() const { return sizeof(*this) + state_.bytes() + learned_.bytes(); }

   private:
    friend class ScriptRun;
    Snapshot state_;                     // where nothing is learned
    LearnedTransitions::Saved learned_;  // and where something is
    Teardown teardown_;
    std::vector<Move> moves_;
    int phase_ = 0;
    int last_slot_ = -1;
    bool refused_ = false;
  };
  void Save(Saved* saved);
  void Restore(const Saved& saved);

  // Tells states apart: equal keys have equal futures. Who moved last does not count.
  Hash128 Key() const;

 private:
  struct Learning;

  bool learns() const { return learning_ != nullptr && !in_steps(); }
  void Check(void (Machine::*check)());
  void TakeLearned(Move move);
  void StartPhase();
  void Settle();
  void FindMoves();

  const Script& script_;
  Machine machine_;
  Teardown teardown_;
  std::unique_ptr<Learning> learning_;
  std::vector<Move> moves_;
  std::set<Finding> found_;
  std::vector<StepOutcome> outcomes_;
  int phase_ = 0;
  int last_slot_ = -1;
  bool narrow_;
  bool refused_ = false;
};

// What `search(run)` finds from the start of a run whose claims are met and that learns; where that
// run is lost, of one that does not.
template <class Search>
auto SearchRuns(const Script& script, const Revision& revision, const Search& search,
                size_t most = ScriptRun::kMostLearned) {
  {
    ScriptRun run(script, revision, true);
    run.Learn(most);
    auto found = search(run);
    if (!run.lost()) return found;
  }
  ScriptRun run(script, revision, true);
  return search(run);
}

}  // namespace iomode

#endif  // SIM_SCRIPT_RUN_H_
