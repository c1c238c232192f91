// SPDX-License-Identifier: GPL-2.0-only
//
// Guards against uncontrolled nondeterminism: anything but the schedule that decides what happens
// (time, addresses, memory that nobody set, variables outside the arena) would make a search that
// goes back and merges states lie. So schedules that a search has taken are replayed, twice, from
// where it began: each transition must be possible, do the same visible operations and end in the
// same state, and the last state must be the one that the search was in.
//
// Used by one thread.

#ifndef SIM_SELF_CHECK_H_
#define SIM_SELF_CHECK_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/explorer.h"
#include "sim/machine.h"

namespace iomode {

class SelfCheck {
 public:
  // Called with the machine in a state.
  using AtState = std::function<void()>;

  // Replays `path`, which led the machine from `root` to the state that it is in, and leaves it
  // there. Of very many paths only some are replayed: the first thousand, then every thousandth.
  // `at_state`, if given, is what the search called at the root and after each transition: it may
  // report findings, which are part of a state.
  void Verify(Machine& machine, const Snapshot& root, const std::vector<Move>& path,
              const AtState& at_state = nullptr);

  uint64_t replays() const { return replays_; }
  uint64_t transitions() const { return transitions_; }
  // The first difference: which transition of which task, and what differs; "" when there is none.
  const std::string& problem() const { return problem_; }

 private:
  struct Played {
    std::vector<Hash128> keys;  // after each transition; tracing leaves marks on the stacks
    std::vector<std::vector<Machine::TraceEvent>> ops;  // of each transition
    std::string stuck;  // why the path could not be played to its end
  };
  Played Play(Machine& machine, const Snapshot& root, const std::vector<Move>& path,
              const AtState& at_state, bool trace);
  void Compare(Machine& machine, const Snapshot& root, const std::vector<Move>& path,
               const AtState& at_state);

  uint64_t paths_ = 0;
  uint64_t replays_ = 0;
  uint64_t transitions_ = 0;
  std::string problem_;
};

}  // namespace iomode

#endif  // SIM_SELF_CHECK_H_
