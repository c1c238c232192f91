// SPDX-License-Identifier: GPL-2.0-only
//
// The hot paths of the io-mode machine on real threads, beside the least that anybody could do:
// BM_Floor_* are a bare lock around a counter, taken as often. All threads work on one inode.
//
// "Floor" rows tell what the machine pays for the shared cache line; the difference to the row
// below is the model's.

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <memory>
#include <shared_mutex>

#include "sim/native_kernel.h"

namespace iomode {
namespace {

using W = NativeWorld;

constexpr uint16_t kParallel = FOPEN_DIRECT_IO | FOPEN_PARALLEL_DIRECT_WRITES;

// One kernel with one inode for all threads of a run: thread 0 makes it before they start and takes
// it down after they have ended.
struct Bench {
  Bench() { kernel.BackingOpen(0); }
  ~Bench() { kernel.Drain(); }
  NativeKernel<W> kernel{NewestRevision().rules, NativeOptions()};
};
Bench* bench = nullptr;

void SetUp(const benchmark::State&) { bench = new Bench; }
void TearDown(const benchmark::State&) {
  delete bench;
  bench = nullptr;
}

File<W>* Open(uint16_t reply, int backing = -1) {
  File<W>* file = nullptr;
  if (bench->kernel.Open(0, OPEN_READ | OPEN_WRITE, {reply, backing}, &file) != 0) std::abort();
  return file;
}
void Close(File<W>* file) { vfs_close(bench->kernel.conn(), file); }

Kiocb<W> OnePage(File<W>* file) {
  Kiocb<W> iocb = {};
  iocb.file = file;
  iocb.count = kPageSize;
  return iocb;
}

// --- Floors ---

NativeSpinLock floor_lock = {};
std::shared_mutex floor_rwlock;
int64_t floor_counter = 0;

// Twice, as for a start and an end.
void BM_Floor_SpinLockTwice(benchmark::State& state) {
  for (auto _ : state) {
    floor_lock.Lock();
    benchmark::DoNotOptimize(--floor_counter);
    floor_lock.Unlock();
    floor_lock.Lock();
    benchmark::DoNotOptimize(++floor_counter);
    floor_lock.Unlock();
  }
  state.SetItemsProcessed(state.iterations());
}

void BM_Floor_SharedMutexAndSpinLockTwice(benchmark::State& state) {
  for (auto _ : state) {
    floor_rwlock.lock_shared();
    floor_lock.Lock();
    benchmark::DoNotOptimize(--floor_counter);
    floor_lock.Unlock();
    floor_lock.Lock();
    benchmark::DoNotOptimize(++floor_counter);
    floor_lock.Unlock();
    floor_rwlock.unlock_shared();
  }
  state.SetItemsProcessed(state.iterations());
}

// --- The machine ---

void BM_UncachedIoStartEnd(benchmark::State& state) {
  FuseInode<W>& fi = bench->kernel.inode(0);
  for (auto _ : state) {
    if (fuse_inode_uncached_io_start(fi, static_cast<FuseBacking<W>*>(nullptr)) != 0) std::abort();
    fuse_inode_uncached_io_end(fi);
  }
  state.SetItemsProcessed(state.iterations());
}

void DioLock(benchmark::State& state, uint16_t reply, bool expect_exclusive) {
  File<W>* file = Open(reply);
  FuseInode<W>& fi = *file->inode;
  const Kiocb<W> iocb = OnePage(file);
  for (auto _ : state) {
    const bool exclusive = fuse_dio_lock(fi, iocb);
    if (exclusive != expect_exclusive) std::abort();
    fuse_dio_unlock(fi, iocb, exclusive);
  }
  Close(file);
  state.SetItemsProcessed(state.iterations());
}
void BM_DioLockParallel(benchmark::State& state) { DioLock(state, kParallel, false); }
void BM_DioLockExclusive(benchmark::State& state) { DioLock(state, FOPEN_DIRECT_IO, true); }

// A file caches, so writes that might run in parallel fall back to the exclusive lock.
void BM_DioLockExclusiveFallback(benchmark::State& state) {
  File<W>* cached = Open(FOPEN_KEEP_CACHE);
  DioLock(state, kParallel, true);
  Close(cached);
}

void BM_CachedOpenRelease(benchmark::State& state) {
  for (auto _ : state) Close(Open(FOPEN_KEEP_CACHE | FOPEN_NOFLUSH));
  state.SetItemsProcessed(state.iterations());
}

void BM_PassthroughOpenRelease(benchmark::State& state) {
  for (auto _ : state) Close(Open(FOPEN_PASSTHROUGH | FOPEN_NOFLUSH, 0));
  state.SetItemsProcessed(state.iterations());
}

// Whole system calls with a server that answers at once.
void OnePageCalls(benchmark::State& state, uint16_t reply, int64_t (*call)(Kiocb<W>&)) {
  File<W>* file = Open(reply);
  for (auto _ : state) {
    Kiocb<W> iocb = OnePage(file);
    if (call(iocb) != kPageSize) std::abort();
  }
  Close(file);
  state.SetItemsProcessed(state.iterations());
}
void BM_ParallelWrite(benchmark::State& state) {
  OnePageCalls(state, kParallel, [](Kiocb<W>& iocb) -> int64_t { return vfs_write(iocb); });
}
void BM_CachedRead(benchmark::State& state) {
  OnePageCalls(state, FOPEN_KEEP_CACHE, [](Kiocb<W>& iocb) -> int64_t { return vfs_read(iocb); });
}

// Of 16 operations, 14 are direct writes and one opens and closes a cached file, so that the inode
// goes to and fro between the modes; one is a direct read.
void BM_MixedWritesAndCachedOpens(benchmark::State& state) {
  File<W>* file = Open(kParallel);
  uint32_t i = static_cast<uint32_t>(state.thread_index()) * 5;
  for (auto _ : state) {
    Kiocb<W> iocb = OnePage(file);
    switch (i++ % 16) {
      case 0:
        Close(Open(FOPEN_KEEP_CACHE | FOPEN_NOFLUSH));
        break;
      case 8:
        if (vfs_read(iocb) != kPageSize) std::abort();
        break;
      default:
        if (vfs_write(iocb) != kPageSize) std::abort();
    }
  }
  Close(file);
  state.SetItemsProcessed(state.iterations());
}

// As above with passthrough opens, which never wait.
void BM_MixedWritesAndPassthroughOpens(benchmark::State& state) {
  File<W>* file = Open(kParallel);
  uint32_t i = static_cast<uint32_t>(state.thread_index()) * 5;
  for (auto _ : state) {
    if (i++ % 16 == 0) {
      Close(Open(FOPEN_PASSTHROUGH | FOPEN_NOFLUSH, 0));
      continue;
    }
    Kiocb<W> iocb = OnePage(file);
    if (vfs_write(iocb) != kPageSize) std::abort();
  }
  Close(file);
  state.SetItemsProcessed(state.iterations());
}

#define IOMODE_BENCHMARK(name) \
  BENCHMARK(name)->Setup(SetUp)->Teardown(TearDown)->ThreadRange(1, 16)->UseRealTime()

IOMODE_BENCHMARK(BM_Floor_SpinLockTwice);
IOMODE_BENCHMARK(BM_UncachedIoStartEnd);
IOMODE_BENCHMARK(BM_Floor_SharedMutexAndSpinLockTwice);
IOMODE_BENCHMARK(BM_DioLockParallel);
IOMODE_BENCHMARK(BM_DioLockExclusive);
IOMODE_BENCHMARK(BM_DioLockExclusiveFallback);
IOMODE_BENCHMARK(BM_CachedOpenRelease);
IOMODE_BENCHMARK(BM_PassthroughOpenRelease);
IOMODE_BENCHMARK(BM_ParallelWrite);
IOMODE_BENCHMARK(BM_CachedRead);
IOMODE_BENCHMARK(BM_MixedWritesAndCachedOpens);
IOMODE_BENCHMARK(BM_MixedWritesAndPassthroughOpens);

}  // namespace
}  // namespace iomode
