// SPDX-License-Identifier: GPL-2.0-only
//
// The explorer, which merges states, against the naive enumerator, which does not: same outcomes
// and same kinds of findings for random litmus programs, with and without reduction. Where the
// naive enumerator gives up, what it has seen must be among what the explorer found.

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "props/naive_enumerator.h"
#include "props/property.h"
#include "props/random_script.h"
#include "sim/sampler.h"
#include "sim/script_parser.h"

namespace iomode {
namespace {

constexpr uint64_t kMaxSchedules = 1000;
constexpr uint64_t kMaxStates = 10'000;

std::set<FindingKind> KindsOf(const std::set<Finding>& findings) {
  std::set<FindingKind> kinds;
  for (const Finding& finding : findings) kinds.insert(finding.kind);
  return kinds;
}

std::string Names(const std::set<FindingKind>& kinds) {
  return absl::StrJoin(kinds, " ", [](std::string* out, FindingKind kind) {
    absl::StrAppend(out, FindingName(kind));
  });
}

void RequireSame(const NaiveReport& naive, const LitmusReport& explored) {
  for (const LitmusOutcome& outcome : naive.outcomes) {
    if (!explored.outcomes.contains(outcome))
      RC_FAIL(absl::StrCat("the explorer misses ", PrintOutcome(outcome)));
  }
  const std::set<FindingKind> kinds = KindsOf(explored.findings);
  for (FindingKind kind : naive.findings) {
    if (!kinds.contains(kind))
      RC_FAIL(absl::StrCat("the explorer does not find ", FindingName(kind)));
  }
  if (!naive.stats.complete) return;
  for (const auto& [outcome, states] : explored.outcomes) {
    if (!naive.outcomes.contains(outcome))
      RC_FAIL(absl::StrCat("no schedule gives ", PrintOutcome(outcome)));
  }
  if (naive.findings != kinds)
    RC_FAIL(absl::StrCat("naive: ", Names(naive.findings), ", explorer: ", Names(kinds)));
}

// Explored with reduction, and `in_full`, without.
void RequireSameAsNaive(const Script& script, const Revision& revision, bool in_full) {
  PrintOnCrash(script);
  std::vector<LitmusReport> complete;
  for (const bool reduce : {true, false}) {
    if (!reduce && !in_full) continue;
    complete.push_back(RunLitmus(script, revision, {.max_states = kMaxStates, .reduce = reduce}));
    if (!complete.back().stats.complete) complete.pop_back();
  }
  if (complete.empty()) RC_DISCARD("too many states");
  const NaiveReport naive = EnumerateLitmus(script, revision, kMaxSchedules);
  RC_CLASSIFY(naive.stats.complete, "all schedules enumerated");
  RC_CLASSIFY(naive.stats.complete && naive.stats.schedules > 20, "more than 20 schedules");
  for (const LitmusReport& explored : complete) RequireSame(naive, explored);
}

TEST(Explorer, AgreesWithTheNaiveEnumeratorOnTwoThreads) {
  CheckProperty("two threads of one or two steps", 150,
                [] { RequireSameAsNaive(*LitmusScripts(2, 2), NewestRevision(), true); });
}

TEST(Explorer, AgreesWithTheNaiveEnumeratorOnThreeThreads) {
  CheckProperty("three threads of up to three steps", 15,
                [] { RequireSameAsNaive(*LitmusScripts(3, 3), NewestRevision(), false); });
}

TEST(Explorer, AgreesWithTheNaiveEnumeratorAtEveryRevision) {
  CheckProperty("two threads at any revision", 40, [] {
    const auto revision = *rc::gen::inRange<size_t>(0, Revisions().size());
    RequireSameAsNaive(*LitmusScripts(2, 1), Revisions()[revision], false);
  });
}

// Rest states are the same ones, not just alike: as many of each outcome.
void RequireReductionChangesNothing(const Script& script, const Revision& revision) {
  PrintOnCrash(script);
  const LitmusReport full =
      RunLitmus(script, revision, {.max_states = kMaxStates, .reduce = false});
  if (!full.stats.complete) RC_DISCARD("too many states");
  const LitmusReport reduced =
      RunLitmus(script, revision, {.max_states = kMaxStates, .reduce = true});
  RC_CLASSIFY(reduced.stats.states * 2 < full.stats.states, "less than half of the states");
  RC_ASSERT(reduced.stats.complete);
  RC_ASSERT(reduced.stats.states <= full.stats.states);
  for (const auto& [outcome, states] : full.outcomes) {
    const auto found = reduced.outcomes.find(outcome);
    if (found == reduced.outcomes.end() || found->second != states)
      RC_FAIL(absl::StrCat("the reduced search does not reach all of ", PrintOutcome(outcome)));
  }
  RC_ASSERT(reduced.outcomes.size() == full.outcomes.size());
  if (KindsOf(full.findings) != KindsOf(reduced.findings))
    RC_FAIL(absl::StrCat("full: ", Names(KindsOf(full.findings)),
                         ", reduced: ", Names(KindsOf(reduced.findings))));
}

TEST(Explorer, ReductionKeepsRestStatesAndFindings) {
  CheckProperty("two threads", 1000,
                [] { RequireReductionChangesNothing(*LitmusScripts(2, 3), NewestRevision()); });
  CheckProperty("three threads", 500,
                [] { RequireReductionChangesNothing(*LitmusScripts(3, 2), NewestRevision()); });
  CheckProperty("any revision", 500, [] {
    const auto revision = *rc::gen::inRange<size_t>(0, Revisions().size());
    RequireReductionChangesNothing(*LitmusScripts(3, 2), Revisions()[revision]);
  });
}

TEST(Explorer, GivesUpAtItsBoundAndSaysSo) {
  CheckProperty("a bound on states is kept and told", 30, [] {
    const Script script = *LitmusScripts(2, 2);
    // A reduced search that starts over has seen some states twice.
    LitmusOptions options = {.max_states = kMaxStates, .reduce = false};
    const LitmusReport full = RunLitmus(script, NewestRevision(), options);
    if (!full.stats.complete || full.stats.states < 20) RC_DISCARD("too many or too few states");
    const uint64_t bound = full.stats.states / 2;
    options.max_states = bound;
    const LitmusReport part = RunLitmus(script, NewestRevision(), options);
    RC_ASSERT(!part.stats.complete);
    RC_ASSERT(part.stats.states <= bound);
    for (const auto& [outcome, states] : part.outcomes) RC_ASSERT(full.outcomes.contains(outcome));
  });
}

// Whatever a sampled run shows, the explorer knows.
TEST(Sampler, SeesNothingThatTheExplorerDoesNot) {
  CheckProperty("sampled runs are among the explored ones", 60, [] {
    const Script script = *LitmusScripts(3, 2);
    const auto at = *rc::gen::inRange<size_t>(0, Revisions().size());
    const int depth = *rc::gen::inRange(1, 5);
    PrintOnCrash(script);
    const LitmusReport explored = RunLitmus(script, Revisions()[at], {.max_states = kMaxStates});
    if (!explored.stats.complete) RC_DISCARD("too many states");
    const std::set<FindingKind> kinds = KindsOf(explored.findings);
    for (const auto mode : {SampleOptions::Mode::kPct, SampleOptions::Mode::kRandom}) {
      const SampleReport sampled =
          SampleLitmus(script, Revisions()[at], {.mode = mode, .depth = depth, .runs = 200});
      RC_ASSERT(sampled.runs == (explored.setup.failed_step == 0 ? 200u : 0u));
      RC_CLASSIFY(sampled.outcomes.size() == explored.outcomes.size(), "all outcomes sampled");
      for (const auto& [outcome, sighting] : sampled.outcomes) {
        if (!explored.outcomes.contains(outcome))
          RC_FAIL(absl::StrCat("the explorer misses ", PrintOutcome(outcome)));
      }
      for (const auto& [kind, sighting] : sampled.kinds) {
        if (!kinds.contains(kind))
          RC_FAIL(absl::StrCat("the explorer does not find ", FindingName(kind)));
      }
    }
  });
}

TEST(LitmusText, ParsingWhatWasPrintedGivesTheSameOutcomes) {
  CheckProperty("litmus scripts survive their text", 40, [] {
    const Script script = *LitmusScripts(2, 2);
    const absl::StatusOr<Script> parsed = ParseScript("random.iom", PrintScript(script));
    if (!parsed.ok()) RC_FAIL(std::string(parsed.status().message()));
    RC_ASSERT(PrintScript(*parsed) == PrintScript(script));
    RC_ASSERT(RunLitmus(*parsed, NewestRevision(), {.max_states = kMaxStates}).outcomes ==
              RunLitmus(script, NewestRevision(), {.max_states = kMaxStates}).outcomes);
  });
}

}  // namespace
}  // namespace iomode
