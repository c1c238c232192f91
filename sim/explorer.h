// SPDX-License-Identifier: GPL-2.0-only
//
// Walks every interleaving of a machine's live tasks, depth first, merging equal states.
//
// Going back is by bytes: a ChangeLog knows what each transition changed.

#ifndef SIM_EXPLORER_H_
#define SIM_EXPLORER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/change_log.h"
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

  const ExploreStats& stats() const { return stats_; }

 private:
  struct Frame {
    ChangeLog::Mark mark;  // of the state
    int16_t slot;          // whose transition is being taken; -1 before the first
    int16_t choice;
    Reduction::Noted noted;  // of the transition
    uint64_t todo;           // the slots that are still to be tried
  };

  bool Advance(Frame& frame);
  bool HasToStop(const Visited& visited, const Snapshot& root, uint64_t max_states);

  // Transitions between looks at the Watch.
  static constexpr uint64_t kWatchEvery = 512;
  uint64_t Enabled() const;
  void Enter(Visited& visited, int32_t accesses, const std::function<void()>& at_state);
  Reduction::Noted Step(int slot, int choice);
  uint32_t Random();
  void Walk();

  static constexpr int kWalks = 24;

  Machine& machine_;
  Watch* watch_;
  ExploreStats stats_;
  std::vector<Frame> frames_;
  ChangeLog log_;
  Reduction reduction_;
  SleepSets sleep_sets_;  // of the states that have a frame
  bool reduces_ = false;
  int walks_ = 0;  // before the next search
  uint32_t random_ = 1;
};

}  // namespace iomode

#endif  // SIM_EXPLORER_H_
