// SPDX-License-Identifier: GPL-2.0-only

#include "sim/shortest_schedule.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "sim/explorer.h"

namespace iomode {
namespace {

using Saved = ScriptRun::Saved;

// How a state was reached.
struct Node {
  int32_t parent;  // -1: where the search began
  Move move;
};

// A move that is still to be made, from a state that was reached at the least cost.
struct Open {
  int32_t from;  // node
  Move move;
  std::shared_ptr<const Saved> state;  // nullptr: to be reached again
};

// At what cost a state was first reached, and who had moved last each time that it was kept.
struct Reached {
  ScheduleCost cost;
  absl::InlinedVector<int16_t, 4> last_slots;
};

class Search {
 public:
  Search(ScriptRun& run, const ScheduleSearch& search) : run_(run), search_(search) {
    run.Save(&start_);
  }

  FoundSchedule Run() {
    Enter(-1, {}, {});
    while (!open_.empty() && !result_.found && result_.complete) {
      const auto first = open_.begin();
      const ScheduleCost cost = first->first;
      const std::vector<Open> moves = std::move(first->second);
      open_.erase(first);
      for (const Open& open : moves) {
        GoTo(open);
        run_.Take(open.move);
        Enter(open.from, open.move, cost);
        if (run_.lost()) result_.complete = false;
        if (result_.found || !result_.complete) break;
      }
    }
    result_.states = reached_.size();
    return result_;
  }

 private:
  // The run has just got to a state; by rising cost, so that the first time is the cheapest.
  void Enter(int32_t parent, Move move, ScheduleCost cost) {
    const bool goal = search_.goal(run_);
    if (!goal && (run_.moves().empty() || (search_.avoid && search_.avoid(run_)) || !IsNew(cost)))
      return;
    nodes_.push_back({parent, move});
    const int32_t node = static_cast<int32_t>(nodes_.size()) - 1;
    if (goal) {
      result_.found = true;
      result_.cost = cost;
      result_.schedule = PathTo(node);
      return;
    }
    std::shared_ptr<const Saved> state = Keep();
    for (const Move next : run_.moves())
      open_[{cost.switches + run_.IsSwitch(next), cost.steps + 1}].push_back({node, next, state});
    if (reached_.size() >= search_.max_states) result_.complete = false;
  }

  // Whether the state was not reached before, as cheaply. Who moved last counts: only that task goes
  // on without a switch, and that saves one at most.
  bool IsNew(ScheduleCost cost) {
    const auto [it, fresh] = reached_.try_emplace(run_.Key());
    Reached& reached = it->second;
    const int16_t last = static_cast<int16_t>(run_.last_slot());
    if (fresh) {
      reached.cost = cost;
    } else {
      const std::vector<Move>& moves = run_.moves();
      const bool can_go_on = std::any_of(moves.begin(), moves.end(),
                                         [this](Move move) { return !run_.IsSwitch(move); });
      const ScheduleCost too_much = {reached.cost.switches + 1, reached.cost.steps};
      const auto& known = reached.last_slots;
      if (!can_go_on || cost >= too_much ||
          std::find(known.begin(), known.end(), last) != known.end())
        return false;
    }
    reached.last_slots.push_back(last);
    return true;
  }

  // The run's state, as long as there is room.
  std::shared_ptr<const Saved> Keep() {
    if (bytes_ >= search_.max_bytes) return nullptr;
    auto saved = std::make_unique<Saved>();
    run_.Save(saved.get());
    const size_t bytes = saved->bytes();
    bytes_ += bytes;
    return {saved.release(), [this, bytes](const Saved* state) {
              bytes_ -= bytes;
              delete state;
            }};
  }

  void GoTo(const Open& open) {
    if (open.state != nullptr) return run_.Restore(*open.state);
    run_.Restore(start_);
    for (const Move move : PathTo(open.from)) run_.Take(move);
  }

  Schedule PathTo(int32_t node) const {
    Schedule path;
    for (; nodes_[node].parent >= 0; node = nodes_[node].parent) path.push_back(nodes_[node].move);
    std::reverse(path.begin(), path.end());
    return path;
  }

  ScriptRun& run_;
  const ScheduleSearch& search_;
  Saved start_;
  FoundSchedule result_;
  size_t bytes_ = 0;  // outlives open_, whose states count themselves out
  std::vector<Node> nodes_;
  std::map<ScheduleCost, std::vector<Open>> open_;  // by the cost of the state that it leads to
  absl::flat_hash_map<Hash128, Reached, Hash128Hasher> reached_;
};

}  // namespace

FoundSchedule FindShortestSchedule(ScriptRun& run, const ScheduleSearch& search) {
  Saved start;
  run.Save(&start);
  FoundSchedule result = Search(run, search).Run();
  run.Restore(start);
  return result;
}

}  // namespace iomode
