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
#include "props/sequential_orders.h"
#include "sim/script_parser.h"

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

struct Scene {
  const char* name;
  const char* lines;
  std::vector<const char*> calls;
};

const std::vector<Scene>& Scenes() {
  static const auto* const scenes = new std::vector<Scene>{
      {"neutral",
       "1: backing_open B1\n2: backing_open B2\n3: open w A DIRECT_IO|PARALLEL_DIRECT_WRITES\n"
       "4: open d A DIRECT_IO\n",
       {"open c A KEEP_CACHE",
        "open k A",
        "open t A KEEP_CACHE o=RDWR|TRUNC",
        "open p A PASSTHROUGH backing=B1",
        "open q A PASSTHROUGH backing=B2",
        "open e A DIRECT_IO",
        "read w off=61440",
        "write w",
        "write w append",
        "write d off=65536",
        "aio_write w",
        "mmap m w shared",
        "mmap n d private",
        "truncate d 0",
        "truncate d 69632",
        "stat d",
        "fsync d",
        "fallocate d len=131072",
        "splice_read d",
        "close w",
        "close d",
        "backing_close B1"}},
      {"caching",
       "1: backing_open B1\n2: open c A KEEP_CACHE\n"
       "3: open w A DIRECT_IO|PARALLEL_DIRECT_WRITES\n",
       {"open k A", "open p A PASSTHROUGH backing=B1", "read c off=61440", "write c",
        "write c append", "write w", "write w off=65536", "aio_write w", "mmap m c shared",
        "truncate c 0", "truncate c 69632", "stat c", "fsync c", "fallocate c len=131072",
        "splice_read c off=61440", "close c", "close w"}},
      {"passthrough",
       "1: backing_open B1\n2: backing_open B2\n3: open p A PASSTHROUGH backing=B1\n"
       "4: open q A PASSTHROUGH|DIRECT_IO|PARALLEL_DIRECT_WRITES backing=B1\n",
       {"open c A KEEP_CACHE", "open r A PASSTHROUGH backing=B1", "open s A PASSTHROUGH backing=B2",
        "open d A DIRECT_IO", "read p off=61440", "write p", "write p append", "write p off=65536",
        "read q off=61440", "write q", "write q off=65536", "mmap m p shared", "mmap n q private",
        "stat p", "truncate p 0", "close p", "close q", "backing_close B1"}},
  };
  return *scenes;
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
        // The names of what they make would be the same.
        if (i == j && (absl::StartsWith(a, "open") || absl::StartsWith(a, "mmap"))) continue;
        const absl::StatusOr<Script> script = ParseScript(
            scene.name, absl::StrCat("conn passthrough direct_io_allow_mmap async_dio\ninode A\n"
                                     "backing B1\nbacking B2\n",
                                     scene.lines, "P0: ", a, "\nP1: ", b, "\n"));
        ASSERT_TRUE(script.ok()) << script.status().message();
        const auto outcomes = NotLinearizable(*script, NewestRevision(), kMaxStatesOfPair);
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
