// SPDX-License-Identifier: GPL-2.0-only
//
// What designs of the io-mode lock cost: every load on every design, on real threads. The names are
// load/design/threads/server latency in us/cached opens in 16 operations. Time is wall-clock time
// by operations of all threads; the counters are
//
//   cpu_ns           processor time that an operation took, over all threads
//   p50, p99, p999   ns that an operation took; open_p50 and so on: that a cached open took, most
//                    of it waiting for writes
//   fairness         operations of the slowest thread by those of the fastest
//   refused          part of the cached opens that failed with ETXTBSY
//
// Ask //bench/designs:scenarios_slow_test first: a wrong design has no speed.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <string>

#include "bench/designs/atomic_word.h"
#include "bench/designs/kernel_source.h"
#include "bench/designs/load.h"
#include "bench/designs/sharded.h"

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
  state.counters["open_p999"] = result.opens.Percentile(0.999);
  state.counters["refused"] = static_cast<double>(result.refused) /
                              static_cast<double>(std::max<int64_t>(result.opened, 1));
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

// Loads that the kernel's C runs, too, where it could be loaded.
template <class... Ds>
void RegisterWithKernel(bool kernel, const char* name, const Load& load) {
  RegisterAll<Ds...>(name, load);
  if (kernel) RegisterAll<KernelSource>(name, load);
}

void RegisterLoads(bool kernel) {
  for (const int threads : {1, 2, 4, 8, 16}) {
    RegisterWithKernel<Floor, Lock<W>, AtomicWord<W>, Sharded<W>>(
        kernel, "start_end", {.kind = Load::kStartEnd, .threads = threads});
    RegisterWithKernel<Lock<W>, PerOpen<W>, AtomicWord<W>, Sharded<W>>(
        kernel, "cached_open", {.kind = Load::kCachedOpens, .threads = threads});
    RegisterWithKernel<Lock<W>, AtomicWord<W>, Sharded<W>>(
        kernel, "passthrough_open", {.kind = Load::kPassthroughOpens, .threads = threads});
    RegisterWithKernel<Lock<W>, AtomicWord<W>, Sharded<W>>(
        kernel, "exclusive_write", {.kind = Load::kExclusiveWrites, .threads = threads});
    for (const int latency : {0, 10, 1000}) {
      for (const int openers : {0, 1, 4}) {
        RegisterWithKernel<Lock<W>, PerOpen<W>, WakeOnAttach<W>, RecheckBit<W>, AtomicWord<W>,
                           Sharded<W>>(
            kernel, openers == 0 ? "write" : "mixed",
            {.kind = Load::kWrites,
             .threads = threads,
             .openers_in_16 = openers,
             .server = std::chrono::microseconds(latency),
             .window = std::chrono::milliseconds(latency < 1000 ? 50 : 100)});
      }
    }
  }
}

}  // namespace
}  // namespace iomode

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  std::string what;
  const bool kernel = iomode::KernelSource::Load(&what);
  if (!kernel) {
    what = "not measured: " + what;
    std::cerr << iomode::KernelSource::kName << " is " << what << "\n";
  }
  benchmark::AddCustomContext("kernel_source", what);
  iomode::RegisterLoads(kernel);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
