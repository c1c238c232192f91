// SPDX-License-Identifier: GPL-2.0-only

#include "sim/nearest_good_run.h"

#include <algorithm>
#include <vector>

#include "sim/explorer.h"
#include "sim/litmus.h"

namespace iomode {
namespace {

uint32_t KindsOf(const std::set<Finding>& findings) {
  uint32_t kinds = 0;
  for (const Finding& finding : findings) kinds |= 1u << static_cast<int>(finding.kind);
  return kinds;
}

// The bad run, with a saved state before each move.
struct BadRun {
  std::vector<ScriptRun::Saved> before;
  uint32_t allowed = 0;  // kinds of finding that it meets before its last move
  bool finds = false;    // its last move has a finding
  LitmusOutcome outcome;
};

BadRun Follow(ScriptRun& run, const Schedule& schedule) {
  BadRun bad;
  for (const Move move : schedule) {
    bad.allowed |= KindsOf(run.found());
    bad.before.emplace_back();
    run.Save(&bad.before.back());
    run.Take(move);
  }
  bad.finds = !run.found().empty();
  if (run.at_end()) bad.outcome = OutcomeOf(run.machine());
  return bad;
}

class Search {
 public:
  Search(ScriptRun& run, const BadRun& bad, uint64_t max_states)
      : run_(run), bad_(bad), max_states_(max_states) {}

  bool IsBad() const { return (KindsOf(run_.found()) & ~bad_.allowed) != 0; }
  bool EndsWell() const {
    return run_.at_end() && !IsBad() && (bad_.finds || OutcomeOf(run_.machine()) != bad_.outcome);
  }
  bool exhausted() const { return doomed_.size() >= max_states_ || run_.lost(); }

  // Whether a run ends well from where this one is, in a state that was not looked at before.
  bool CanEndWell() {
    std::vector<ScriptRun::Saved> open;
    if (Enter(open)) return true;
    while (!open.empty() && !exhausted()) {
      const ScriptRun::Saved at = std::move(open.back());
      open.pop_back();
      run_.Restore(at);
      const std::vector<Move> moves = run_.moves();
      for (const Move move : moves) {
        run_.Restore(at);
        run_.Take(move);
        if (Enter(open)) return true;
      }
    }
    return false;
  }

 private:
  bool Enter(std::vector<ScriptRun::Saved>& open) {
    if (EndsWell()) return true;
    if (run_.moves().empty() || IsBad() || !doomed_.Insert(run_.Key())) return false;
    open.emplace_back();
    run_.Save(&open.back());
    return false;
  }

  ScriptRun& run_;
  const BadRun& bad_;
  const uint64_t max_states_;
  Explorer::Visited doomed_;  // once a search from them has come to its end
};

NearestGoodRun FindFrom(ScriptRun& run, const Schedule& schedule, uint64_t max_states) {
  NearestGoodRun result;
  const BadRun bad = Follow(run, schedule);
  Search search(run, bad, max_states);
  // What lies behind the bad run's own next move was looked at in the round before.
  for (size_t at = schedule.size(); at-- > 0;) {
    run.Restore(bad.before[at]);
    const std::vector<Move> moves = run.moves();
    for (const Move move : moves) {
      if (move == schedule[at]) continue;
      run.Restore(bad.before[at]);
      run.Take(move);
      if (search.CanEndWell()) {
        run.Restore(bad.before[at]);
        const FoundSchedule good =
            FindShortestSchedule(run, {.goal = [&](const ScriptRun&) { return search.EndsWell(); },
                                       .avoid = [&](const ScriptRun&) { return search.IsBad(); },
                                       .max_states = max_states});
        result.found = good.found;
        result.complete = good.complete;
        result.common = at;
        result.schedule.assign(schedule.begin(), schedule.begin() + static_cast<ptrdiff_t>(at));
        result.schedule.insert(result.schedule.end(), good.schedule.begin(), good.schedule.end());
        return result;
      }
      if (search.exhausted()) {
        result.complete = false;
        return result;
      }
    }
  }
  return result;
}

}  // namespace

NearestGoodRun FindNearestGoodRun(const Script& script, const Revision& revision,
                                  const Schedule& schedule, uint64_t max_states) {
  return SearchRuns(script, revision,
                    [&](ScriptRun& run) { return FindFrom(run, schedule, max_states); });
}

}  // namespace iomode
