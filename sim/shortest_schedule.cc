// SPDX-License-Identifier: GPL-2.0-only

#include "sim/shortest_schedule.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "sim/explorer.h"

namespace iomode {
namespace {

// How a state was reached.
struct Node {
  int32_t parent;  // -1: where the search began
  Move move;
};

// A state that is still to be left.
struct Open {
  int32_t node;
  Hash128 key;
  bool goal;
  ScriptRun::Saved state;
};

class Search {
 public:
  Search(ScriptRun& run, const ScheduleSearch& search) : run_(run), search_(search) {}

  FoundSchedule Run() {
    Enter(-1, {}, {});
    while (!open_.empty() && result_.complete) {
      const auto first = open_.begin();
      std::vector<Open> level = std::move(first->second);
      const ScheduleCost cost = first->first;
      open_.erase(first);
      for (Open& at : level) {
        if (at.goal) {
          Finish(at.node, cost);
          result_.states = best_.size();
          return result_;
        }
        Leave(at, cost);
        bytes_ -= at.state.bytes();
        at.state = {};
        if (!result_.complete) break;
      }
    }
    result_.states = best_.size();
    return result_;
  }

 private:
  // The run has just got to a state at this cost.
  void Enter(int32_t parent, Move move, ScheduleCost cost) {
    const bool goal = search_.goal(run_);
    if (!goal && (run_.moves().empty() || (search_.avoid && search_.avoid(run_)))) return;
    const Hash128 key = run_.Key();
    if (!goal) {
      const auto [it, fresh] = best_.try_emplace(key, cost);
      if (!fresh && it->second <= cost) return;
      it->second = cost;
    }
    nodes_.push_back({parent, move});
    std::vector<Open>& level = open_[cost];
    level.push_back({static_cast<int32_t>(nodes_.size()) - 1, key, goal, {}});
    if (goal) return;
    run_.Save(&level.back().state);
    bytes_ += level.back().state.bytes();
    if (best_.size() >= search_.max_states || bytes_ >= search_.max_bytes) result_.complete = false;
  }

  void Leave(const Open& at, ScheduleCost cost) {
    if (best_.at(at.key) < cost) return;
    run_.Restore(at.state);
    const std::vector<Move> moves = run_.moves();
    for (const Move move : moves) {
      if (move != moves.front()) run_.Restore(at.state);
      const ScheduleCost next = {cost.switches + run_.IsSwitch(move), cost.steps + 1};
      run_.Take(move);
      Enter(at.node, move, next);
    }
  }

  void Finish(int32_t node, ScheduleCost cost) {
    result_.found = true;
    result_.cost = cost;
    for (; nodes_[node].parent >= 0; node = nodes_[node].parent)
      result_.schedule.push_back(nodes_[node].move);
    std::reverse(result_.schedule.begin(), result_.schedule.end());
  }

  ScriptRun& run_;
  const ScheduleSearch& search_;
  FoundSchedule result_;
  std::vector<Node> nodes_;
  std::map<ScheduleCost, std::vector<Open>> open_;
  absl::flat_hash_map<Hash128, ScheduleCost, Hash128Hasher> best_;
  size_t bytes_ = 0;
};

}  // namespace

FoundSchedule FindShortestSchedule(ScriptRun& run, const ScheduleSearch& search) {
  ScriptRun::Saved start;
  run.Save(&start);
  FoundSchedule result = Search(run, search).Run();
  run.Restore(start);
  return result;
}

}  // namespace iomode
