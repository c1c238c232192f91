// SPDX-License-Identifier: GPL-2.0-only
//
// What the reduction relies on (docs/design.md, "Reduction"): threads never come back to a state
// that they have left.

#include <gtest/gtest.h>

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "model/revision.h"
#include "sim/scenario_files.h"
#include "sim/script_run.h"

namespace iomode {
namespace {

constexpr size_t kMaxStates = 60'000;

// Depth-first search of every interleaving, without reduction.
class CycleSearch {
 public:
  explicit CycleSearch(ScriptRun& run) : run_(run) { Enter(); }

  // Whether a state leads to itself. Stops at kMaxStates.
  bool Run() {
    while (!path_.empty() && states() < kMaxStates && !run_.lost()) {
      At& at = path_.back();
      if (at.next == at.moves.size()) {
        on_path_[at.key] = false;
        path_.pop_back();
        continue;
      }
      run_.Restore(at.saved);
      run_.Take(at.moves[at.next++]);
      if (Enter()) return true;
    }
    return false;
  }
  size_t states() const { return on_path_.size(); }

 private:
  struct At {
    Hash128 key;
    ScriptRun::Saved saved;
    std::vector<Move> moves;
    size_t next = 0;
  };

  // Whether the run's state lies on the path.
  bool Enter() {
    const auto [state, is_new] = on_path_.emplace(run_.Key(), true);
    if (!is_new) return state->second;
    path_.push_back({run_.Key(), {}, run_.moves()});
    run_.Save(&path_.back().saved);
    return false;
  }

  ScriptRun& run_;
  std::vector<At> path_;
  std::unordered_map<Hash128, bool, Hash128Hasher> on_path_;  // every state
};

TEST(StateGraphTest, HasNoCycles) {
  size_t whole = 0, states = 0;
  for (const char* name : {"205c1d8026", "4a90451bbc", "v7.3"}) {
    for (const Script& script : ScriptsBelow("scenarios/litmus")) {
      ScriptRun run(script, *FindRevision(name), true);
      run.Learn();
      CycleSearch search(run);
      EXPECT_FALSE(search.Run()) << script.name << " at " << name;
      ASSERT_FALSE(run.lost()) << script.name << " at " << name;
      whole += search.states() < kMaxStates;
      states += search.states();
    }
  }
  EXPECT_GT(whole, 250);
  RecordProperty("whole", static_cast<int>(whole));
  RecordProperty("states", static_cast<int>(states));
}

}  // namespace
}  // namespace iomode
