// SPDX-License-Identifier: GPL-2.0-only
//
// Loads on one inode of a kernel with a design of the io-mode lock in it: so many threads do the
// same for so long, each with files of its own.

#ifndef BENCH_DESIGNS_LOAD_H_
#define BENCH_DESIGNS_LOAD_H_

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
#include "sim/native_kernel.h"

namespace iomode {

// Real threads, with the inode's fields where AtomicWord wants them.
struct DesignWorld : NativeWorld {
  struct alignas(8) WaitQueue : NativeWaitQueue {};
};

struct Load {
  enum Kind { kStartEnd, kWrites, kCachedOpens, kPassthroughOpens };
  Kind kind = kStartEnd;
  int threads = 1;
  int openers_in_16 = 0;                // kWrites: so many of 16 operations are cached opens
  std::chrono::microseconds server{0};  // kWrites: how long a WRITE takes; at 0 it takes nothing
  std::chrono::milliseconds window{50};
};

struct LoadResult {
  int64_t operations = 0;
  int64_t refused = 0;  // cached opens that failed with ETXTBSY
  double seconds = 0;
  double cpu_seconds = 0;  // that the threads ran
  double fairness = 0;     // operations of the slowest thread, of the fastest one 1
  Latency all;             // of every 16th operation; where the server takes time, of all
  Latency opens;           // of cached opens in a mixed load
};

template <class D>
class LoadRun {
 public:
  using W = DesignWorld;

  explicit LoadRun(const Load& load)
      : load_(load),
        kernel_(FindRevision(D::kRevision)->rules, {.caps = CONN_PASSTHROUGH, .server = {}}) {
    kernel_.conn().ops = D::Ops();
  }

  LoadResult Run() {
    kernel_.BackingOpen(0);
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
    return Collect(workers, threads, start);
  }

 private:
  using Clock = std::chrono::steady_clock;

  // A cache line of its own, and more.
  struct alignas(128) Worker {
    Worker* first = nullptr;
    File<W>* file = nullptr;
    FuseFile<W> cached = {};
    int64_t operations = 0;
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
    worker.cached.inode = &kernel_.inode(0);
    File<W>* file = nullptr;
    if (load_.kind == Load::kWrites &&
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
    kernel_.Drain();
    result.seconds = took.count();
    int64_t most = 0;
    int64_t least = INT64_MAX;
    for (const Worker& worker : workers) {
      result.operations += worker.operations;
      result.refused += worker.refused;
      result.cpu_seconds += worker.cpu_seconds;
      most = std::max(most, worker.operations);
      least = std::min(least, worker.operations);
      result.all.Add(worker.all);
      result.opens.Add(worker.opens);
    }
    result.fairness = most == 0 ? 0 : static_cast<double>(least) / static_cast<double>(most);
    if (!kernel_.CheckClosed().empty()) std::abort();
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
      if (timed) {
        const auto took = Clock::now() - begin;
        worker.all.Note(took);
        if (opens) worker.opens.Note(took);
      }
      worker.operations++;
    }
  }

  void Operate(Worker& worker, bool opens) {
    FuseInode<W>& fi = kernel_.inode(0);
    switch (load_.kind) {
      case Load::kStartEnd:
        if (D::fuse_inode_uncached_io_start(fi, nullptr) != 0) std::abort();
        D::fuse_inode_uncached_io_end(fi);
        break;
      case Load::kWrites:
        opens ? OpenAndRelease(worker) : Write(worker);
        break;
      case Load::kCachedOpens:
        OpenAndRelease(worker);
        break;
      case Load::kPassthroughOpens: {
        FuseBacking<W>* fb = nullptr;
        if (fuse_passthrough_open(kernel_.conn(), worker.cached, 1, &fb) != 0) std::abort();
        if (D::fuse_inode_uncached_io_start(fi, fb) != 0) std::abort();
        worker.cached.iomode = IOM_UNCACHED;
        D::fuse_file_io_release(worker.cached, fi);
        fuse_passthrough_release(kernel_.conn(), worker.cached);
      }
    }
  }

  void OpenAndRelease(Worker& worker) {
    FuseInode<W>& fi = kernel_.inode(0);
    if (D::fuse_file_cached_io_open(fi, worker.cached) != 0) {
      worker.refused++;
      return;
    }
    D::fuse_file_io_release(worker.cached, fi);
  }

  void Write(Worker& worker) {
    FuseInode<W>& fi = kernel_.inode(0);
    Kiocb<W> iocb = {};
    iocb.file = worker.file;
    iocb.count = kPageSize;
    const bool exclusive = fuse_dio_lock(fi, iocb);
    if (load_.server.count() > 0) std::this_thread::sleep_for(load_.server);
    fuse_dio_unlock(fi, iocb, exclusive);
  }

  const Load load_;
  NativeKernel<W> kernel_;
  std::atomic<bool> stop_ = false;
};

}  // namespace iomode

#endif  // BENCH_DESIGNS_LOAD_H_
