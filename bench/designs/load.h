// SPDX-License-Identifier: GPL-2.0-only
//
// Loads on one inode of a kernel with a design of the io-mode lock in it: so many threads do the
// same for so long, each with files of its own.

#ifndef BENCH_DESIGNS_LOAD_H_
#define BENCH_DESIGNS_LOAD_H_

#include <sched.h>
#include <sys/prctl.h>

#include <algorithm>
#include <barrier>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <thread>
#include <vector>

#include "bench/designs/design.h"
#include "bench/designs/latency.h"
#include "bench/designs/sharded.h"
#include "sim/native_kernel.h"

namespace iomode {

// What Sharded keeps of an inode: what all read and hardly anybody writes, what is written with
// fi->lock held, and each processor's slot lie in cache lines of their own.
struct NativeShards {
  static constexpr int kMaxSlots = 64;
  struct alignas(64) Slot {
    NativeWorld::Atomic<int32_t> writes;
  };

  alignas(64) NativeWorld::Published<uint8_t> central = {};
  alignas(64) NativeWorld::Published<int32_t> ctr = {};
  int waiting = 0;
  alignas(64) int slots = std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1,
                                     kMaxSlots);
  Slot slot[kMaxSlots] = {};
};

// Real threads, with the inode's fields where AtomicWord and the kernel's C want them. One kernel
// at a time.
struct DesignWorld : NativeWorld {
  struct alignas(8) WaitQueue : NativeWaitQueue {};
  static inline NativeShards* shards_of_inode[1] = {};
};

template <>
struct ShardsIn<DesignWorld> {
  using W = DesignWorld;
  static NativeShards& Of(FuseInode<W>& fi) { return *W::shards_of_inode[fi.index]; }
  static int slots(FuseInode<W>& fi) { return Of(fi).slots; }
  static W::Atomic<int32_t>& Slot(FuseInode<W>& fi, int i) { return Of(fi).slot[i].writes; }
  static int StartSlot(FuseInode<W>& fi) { return sched_getcpu() % slots(fi); }
  static int EndSlot(FuseInode<W>& fi) { return StartSlot(fi); }
  static void Ends(FuseInode<W>&) {}
  static void Changed(FuseInode<W>&, int) {}
};

// The functions that a load calls. All go through pointers that the compiler does not know, the
// kernel's C, which is loaded, as the rest.
template <class D>
IomodeOps<DesignWorld> CallsOf() {
  if constexpr (requires { D::Calls(); }) {
    return D::Calls();
  } else {
    IomodeOps<DesignWorld> calls = *OpsOf<D, DesignWorld>();
    calls.fuse_dio_lock = fuse_dio_lock<DesignWorld>;
    calls.fuse_dio_unlock = fuse_dio_unlock<DesignWorld>;
    return calls;
  }
}

struct Load {
  // kExclusiveWrites: a file caches, so writes that might run in parallel take the lock alone.
  enum Kind { kStartEnd, kWrites, kExclusiveWrites, kCachedOpens, kPassthroughOpens };
  Kind kind = kStartEnd;
  int threads = 1;
  int openers_in_16 = 0;                // kWrites: so many of 16 operations are cached opens
  std::chrono::microseconds server{0};  // kWrites: how long a WRITE takes; at 0 it takes nothing
  std::chrono::milliseconds window{50};
};

struct LoadResult {
  int64_t operations = 0;
  int64_t opened = 0;   // cached opens in a mixed load
  int64_t refused = 0;  // ... that failed with ETXTBSY
  double seconds = 0;
  double cpu_seconds = 0;  // that the threads ran
  double fairness = 0;     // operations of the slowest thread, of the fastest one 1
  Latency all;             // of every 16th operation; where the server takes time, of all
  Latency opens;           // of cached opens in a mixed load, with their wait, without the release
};

template <class D>
class LoadRun {
 public:
  using W = DesignWorld;

  explicit LoadRun(const Load& load)
      : load_(load),
        calls_(CallsOf<D>()),
        kernel_(FindRevision(D::kRevision)->rules, {.caps = CONN_PASSTHROUGH, .server = {}}) {
    kernel_.conn().ops = D::Ops();
    W::shards_of_inode[0] = &shards_;
  }

  LoadResult Run() {
    FuseInode<W>& fi = kernel_.inode(0);
    kernel_.BackingOpen(0);
    FuseFileArgs args = {};
    FuseFile<W> caching = {};
    caching.has_args = true;
    caching.args = &args;
    if (load_.kind == Load::kExclusiveWrites && calls_.fuse_file_cached_io_open(fi, caching) != 0)
      std::abort();
    std::vector<Worker> workers(load_.threads);
    std::vector<std::thread> threads;
    std::barrier<> start(load_.threads + 1);
    for (Worker& worker : workers) {
      threads.emplace_back([this, &worker, &start] {
        W::task = static_cast<uint32_t>(&worker - worker.first) + 1;
        prctl(PR_SET_TIMERSLACK, 1);
        worker.file = Open(worker);
        start.arrive_and_wait();
        const double cpu_before = CpuSeconds();
        Work(worker);
        worker.cpu_seconds = CpuSeconds() - cpu_before;
        start.arrive_and_wait();
        if (worker.file != nullptr) vfs_close(kernel_.conn(), worker.file);
      });
      worker.first = workers.data();
    }
    LoadResult result = Collect(workers, threads, start);
    calls_.fuse_file_io_release(caching, fi);
    kernel_.Drain();
    if (!kernel_.CheckClosed().empty()) std::abort();
    if constexpr (requires { D::IsNeutral(fi); }) {
      if (!D::IsNeutral(fi)) std::abort();
    }
    return result;
  }

 private:
  using Clock = std::chrono::steady_clock;

  // A cache line of its own, and more.
  struct alignas(128) Worker {
    Worker* first = nullptr;
    File<W>* file = nullptr;
    FuseFile<W> cached = {};
    FuseFileArgs args = {};
    int64_t operations = 0;
    int64_t opened = 0;
    int64_t refused = 0;
    double cpu_seconds = 0;
    Latency all;
    Latency opens;
  };

  // Of the calling thread.
  static double CpuSeconds() {
    timespec now = {};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
  }

  File<W>* Open(Worker& worker) {
    worker.cached.has_args = true;
    worker.cached.args = &worker.args;
    worker.cached.inode = &kernel_.inode(0);
    File<W>* file = nullptr;
    if ((load_.kind == Load::kWrites || load_.kind == Load::kExclusiveWrites) &&
        kernel_.Open(0, OPEN_READ | OPEN_WRITE,
                     {.flags = FOPEN_DIRECT_IO | FOPEN_PARALLEL_DIRECT_WRITES | FOPEN_NOFLUSH},
                     &file) != 0)
      std::abort();
    return file;
  }

  LoadResult Collect(std::vector<Worker>& workers, std::vector<std::thread>& threads,
                     std::barrier<>& start) {
    LoadResult result;
    start.arrive_and_wait();
    const auto begin = Clock::now();
    std::this_thread::sleep_for(load_.window);
    stop_.store(true);
    const std::chrono::duration<double> took = Clock::now() - begin;
    start.arrive_and_wait();
    for (std::thread& thread : threads) thread.join();
    result.seconds = took.count();
    int64_t most = 0;
    int64_t least = INT64_MAX;
    for (const Worker& worker : workers) {
      result.operations += worker.operations;
      result.opened += worker.opened;
      result.refused += worker.refused;
      result.cpu_seconds += worker.cpu_seconds;
      most = std::max(most, worker.operations);
      least = std::min(least, worker.operations);
      result.all.Add(worker.all);
      result.opens.Add(worker.opens);
    }
    result.fairness = most == 0 ? 0 : static_cast<double>(least) / static_cast<double>(most);
    return result;
  }

  void Work(Worker& worker) {
    const uint32_t every = load_.server.count() > 0 ? 1 : 16;
    for (uint32_t i = static_cast<uint32_t>(W::task) * 5; !stop_.load(std::memory_order_relaxed);
         i++) {
      const bool opens =
          static_cast<int>(i % 16 * 7 % 16) < load_.openers_in_16 && load_.kind == Load::kWrites;
      const bool timed = opens || i % every == 0;
      const auto begin = timed ? Clock::now() : Clock::time_point();
      Operate(worker, opens);
      if (timed) worker.all.Note(Clock::now() - begin);
      worker.operations++;
    }
  }

  void Operate(Worker& worker, bool opens) {
    FuseInode<W>& fi = kernel_.inode(0);
    switch (load_.kind) {
      case Load::kStartEnd:
        if (calls_.fuse_inode_uncached_io_start(fi, nullptr) != 0) std::abort();
        calls_.fuse_inode_uncached_io_end(fi);
        break;
      case Load::kWrites:
        opens ? OpenAmongWrites(worker) : Write(worker);
        break;
      case Load::kExclusiveWrites:
        Write(worker);
        break;
      case Load::kCachedOpens:
        if (calls_.fuse_file_cached_io_open(fi, worker.cached) != 0) std::abort();
        calls_.fuse_file_io_release(worker.cached, fi);
        break;
      case Load::kPassthroughOpens: {
        FuseBacking<W>* fb = nullptr;
        if (fuse_passthrough_open(kernel_.conn(), worker.cached, 1, &fb) != 0) std::abort();
        if (calls_.fuse_inode_uncached_io_start(fi, fb) != 0) std::abort();
        worker.cached.iomode = IOM_UNCACHED;
        calls_.fuse_file_io_release(worker.cached, fi);
        fuse_passthrough_release(kernel_.conn(), worker.cached);
      }
    }
  }

  void OpenAmongWrites(Worker& worker) {
    FuseInode<W>& fi = kernel_.inode(0);
    const auto begin = Clock::now();
    const int err = calls_.fuse_file_cached_io_open(fi, worker.cached);
    worker.opens.Note(Clock::now() - begin);
    worker.opened++;
    if (err != 0) {
      worker.refused++;
      return;
    }
    calls_.fuse_file_io_release(worker.cached, fi);
  }

  void Write(Worker& worker) {
    FuseInode<W>& fi = kernel_.inode(0);
    Kiocb<W> iocb = {};
    iocb.file = worker.file;
    iocb.count = kPageSize;
    const bool exclusive = calls_.fuse_dio_lock(fi, iocb);
    if (load_.server.count() > 0) std::this_thread::sleep_for(load_.server);
    calls_.fuse_dio_unlock(fi, iocb, exclusive);
  }

  const Load load_;
  const IomodeOps<W> calls_;
  NativeShards shards_;
  NativeKernel<W> kernel_;
  std::atomic<bool> stop_ = false;
};

}  // namespace iomode

#endif  // BENCH_DESIGNS_LOAD_H_
