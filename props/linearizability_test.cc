// SPDX-License-Identifier: GPL-2.0-only
//
// Which system calls are atomic as far as their results tell: what concurrent ones give together
// must be what some order of whole calls gives (Herlihy and Wing 1990). Those that do not promise
// it are listed here, each with what it gives.

#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "props/property.h"
#include "props/random_script.h"
#include "props/scenes.h"
#include "props/sequential_orders.h"

namespace iomode {
namespace {

constexpr uint64_t kMaxStates = 30'000;
constexpr uint64_t kMaxStatesOfPair = 300'000;

// Outcomes that no order of whole steps gives. nullopt: too many states to tell.
std::optional<std::set<std::string>> NotLinearizable(const Script& script, const Revision& revision,
                                                     uint64_t max_states = kMaxStates) {
  PrintOnCrash(script);
  const LitmusReport together = RunLitmus(script, revision, {.max_states = max_states});
  const OrdersReport orders = SequentialOutcomes(script, revision, max_states);
  if (!together.stats.complete || !orders.complete) return std::nullopt;
  std::set<LitmusOutcome> sequential;
  for (const LitmusOutcome& outcome : orders.outcomes) sequential.insert(WithoutVia(outcome));
  std::set<std::string> outcomes;
  for (const auto& [outcome, states] : together.outcomes) {
    const LitmusOutcome plain = WithoutVia(outcome);
    if (!sequential.contains(plain)) outcomes.insert(PrintOutcome(plain));
  }
  return outcomes;
}

// A sleeper that nobody wakes (H1): no order of whole calls has one.
bool IsLostWakeup(const std::string& outcome) { return absl::StrContains(outcome, "blocked"); }

void RequireLinearizable(const Script& script, const Revision& revision) {
  const auto outcomes = NotLinearizable(script, revision);
  RC_CLASSIFY(!outcomes.has_value(), "too many states");
  for (const std::string& outcome : outcomes.value_or(std::set<std::string>())) {
    if (revision.rules.attach_wakes_waiters || !IsLostWakeup(outcome))
      RC_FAIL(absl::StrCat("no order of whole steps gives ", outcome));
  }
}

// Opens of every kind, closes, reads and writes within the file, mmaps, dups, closed backings.
TEST(Linearizability, OpensWritesAndClosesAreAtomicButForLostWakeups) {
  CheckProperty("two threads of up to two steps", 300,
                [] { RequireLinearizable(*LitmusScripts(2, 2), NewestRevision()); });
}

TEST(Linearizability, WithoutExceptionWhereAttachingWakes) {
  const Revision& revision = *FindRevision("v7.3+wake-on-attach");
  CheckProperty("two threads of up to two steps, no lost wakeup", 300,
                [&] { RequireLinearizable(*LitmusScripts(2, 2), revision); });
}

TEST(Linearizability, OfThreeThreads) {
  CheckProperty("three threads of one step", 60,
                [] { RequireLinearizable(*LitmusScripts(3, 1), NewestRevision()); });
}

// Pairs of calls that do not promise it, with what they give that no order of theirs does.
const std::map<std::string, std::string>& Exceptions() {
  static const auto* const exceptions = new std::map<std::string, std::string>{
      // mmap looks for a backing first (ENODEV), and takes its caching reference later (ETXTBSY): a
      // passthrough open comes in between.
      {"neutral: open p A PASSTHROUGH backing=B1 || mmap m w shared", "P0.1=0  P1.1=ETXTBSY"},
      {"neutral: open q A PASSTHROUGH backing=B2 || mmap m w shared", "P0.1=0  P1.1=ETXTBSY"},
      // A write that extends the file sets the size first and marks it stale later; a stat in
      // between has the size of the server's file, and one after it that of the backing.
      {"passthrough: write q off=65536 || stat p", "P0.1=4096  P1.1=69632"},
  };
  return *exceptions;
}

TEST(Linearizability, OfEveryPairOfCalls) {
  std::map<std::string, std::string> found;
  int pairs = 0;
  for (const Scene& scene : Scenes()) {
    for (size_t i = 0; i < scene.calls.size(); i++) {
      for (size_t j = i; j < scene.calls.size(); j++) {
        const char* a = scene.calls[i];
        const char* b = scene.calls[j];
        if (i == j && NamesWhatItMakes(a)) continue;
        const Script script = SceneScript(scene, {a, b});
        const auto outcomes = NotLinearizable(script, NewestRevision(), kMaxStatesOfPair);
        const std::string what = absl::StrCat(scene.name, ": ", a, " || ", b);
        ASSERT_TRUE(outcomes.has_value()) << what << ": too many states";
        pairs++;
        if (!outcomes->empty()) found[what] = absl::StrJoin(*outcomes, "; ");
      }
    }
  }
  EXPECT_GT(pairs, 450);
  EXPECT_EQ(found, Exceptions());
}

}  // namespace
}  // namespace iomode
