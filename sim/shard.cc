// SPDX-License-Identifier: GPL-2.0-only

#include "sim/shard.h"

#include <deque>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/reduction.h"
#include "sim/visited_set.h"

namespace iomode {
namespace {

// Breadth first over all transitions.
class Spreading {
 public:
  explicit Spreading(Machine& machine) : machine_(machine), s_(machine.scheduler()) {}

  size_t waiting() const { return queue_.size(); }

  // Queues the state that the machine is in unless it was met before.
  void Meet() {
    const Hash128 key = s_.Key();
    if (!met_.Insert(key)) return;
    queue_.push_back({key, {}});
    queue_.back().state.Save(s_);
  }

  // Takes all transitions of the state that has waited longest.
  void Expand(const std::function<void()>& at_rest, const std::function<void()>& at_state) {
    const Waiting from = std::move(queue_.front());
    queue_.pop_front();
    spread_.expanded.push_back(from.key);
    from.state.Restore(s_);
    at_state();
    bool rests = true;
    for (int slot = 0; slot < s_.task_count(); slot++) {
      if (!s_.Enabled(slot)) continue;
      rests = false;
      const bool chooses = s_.task(slot).pending == Pending::kChoose;
      const int choices = chooses ? s_.task(slot).choices : 1;
      for (int choice = 0; choice < choices; choice++) {
        s_.Resume(slot, choice);
        machine_.Finish(slot);
        spread_.transitions++;
        Meet();
        from.state.Restore(s_);
      }
    }
    if (!rests) return;
    spread_.rests++;
    at_rest();
  }

  Spread Take() {
    for (Waiting& waiting : queue_) spread_.frontier.push_back(std::move(waiting.state));
    return std::move(spread_);
  }

 private:
  struct Waiting {
    Hash128 key;
    Snapshot state;
  };

  Machine& machine_;
  Scheduler& s_;
  VisitedSet met_;
  std::deque<Waiting> queue_;
  Spread spread_;
};

}  // namespace

std::string PrintShard(const Shard& shard) { return absl::StrCat(shard.number, "/", shard.count); }

Spread SpreadOut(Machine& machine, const std::vector<Snapshot>& starts, size_t enough, bool reduces,
                 const std::function<void()>& at_rest, const std::function<void()>& at_state) {
  ScheduledWorld::listener = &machine;
  NoteRacyAccesses(reduces);
  Spreading spreading(machine);
  for (const Snapshot& start : starts) {
    start.Restore(machine.scheduler());
    spreading.Meet();
  }
  while (spreading.waiting() > 0 && spreading.waiting() < enough)
    spreading.Expand(at_rest, at_state);
  return spreading.Take();
}

}  // namespace iomode
