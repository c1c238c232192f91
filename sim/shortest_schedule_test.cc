// SPDX-License-Identifier: GPL-2.0-only
//
// The search for short schedules against brute force, and replay tokens.

#include "sim/shortest_schedule.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "model/revision.h"
#include "sim/replay_token.h"
#include "sim/run_goals.h"
#include "sim/scenario_files.h"
#include "sim/story.h"

namespace iomode {
namespace {

// The cheapest way to the goal by trying everything, merging nothing. Ways that cost as much as the
// best so far are not followed further.
class BruteForce {
 public:
  BruteForce(ScriptRun& run, const RunTest& goal) : run_(run), goal_(goal) {}

  std::optional<ScheduleCost> Run() {
    ScriptRun::Saved start;
    run_.Save(&start);
    // By rising number of switches: what needs fewer is cheaper, however long.
    for (uint32_t switches = 0; switches < 12 && !best_.has_value(); switches++) {
      limit_ = switches;
      cut_ = false;
      run_.Restore(start);
      Try({});
      if (!cut_) break;
    }
    return best_;
  }

 private:
  void Try(ScheduleCost cost) {
    if (goal_(run_)) {
      if (!best_.has_value() || cost < *best_) best_ = cost;
      return;
    }
    if (best_.has_value() && cost.switches == best_->switches && cost.steps >= best_->steps) return;
    ScriptRun::Saved here;
    run_.Save(&here);
    const std::vector<Move> moves = run_.moves();
    for (const Move move : moves) {
      run_.Restore(here);
      const ScheduleCost next = {cost.switches + run_.IsSwitch(move), cost.steps + 1};
      if (next.switches > limit_) {
        cut_ = true;
        continue;
      }
      run_.Take(move);
      Try(next);
    }
  }

  ScriptRun& run_;
  const RunTest& goal_;
  uint32_t limit_ = 0;
  bool cut_ = false;
  std::optional<ScheduleCost> best_;
};

// The search looks up what it has learned; brute force runs all.
void ExpectSameAsBruteForce(const Script& script, const RunTest& goal, bool reachable) {
  ScriptRun run(script, NewestRevision(), true);
  run.Learn();
  const FoundSchedule found = FindShortestSchedule(run, {.goal = goal});
  ASSERT_TRUE(found.complete) << script.name;
  EXPECT_EQ(found.found, reachable) << script.name;
  ScriptRun again(script, NewestRevision(), true);
  const std::optional<ScheduleCost> brute = BruteForce(again, goal).Run();
  ASSERT_EQ(brute.has_value(), found.found) << script.name;
  if (!found.found) return;
  EXPECT_EQ(brute->switches, found.cost.switches) << script.name;
  EXPECT_EQ(brute->steps, found.cost.steps) << script.name;

  // And it is what it says.
  ScriptRun replay(script, NewestRevision(), true);
  ScheduleCost cost;
  for (const Move move : found.schedule) {
    EXPECT_FALSE(goal(replay));
    cost.switches += replay.IsSwitch(move);
    cost.steps++;
    replay.Take(move);
  }
  EXPECT_TRUE(goal(replay)) << script.name;
  EXPECT_EQ(cost, found.cost) << script.name;
}

RunTest Outcome(const Script& script, const char* text) {
  absl::StatusOr<Condition::Expr> expr = ParseOutcome(script, "outcome", text);
  EXPECT_TRUE(expr.ok()) << expr.status().message();
  return EndsWith(*std::move(expr));
}

constexpr char kTwoOpens[] =
    "conn passthrough\ninode A\nbacking B\n1: backing_open B\n"
    "P0: open c A KEEP_CACHE\nP1: open p A PASSTHROUGH backing=B\n";

constexpr char kTwoCloses[] =
    "conn passthrough\ninode A\nbacking B\n1: backing_open B\n"
    "P0: backing_close B\nP1: backing_close B\nP2: backing_close B\n";

TEST(ShortestScheduleTest, OutcomesAgreeWithBruteForce) {
  const Script opens = Parse(kTwoOpens);
  ExpectSameAsBruteForce(opens, Ends(), true);
  ExpectSameAsBruteForce(opens, Outcome(opens, "P0.1 == 0 && P1.1 == EIO"), true);
  ExpectSameAsBruteForce(opens, Outcome(opens, "P0.1 == EIO && P1.1 == 0"), true);
  ExpectSameAsBruteForce(opens, Outcome(opens, "P0.1 == 0 && P1.1 == 0"), false);
  const Script closes = Parse(kTwoCloses);
  ExpectSameAsBruteForce(closes, Outcome(closes, "P0.1 == ENOENT && P1.1 == ENOENT"), true);
  ExpectSameAsBruteForce(closes, Outcome(closes, "P0.1 == 0"), true);
}

TEST(ShortestScheduleTest, FindingsAgreeWithBruteForce) {
  for (const char* name : {"H1-lost-wakeup", "H1-lost-wakeup-of-mmap", "abort-lost-wakeup"}) {
    const Script script = ReadScript(absl::StrCat("scenarios/litmus/", name, ".iom"));
    ExpectSameAsBruteForce(script, FindsAnything(), true);
  }
}

// Two steps race in step 4: who comes first is a choice between the numbered steps.
TEST(ShortestScheduleTest, SequencesAgreeWithBruteForce) {
  const Script script = Parse(
      "conn passthrough direct_io_allow_mmap\ninode A\nbacking B\n"
      "1: open w A DIRECT_IO|PARALLEL_DIRECT_WRITES\n2: write w hold\n3: open c A KEEP_CACHE\n"
      "4: open d A KEEP_CACHE\n5: reply 2\n");
  ExpectSameAsBruteForce(script, Ends(), true);
  ExpectSameAsBruteForce(ReadScript("scenarios/hazards/H1-lost-wakeup.iom"), FindsAnything(), true);
}

TEST(ShortestScheduleTest, AClaimThatIsNotMetEndsARun) {
  const Script script =
      Parse("conn direct_io_allow_mmap\ninode A\n1: open c A KEEP_CACHE -> EIO\n2: close c\n");
  ScriptRun run(script, NewestRevision(), true);
  EXPECT_FALSE(FindShortestSchedule(run, {.goal = Ends()}).found);
  ScriptRun free(script, NewestRevision(), false);
  EXPECT_TRUE(FindShortestSchedule(free, {.goal = Ends()}).found);
}

TEST(ShortestScheduleTest, BoundsAreIncomplete) {
  const Script script = ReadScript("scenarios/litmus/H1-lost-wakeup.iom");
  ScriptRun run(script, NewestRevision(), true);
  const FoundSchedule few = FindShortestSchedule(run, {.goal = FindsAnything(), .max_states = 10});
  EXPECT_FALSE(few.found);
  EXPECT_FALSE(few.complete);
}

TEST(ShortestScheduleTest, ARunThatCannotLearnMoreIsLost) {
  const Script script = ReadScript("scenarios/litmus/H1-lost-wakeup.iom");
  ScriptRun run(script, NewestRevision(), true);
  if (!run.machine().ReportsAccesses()) GTEST_SKIP() << "nothing is learned in this build";
  run.Learn(30);
  const FoundSchedule found = FindShortestSchedule(run, {.goal = Ends()});
  EXPECT_TRUE(run.lost());
  EXPECT_FALSE(found.complete);
  EXPECT_FALSE(found.found);
}

// States that are not kept are reached again: the same schedule in little memory.
TEST(ShortestScheduleTest, MemoryBoundsChangeNothing) {
  const Script script = ReadScript("scenarios/litmus/H1-lost-wakeup.iom");
  ScriptRun run(script, NewestRevision(), true);
  const FoundSchedule much = FindShortestSchedule(run, {.goal = FindsAnything()});
  const FoundSchedule little =
      FindShortestSchedule(run, {.goal = FindsAnything(), .max_bytes = 100'000});
  ASSERT_TRUE(much.found && little.found);
  EXPECT_EQ(much.cost, little.cost);
  EXPECT_EQ(much.schedule, little.schedule);
}

std::string H1Token() {
  const Script script = ReadScript("scenarios/litmus/H1-lost-wakeup.iom");
  ScriptRun run(script, NewestRevision(), true);
  const FoundSchedule found = FindShortestSchedule(run, {.goal = FindsAnything()});
  EXPECT_TRUE(found.found);
  return TellStory(script, NewestRevision(), found.schedule).token;
}

// Any run, not only short ones: choices packed and unpacked are the same schedule.
TEST(ReplayTokenTest, ChoicesOfAnyRunComeBack) {
  const Script script = ReadScript("scenarios/litmus/H1-lost-wakeup.iom");
  uint32_t random = 1;
  for (int round = 0; round < 50; round++) {
    ScriptRun run(script, NewestRevision(), false);
    Schedule schedule;
    while (!run.moves().empty()) {
      random = random * 1664525 + 1013904223;
      schedule.push_back(run.moves()[(random >> 16) % run.moves().size()]);
      run.Take(schedule.back());
    }
    ScriptRun pack(script, NewestRevision(), false);
    const std::string choices = PackChoices(pack, schedule);
    ScriptRun unpack(script, NewestRevision(), false);
    const absl::StatusOr<Schedule> back = UnpackChoices(unpack, choices);
    ASSERT_TRUE(back.ok()) << back.status().message();
    EXPECT_EQ(*back, schedule);
  }
}

TEST(ReplayTokenTest, DamageIsSeen) {
  const Script script = ReadScript("scenarios/litmus/H1-lost-wakeup.iom");
  const std::string token = H1Token();
  ASSERT_TRUE(ReadToken(script, token).ok()) << ReadToken(script, token).status().message();
  for (size_t at = 0; at < token.size(); at++) {
    std::string other = token;
    other[at] = other[at] == '0' ? '1' : '0';
    EXPECT_FALSE(ReadToken(script, other).ok()) << other;
    EXPECT_FALSE(ReadToken(script, token.substr(0, at)).ok()) << token.substr(0, at);
  }
  EXPECT_FALSE(ReadToken(script, "").ok());
  EXPECT_FALSE(ReadToken(script, "v7.3").ok());
}

TEST(ReplayTokenTest, OtherScriptsAndRevisionsAreRefused) {
  Script script = ReadScript("scenarios/litmus/H1-lost-wakeup.iom");
  const std::string token = H1Token();
  // What is said about the steps may change...
  script.conditions.clear();
  script.expectations.clear();
  EXPECT_TRUE(ReadToken(script, token).ok());
  // ... and the steps may not.
  const auto message = [&token](const Script& other) {
    return std::string(ReadToken(other, token).status().message());
  };
  script.threads[1][0].fopen_flags = FOPEN_DIRECT_IO;
  EXPECT_NE(message(script).find("another script"), std::string::npos) << message(script);
  EXPECT_FALSE(ReadToken(ReadScript("scenarios/litmus/H15-two-openers.iom"), token).ok());

  const absl::StatusOr<ReplayToken> parsed = ParseToken(token);
  ASSERT_TRUE(parsed.ok());
  ReplayToken other = *parsed;
  other.revision = "v9.9";
  const Script h1 = ReadScript("scenarios/litmus/H1-lost-wakeup.iom");
  const absl::Status unknown = ReadToken(h1, PrintToken(other)).status();
  EXPECT_NE(unknown.message().find("v9.9"), std::string::npos) << unknown.message();
  // With the wakeup, the same choices do not give the same events.
  other.revision = "v7.3+wake-on-attach";
  EXPECT_FALSE(ReadToken(h1, PrintToken(other)).ok());
  other = *parsed;
  other.choices += '\1';
  EXPECT_FALSE(ReadToken(h1, PrintToken(other)).ok());
}

}  // namespace
}  // namespace iomode
