// SPDX-License-Identifier: GPL-2.0-only
//
// How fast the explorer goes through the same interleavings with the model's functions and with the
// kernel's own (Debian's linux-source-6.12), on one thread.

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>

#include "conformance/source/build_source.h"
#include "conformance/source/source_ops.h"
#include "model/revision.h"
#include "sim/litmus.h"
#include "sim/script_parser.h"

namespace iomode {
namespace {

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

void Explore(benchmark::State& state, const Revision* revision) {
  const absl::StatusOr<Script> script = ParseScript("bench", kLostWakeup);
  if (revision == nullptr || !script.ok()) {
    state.SkipWithError("no kernel sources");
    return;
  }
  uint64_t states = 0;
  for (auto _ : state) {
    const LitmusReport report = RunLitmus(*script, *revision, {.max_states = 50'000'000});
    if (report.setup.failed_step != 0 || !report.stats.complete) std::abort();
    states += report.stats.states;
  }
  state.counters["states"] =
      benchmark::Counter(static_cast<double>(states), benchmark::Counter::kAvgIterations);
  state.counters["states_per_second"] =
      benchmark::Counter(static_cast<double>(states), benchmark::Counter::kIsRate);
}

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
  benchmark::RegisterBenchmark("Explore/model", iomode::Explore, model)
      ->Unit(benchmark::kMillisecond);
  benchmark::RegisterBenchmark("Explore/source", iomode::Explore, source)
      ->Unit(benchmark::kMillisecond);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
