// SPDX-License-Identifier: GPL-2.0-only
//
// How fast the explorer goes through the interleavings of some litmus scripts: states and
// transitions a second, on one thread.

#include <benchmark/benchmark.h>

#include <cstdlib>

#include "model/revision.h"
#include "sim/explorer.h"
#include "sim/litmus.h"
#include "sim/script_parser.h"

namespace iomode {
namespace {

constexpr char kTwoOpens[] = R"(conn passthrough
inode A
backing B
1: backing_open B -> 0
P0: open f A KEEP_CACHE
P0: close f
P1: open p A PASSTHROUGH backing=B
P1: close p
)";

constexpr char kWriteAndOpen[] = R"(conn direct_io_allow_mmap
inode A
1: open w A DIRECT_IO|PARALLEL_DIRECT_WRITES -> 0
P0: write w
P0: write w off=4096
P1: open c A KEEP_CACHE
P1: close c
P2: open d A KEEP_CACHE
)";

constexpr char kLostWakeup[] = R"(conn passthrough
inode A
backing B
1: backing_open B -> 0
2: open w A DIRECT_IO|PARALLEL_DIRECT_WRITES -> 0
P0: write w
P1: open c A KEEP_CACHE
P2: open p A PASSTHROUGH backing=B
P3: write w off=4096
)";

void Explore(benchmark::State& state, const char* text) {
  const absl::StatusOr<Script> script = ParseScript("bench", text);
  if (!script.ok()) {
    state.SkipWithError(script.status().ToString().c_str());
    return;
  }
  uint64_t states = 0;
  uint64_t transitions = 0;
  for (auto _ : state) {
    const LitmusReport report = RunLitmus(*script, NewestRevision(), {.max_states = 50'000'000});
    if (report.setup.failed_step != 0 || !report.stats.complete) std::abort();
    states += report.stats.states;
    transitions += report.stats.transitions;
  }
  state.counters["states"] =
      benchmark::Counter(static_cast<double>(states), benchmark::Counter::kAvgIterations);
  state.counters["states_per_second"] =
      benchmark::Counter(static_cast<double>(states), benchmark::Counter::kIsRate);
  state.counters["transitions_per_second"] =
      benchmark::Counter(static_cast<double>(transitions), benchmark::Counter::kIsRate);
}

BENCHMARK_CAPTURE(Explore, two_opens, kTwoOpens)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Explore, writes_and_two_openers, kWriteAndOpen)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Explore, lost_wakeup, kLostWakeup)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace iomode
