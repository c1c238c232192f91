// SPDX-License-Identifier: GPL-2.0-only
//
// Walks every interleaving of a machine's live tasks, depth first, merging equal states.
//
// A transition is looked up among those learned (sim/learned_transitions.h), or run. Where it has
// to be run each time, a ChangeLog knows what it changed, so that one can go back.

#ifndef SIM_EXPLORER_H_
#define SIM_EXPLORER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/change_log.h"
#include "sim/learned_transitions.h"
#include "sim/machine.h"
#include "sim/reduction.h"
#include "sim/scheduler.h"
#include "sim/shard.h"
#include "sim/sleep_sets.h"
#include "sim/visited_set.h"
#include "sim/watch.h"

namespace iomode {

struct ExploreStats {
  uint64_t states = 0;  // distinct
  uint64_t transitions = 0;
  uint64_t rests = 0;    // states in which no task can run
  bool complete = true;  // false: a bound was reached, or the Watch said so
  std::string stopped;   // what: "bound of 500 states", "interrupted"; "" when complete
  Shard shard;           // all this is of one part
};

// "all 12 states, 20 transitions explored", "incomplete: interrupted; 12 states, 20 transitions
// explored", "part 2/4: all ...".
std::string PrintStats(const ExploreStats& stats);

// Resumes a task; `choice` counts where it picks a value.
struct Move {
  int16_t slot = -1;
  int16_t choice = 0;

  friend bool operator==(const Move&, const Move&) = default;
};

class Explorer {
 public:
  // What a state needs to be told apart; a search over several starts shares one.
  using Visited = VisitedSet;

  // `watch`, which may be null, outlives the explorer.
  explicit Explorer(Machine& machine, Watch* watch = nullptr)
      : machine_(machine),
        watch_(watch),
        log_(machine.scheduler()),
        reduction_(machine.scheduler()),
        learned_(machine, reduction_),
        sleep_sets_(reduction_) {}

  // Explores from the state that the machine is in, and leaves the machine there. At each rest
  // state not in `visited` yet, `at_rest` is called with the machine in it; at every other new
  // state `at_state`, if given. The search gives up when stats().states reaches max_states or the
  // Watch says so.
  void Run(Visited& visited, uint64_t max_states, const std::function<void()>& at_rest,
           const std::function<void()>& at_state = nullptr);

  // While Run() calls back: the transitions from its start to the present state.
  std::vector<Move> Path() const;
  // Runs `search`, which calls Run() once or several times with `visited`, until it has missed
  // nothing: see sim/reduction.h. `search` may be run several times.
  void Search(Visited& visited, const std::function<void()>& search);
  void set_reduces(bool reduces) { reduces_ = reduces; }
  // Whether to learn transitions. Then `at_rest` and `at_state` of Run() may change nothing of the
  // machine but its kinds of findings.
  void set_learns(bool learns) { learns_ = learns && machine_.ReportsAccesses(); }
  bool learns() const { return learns_; }
  // How many, before it goes on without.
  void set_most_learned(size_t transitions) { learned_.set_most(transitions); }
  // Whether to put a state's successors into the set of visited states all at once. Without, the
  // same is found in the same order, only slower.
  void set_inserts_ahead(bool inserts) { inserts_ahead_ = inserts; }

  const ExploreStats& stats() const { return stats_; }

 private:
  struct Frame {
    ChangeLog::Mark mark;  // of the state
    int16_t slot;          // whose transition is being taken; -1 before the first
    int16_t choice;
    Reduction::Noted noted;  // of the transition
    uint64_t todo;           // the slots that are still to be tried
    uint64_t inserted;       // those whose successors are in the set of visited states
    uint64_t fresh;          // and were not there before: they are entered in their turn
  };

  // A set of keys that tells quickly that it has not got one.
  class KeyFilter {
   public:
    void Clear() { counts_.assign(kCounts, 0); }
    void Add(Hash128 key) { counts_[key.hi % kCounts]++; }
    void Remove(Hash128 key) { counts_[key.hi % kCounts]--; }
    bool MayHave(Hash128 key) const { return counts_[key.hi % kCounts] != 0; }

   private:
    static constexpr size_t kCounts = 4096;
    std::vector<uint16_t> counts_ = std::vector<uint16_t>(kCounts);
  };

  bool Advance(Frame& frame);
  bool Take(Frame& frame, Visited& visited);
  Hash128 key() const { return learns_ ? learned_.key() : log_.key(); }
  ChangeLog::Mark mark() const { return learns_ ? learned_.mark() : log_.mark(); }
  bool CannotGoOn() const { return learns_ && learned_.failed(); }
  void GoBack(const ChangeLog::Mark& mark);
  void CallBack(const std::function<void()>& check);
  bool HasToStop(const Visited& visited, const Snapshot& root, uint64_t max_states);

  // Transitions between looks at the Watch.
  static constexpr uint64_t kWatchEvery = 512;
  size_t tasks() const { return static_cast<size_t>(machine_.scheduler().task_count()); }
  uint64_t Enabled() const;
  void Enter(Visited& visited, int32_t accesses, const std::function<void()>& at_state);
  void Leave();
  void LookAhead(const Visited& visited, uint64_t enabled, uint64_t todo);
  void InsertAhead(Frame& frame, Visited& visited);
  bool TakeOver(Hash128 key, size_t frames);
  bool IsNew(Hash128 key, Visited& visited);
  Reduction::Noted Step(int slot, int choice);
  uint32_t Random();
  void Apply(const LearnedTransitions::Transition& known);
  void Begin(Snapshot& root);
  void End(const Snapshot& root);
  void Walk();

  static constexpr int kWalks = 24;
  static constexpr uint64_t kLearnedWalks = 64;  // where they take little time
  int WalksAfter(uint64_t states) const;

  Machine& machine_;
  Watch* watch_;
  ExploreStats stats_;
  std::vector<Frame> frames_;
  // For each frame, by slot: the task's next transition with choice 0, where it is known.
  std::vector<const LearnedTransitions::Transition*> known_;
  KeyFilter pending_;  // the fresh successors of all frames
  ChangeLog log_;
  Reduction reduction_;
  LearnedTransitions learned_;
  SleepSets sleep_sets_;  // of the states that have a frame
  bool reduces_ = false;
  bool learns_ = false;
  bool inserts_ahead_ = true;
  int walks_ = 0;        // before the next search
  uint32_t random_ = 1;  // a std::minstd_rand's, whose header takes long to compile
};

}  // namespace iomode

#endif  // SIM_EXPLORER_H_
