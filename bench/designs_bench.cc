// SPDX-License-Identifier: GPL-2.0-only
//
// What designs of the io-mode lock cost: every load on every design, on real threads. The names are
// load/design/threads/server latency in us/cached opens in 16 operations. Time is wall-clock time
// by operations of all threads; the counters are
//
//   cpu_ns           processor time that an operation took, over all threads
//   p50, p99, p999   ns that an operation took, and open_p50, open_p99 that a cached open took
//   fairness         operations of the slowest thread by those of the fastest
//   refused          part of the cached opens that failed with ETXTBSY
//
// Ask //bench/designs:scenarios_slow_test first: a wrong design has no speed.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <string>

#include "bench/designs/atomic_word.h"
#include "bench/designs/load.h"

namespace iomode {
namespace {

using W = DesignWorld;

// The least that anybody could do: a bare spin lock around a counter. No design.
struct Floor : Lock<W> {
  static constexpr const char* kName = "floor";
  static int fuse_inode_uncached_io_start(FuseInode<W>& fi, FuseBacking<W>*) {
    fi.lock.Lock();
    Add(fi, -1);
    fi.lock.Unlock();
    return 0;
  }
  static void fuse_inode_uncached_io_end(FuseInode<W>& fi) {
    fi.lock.Lock();
    Add(fi, 1);
    fi.lock.Unlock();
  }

 private:
  static void Add(FuseInode<W>& fi, int n) {
    auto& counter = fi.iocachectr.value;
    counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
};

template <class D>
void Measure(benchmark::State& state, const Load& load) {
  LoadResult result;
  for (auto _ : state) {
    result = LoadRun<D>(load).Run();
    const auto operations = static_cast<double>(std::max<int64_t>(result.operations, 1));
    state.SetIterationTime(result.seconds / operations);
  }
  state.counters["operations"] = static_cast<double>(result.operations);
  state.counters["cpu_ns"] =
      result.cpu_seconds * 1e9 / static_cast<double>(std::max<int64_t>(result.operations, 1));
  state.counters["p50"] = result.all.Percentile(0.5);
  state.counters["p99"] = result.all.Percentile(0.99);
  state.counters["p999"] = result.all.Percentile(0.999);
  state.counters["fairness"] = result.fairness;
  if (load.openers_in_16 == 0) return;
  state.counters["open_p50"] = result.opens.Percentile(0.5);
  state.counters["open_p99"] = result.opens.Percentile(0.99);
  state.counters["refused"] = static_cast<double>(result.refused) * 16 / load.openers_in_16 /
                              static_cast<double>(std::max<int64_t>(result.operations, 1));
}

template <class D>
void Register(const char* name, const Load& load) {
  const std::string full = std::string(name) + "/" + D::kName + "/" + std::to_string(load.threads) +
                           "/" + std::to_string(load.server.count()) + "/" +
                           std::to_string(load.openers_in_16);
  benchmark::RegisterBenchmark(full.c_str(), Measure<D>, load)
      ->Iterations(1)
      ->UseManualTime()
      ->Unit(benchmark::kNanosecond);
}

template <class... Ds>
void RegisterAll(const char* name, const Load& load) {
  (Register<Ds>(name, load), ...);
}

void RegisterLoads() {
  for (const int threads : {1, 2, 4, 8, 16}) {
    RegisterAll<Floor, Lock<W>, AtomicWord<W>>("start_end",
                                               {.kind = Load::kStartEnd, .threads = threads});
    RegisterAll<Lock<W>, PerOpen<W>, AtomicWord<W>>(
        "cached_open", {.kind = Load::kCachedOpens, .threads = threads});
    RegisterAll<Lock<W>, AtomicWord<W>>("passthrough_open",
                                        {.kind = Load::kPassthroughOpens, .threads = threads});
    for (const int latency : {0, 10, 1000}) {
      for (const int openers : {0, 1, 4}) {
        RegisterAll<Lock<W>, PerOpen<W>, WakeOnAttach<W>, RecheckBit<W>, AtomicWord<W>>(
            openers == 0 ? "write" : "mixed", {.kind = Load::kWrites,
                                               .threads = threads,
                                               .openers_in_16 = openers,
                                               .server = std::chrono::microseconds(latency)});
      }
    }
  }
}

}  // namespace
}  // namespace iomode

int main(int argc, char** argv) {
  iomode::RegisterLoads();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
