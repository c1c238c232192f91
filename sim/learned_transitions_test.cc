// SPDX-License-Identifier: GPL-2.0-only
//
// What is looked up is what running gives: step by step, and for whole searches.

#include "sim/learned_transitions.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "sim/explorer.h"
#include "sim/litmus.h"
#include "sim/scenario_files.h"
#include "sim/self_check.h"

// Not there where nothing is reported.
extern "C" [[gnu::weak]] void __asan_load8_noabort(const void*);

namespace iomode {
namespace {

constexpr char kWritesAndOpens[] = R"(conn passthrough direct_io_allow_mmap
inode A
backing B
P0: open w A DIRECT_IO|PARALLEL_DIRECT_WRITES
P0: write w
P1: open c A KEEP_CACHE
P1: close c
P2: backing_open B
P2: open p A PASSTHROUGH backing=B
)";

// Of a script without steps: all threads stand before their first operation.
class LearnedTransitionsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!machine_.ReportsAccesses())
      GTEST_SKIP() << "the machine is not compiled to report accesses";
    StartThreads(machine_);
  }
  size_t LaneOf(const void* address) const {
    return (static_cast<const uint8_t*>(address) - machine_.scheduler().shared()) / 16;
  }

  const Script script_ = Parse(kWritesAndOpens);
  Machine machine_{script_, NewestRevision()};
};

TEST_F(LearnedTransitionsTest, TheRecorderSeesWhatTheMachineReads) {
  AccessRecorder recorder(machine_.scheduler());
  recorder.Start(0);
  machine_.ResultOf(1);
  recorder.Stop();
  EXPECT_TRUE(recorder.Has(LaneOf(&machine_.step_state(1).kind)));
  EXPECT_FALSE(recorder.Has(LaneOf(&machine_.inode(0).iocachectr)));
  EXPECT_FALSE(recorder.other_stacks());
  machine_.InodeState(0);
  EXPECT_FALSE(recorder.Has(LaneOf(&machine_.inode(0).iocachectr))) << "nothing is recorded now";
}

TEST_F(LearnedTransitionsTest, TheRecorderSeesTheStacksOfOthers) {
  AccessRecorder recorder(machine_.scheduler());
  for (const int other : {0, 1}) {
    recorder.Start(0);
    __asan_load8_noabort(machine_.scheduler().stack_top(other) - 8);
    recorder.Stop();
    EXPECT_EQ(recorder.other_stacks(), other != 0);
  }
}

// Walks at random. Each transition that is known is applied, undone, and then run.
TEST_F(LearnedTransitionsTest, AppliesWhatRunningDoes) {
  Scheduler& s = machine_.scheduler();
  Reduction reduction(s);
  LearnedTransitions learned(machine_, reduction);
  std::minstd_rand random(1);
  int known = 0;
  learned.Begin();
  const ChangeLog::Mark start = learned.mark();
  for (int walk = 0; walk < 200; walk++) {
    while (true) {
      std::vector<int> enabled;
      for (int slot = 0; slot < s.task_count(); slot++) {
        if (s.Enabled(slot)) enabled.push_back(slot);
      }
      if (enabled.empty()) break;
      const int slot = enabled[random() % enabled.size()];
      const auto* transition = learned.Find(slot, 0);
      if (transition == nullptr) {
        learned.Learn(slot, 0, false);
        continue;
      }
      known++;
      const ChangeLog::Mark mark = learned.mark();
      learned.Apply(*transition);
      const Hash128 applied = learned.key();
      learned.Materialize();
      ASSERT_EQ(s.Key(), applied);
      learned.Undo(mark);
      learned.Materialize();
      ASSERT_EQ(s.Key(), learned.key());
      learned.Learn(slot, 0, false);
      ASSERT_EQ(learned.key(), applied) << "slot " << slot;
    }
    learned.Undo(start);
  }
  EXPECT_GT(known, 1000);
  EXPECT_FALSE(learned.failed());
}

// What a search finds: its states at rest with how the threads ended, its findings.
struct Found {
  std::map<LitmusOutcome, uint64_t> outcomes;
  std::set<Finding> findings;
  uint64_t states = 0;
  uint64_t transitions = 0;
  bool learns = false;
};

Found Search(const Script& script, const Revision& revision,
             const std::function<void(Explorer&)>& set) {
  Machine machine(script, revision);
  StartThreads(machine);
  Explorer explorer(machine);
  explorer.set_reduces(machine.Reducible());
  explorer.set_learns(true);
  set(explorer);
  Found found;
  Explorer::Visited visited;
  explorer.Search(visited, [&] {
    found.outcomes.clear();
    explorer.Run(
        visited, 1'000'000,
        [&] {
          found.outcomes[OutcomeOf(machine)]++;
          machine.CheckAtRest();
        },
        [&] { machine.CheckStarvation(); });
  });
  found.findings = machine.findings();
  found.states = explorer.stats().states;
  found.transitions = explorer.stats().transitions;
  found.learns = explorer.learns();
  return found;
}

std::set<LitmusOutcome> Keys(const std::map<LitmusOutcome, uint64_t>& outcomes) {
  std::set<LitmusOutcome> keys;
  for (const auto& [outcome, count] : outcomes) keys.insert(outcome);
  return keys;
}

TEST_F(LearnedTransitionsTest, GoesOnWithoutWhenThereIsTooMuchToLearn) {
  const auto search = [this](size_t most) {
    return Search(script_, NewestRevision(), [&](Explorer& e) { e.set_most_learned(most); });
  };
  const Found all = search(1 << 18);
  const Found few = search(20);
  EXPECT_TRUE(all.learns);
  EXPECT_FALSE(few.learns);
  EXPECT_GT(all.states, 1000);
  EXPECT_EQ(Keys(all.outcomes), Keys(few.outcomes));
  EXPECT_EQ(all.findings, few.findings);
}

// An opener that is awake in vain goes back to sleep, is woken and comes to the same place again.
// So there are states one step and several steps from another, which are entered on the longer way
// although they are inserted on the shorter one.
TEST_F(LearnedTransitionsTest, InsertsAheadAndEntersInTurn) {
  const Script script = Parse(R"(inode A
P0: open w A DIRECT_IO|PARALLEL_DIRECT_WRITES
P0: write w
P1: open c A KEEP_CACHE
P2: open v A DIRECT_IO|PARALLEL_DIRECT_WRITES
P2: write v off=20480
P3: open d A KEEP_CACHE
)");
  for (const char* name : {"v6.9", "v7.3"}) {
    const auto search = [&](bool inserts_ahead) {
      return Search(script, *FindRevision(name),
                    [&](Explorer& e) { e.set_inserts_ahead(inserts_ahead); });
    };
    const Found ahead = search(true);
    const Found in_turn = search(false);
    EXPECT_EQ(ahead.states, in_turn.states);
    EXPECT_EQ(ahead.transitions, in_turn.transitions);
    EXPECT_EQ(ahead.outcomes, in_turn.outcomes);
    EXPECT_EQ(ahead.findings, in_turn.findings);
  }
}

// With each path to a state at rest run again, step by step.
TEST_F(LearnedTransitionsTest, FindsWhatASearchFindsThatRunsAll) {
  constexpr uint64_t kMaxStates = 20'000;
  int scripts = 0;
  for (const Script& script : ScriptsBelow("scenarios/litmus")) {
    SCOPED_TRACE(script.name);
    for (const char* name : {"4a90451bbc", "v6.12", "v7.3"}) {
      const Revision& revision = *FindRevision(name);
      LitmusOptions options = {.max_states = kMaxStates};
      SelfCheck self_check;
      options.self_check = &self_check;
      const LitmusReport learned = RunLitmus(script, revision, options);
      options.self_check = nullptr;
      options.learn = false;
      const LitmusReport run = RunLitmus(script, revision, options);
      if (!learned.stats.complete || !run.stats.complete) continue;
      scripts++;
      EXPECT_EQ(Keys(learned.outcomes), Keys(run.outcomes));
      EXPECT_EQ(learned.findings, run.findings);
      EXPECT_EQ(self_check.problem(), "");
    }
  }
  EXPECT_GT(scripts, 200);
}

}  // namespace
}  // namespace iomode
