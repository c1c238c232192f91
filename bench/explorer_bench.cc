// SPDX-License-Identifier: GPL-2.0-only
//
// How fast the explorer goes through the interleavings of some litmus scripts, on one thread: with
// the model's functions, with them but without reduction, and with the kernel's own (Debian's
// linux-source-6.12), which are explored without.

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>

#include "conformance/source/build_source.h"
#include "conformance/source/source_ops.h"
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

void Explore(benchmark::State& state, const char* text, const Revision* revision, bool reduce) {
  const absl::StatusOr<Script> script = ParseScript("bench", text);
  if (!script.ok() || revision == nullptr) {
    state.SkipWithError(script.ok() ? "no kernel sources" : script.status().ToString().c_str());
    return;
  }
  const LitmusOptions options = {.max_states = 50'000'000, .reduce = reduce};
  uint64_t states = 0;
  uint64_t transitions = 0;
  for (auto _ : state) {
    const LitmusReport report = RunLitmus(*script, *revision, options);
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

// nullptr where no sources can be had; stderr says why.
const Revision* Source(const Revision& base) {
  const BuiltSource built = BuildSource({});
  SourceInfo info;
  std::string error;
  if (built.status != BuiltSource::Status::kBuilt) return nullptr;
  return LoadSource(0, built.library, "source", &base, &info, &error);
}

}  // namespace
}  // namespace iomode

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  const iomode::Revision* const model = iomode::FindRevision("v6.12");
  const iomode::Revision* const source = iomode::Source(*model);
  const struct {
    std::string name;
    const char* text;
  } scripts[] = {{"two_opens", iomode::kTwoOpens},
                 {"writes_and_two_openers", iomode::kWriteAndOpen},
                 {"lost_wakeup", iomode::kLostWakeup}};
  const struct {
    std::string name;
    const iomode::Revision* revision;
    bool reduce;
  } worlds[] = {{"model", model, true}, {"model_in_full", model, false}, {"source", source, false}};
  for (const auto& script : scripts) {
    for (const auto& world : worlds) {
      benchmark::RegisterBenchmark((script.name + "/" + world.name).c_str(), iomode::Explore,
                                   script.text, world.revision, world.reduce)
          ->Unit(benchmark::kMillisecond);
    }
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
