// SPDX-License-Identifier: GPL-2.0-only
//
// A run that learns does what one does that runs each transition.

#include "sim/script_run.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

#include "model/revision.h"
#include "sim/litmus.h"
#include "sim/scenario_files.h"
#include "sim/shortest_schedule.h"

namespace iomode {
namespace {

// Two runs of a script side by side, and states saved of both.
class TwoRuns {
 public:
  TwoRuns(const Script& script, const Revision& revision)
      : learns_(script, revision, true), runs_(script, revision, true) {
    learns_.Learn();
  }

  void Save() {
    saved_.emplace_back();
    learns_.Save(&saved_.back().learns);
    runs_.Save(&saved_.back().runs);
  }
  void Restore(size_t number) {
    learns_.Restore(saved_[number].learns);
    runs_.Restore(saved_[number].runs);
    ExpectSame();
  }
  size_t saved() const { return saved_.size(); }

  // False at the end.
  template <class Random>
  bool Take(Random& random) {
    const std::vector<Move> moves = runs_.moves();
    if (moves.empty()) return false;
    const Move move = moves[random() % moves.size()];
    learns_.Take(move);
    runs_.Take(move);
    EXPECT_EQ(learns_.found(), runs_.found());
    findings_ += static_cast<int>(runs_.found().size());
    ExpectSame();
    return true;
  }
  int findings() const { return findings_; }

 private:
  struct Saved {
    ScriptRun::Saved learns, runs;
  };

  void ExpectSame() {
    // Each machine has addresses of its own, so keys differ; but the same states are told apart.
    const auto to = keys_.emplace(learns_.Key(), runs_.Key()).first->second;
    const auto back = keys_back_.emplace(runs_.Key(), learns_.Key()).first->second;
    EXPECT_TRUE(to == runs_.Key() && back == learns_.Key());
    EXPECT_EQ(learns_.moves(), runs_.moves());
    EXPECT_EQ(learns_.at_end(), runs_.at_end());
    if (!runs_.at_end()) return;
    EXPECT_EQ(OutcomeOf(learns_.machine()), OutcomeOf(runs_.machine()));
  }

  ScriptRun learns_;
  ScriptRun runs_;
  std::vector<Saved> saved_;
  std::map<Hash128, Hash128> keys_;
  std::map<Hash128, Hash128> keys_back_;
  int findings_ = 0;
};

TEST(ScriptRunTest, LearningChangesNothing) {
  std::minstd_rand random(1);
  int findings = 0;
  for (const char* name : {"205c1d8026", "4a90451bbc", "v7.3"}) {
    for (const Script& script : ScriptsBelow("scenarios/litmus")) {
      SCOPED_TRACE(script.name);
      TwoRuns runs(script, *FindRevision(name));
      runs.Save();
      for (int walk = 0; walk < 40 && !testing::Test::HasFailure(); walk++) {
        runs.Restore(random() % runs.saved());
        while (random() % 64 != 0 && runs.Take(random)) {
          if (random() % 16 == 0) runs.Save();
        }
      }
      findings += runs.findings();
    }
  }
  EXPECT_GT(findings, 500);
}

TEST(ScriptRunTest, ASearchWhoseRunIsLostIsMadeAgain) {
  const Script script = ReadScript("scenarios/litmus/H1-lost-wakeup.iom");
  int searches = 0;
  const auto search = [&searches](ScriptRun& run) {
    searches++;
    return FindShortestSchedule(run, {.goal = [](const ScriptRun& at) { return at.at_end(); }});
  };
  const FoundSchedule much = SearchRuns(script, NewestRevision(), search);
  EXPECT_EQ(searches, 1);
  const FoundSchedule little = SearchRuns(script, NewestRevision(), search, 30);
  EXPECT_TRUE(much.found && little.found);
  EXPECT_EQ(much.schedule, little.schedule);
  EXPECT_EQ(searches, Machine(script, NewestRevision()).ReportsAccesses() ? 3 : 2);
}

}  // namespace
}  // namespace iomode
