// SPDX-License-Identifier: GPL-2.0-only
//
// The schedule of fewest context switches, then of fewest steps, that takes a run to a goal: what a
// reader can follow.
//
// The search is Dijkstra's over merged states, told apart by who ran last.
//
// Stateless; a run is searched by one thread.

#ifndef SIM_SHORTEST_SCHEDULE_H_
#define SIM_SHORTEST_SCHEDULE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "sim/script_run.h"

namespace iomode {

using Schedule = std::vector<Move>;

struct ScheduleCost {
  uint32_t switches = 0;
  uint32_t steps = 0;

  friend bool operator==(const ScheduleCost&, const ScheduleCost&) = default;
  friend auto operator<=>(const ScheduleCost&, const ScheduleCost&) = default;
};

// Says something of a run that has just moved, or of its start: its state and its found().
using RunTest = std::function<bool(const ScriptRun&)>;

struct ScheduleSearch {
  RunTest goal;
  RunTest avoid = nullptr;  // runs do not go on behind a state for which this holds; may be null
  uint64_t max_states = 2'000'000;
  // Of saved states. Beyond that states are not kept but reached again, which takes longer.
  size_t max_bytes = size_t{1} << 30;
};

struct FoundSchedule {
  bool found = false;
  bool complete = true;  // false: a bound was reached first
  Schedule schedule;
  ScheduleCost cost;
  uint64_t states = 0;
};

// Searches from where the run is. Leaves the run there.
FoundSchedule FindShortestSchedule(ScriptRun& run, const ScheduleSearch& search);

}  // namespace iomode

#endif  // SIM_SHORTEST_SCHEDULE_H_
