// SPDX-License-Identifier: GPL-2.0-only

#include "props/stress_run.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "props/soundness.h"
#include "props/stress_probe.h"
#include "props/stress_watchdog.h"

namespace iomode {
namespace {

using W = StressWorld;

// An asynchronous read or write that its thread has not waited for yet.
struct Aio {
  W::Completion done = {};
  int64_t result = 0;
};

class Worker {
 public:
  Worker(StressMachine& machine, const StressOptions& options, int number)
      : machine_(machine),
        options_(options),
        number_(number),
        sequence_(options.seed, number, options.objects) {}

  void Run(StressThread& state);

  std::array<int64_t, kStressKinds> succeeded = {};
  std::array<int64_t, kStressKinds> failed = {};
  std::vector<std::string> problems;
  int64_t parallel_writes = 0;

 private:
  int64_t Do(const StressOp& op);
  int64_t DoOpen(const StressOp& op);
  int64_t DoFile(const StressOp& op, File<W>& file);
  int64_t DoIo(const StressOp& op, File<W>& file);
  int64_t DoAio(const StressOp& op, File<W>& file);
  int64_t WaitForAio();
  void CheckResult(const StressOp& op, int64_t result);

  StressMachine& machine_;
  const StressOptions& options_;
  const int number_;
  StressSequence sequence_;
  std::deque<std::unique_ptr<Aio>> aios_;
};

void Worker::Run(StressThread& state) {
  W::task = static_cast<uint32_t>(number_) + 1;
  StressProbe::self = &state;
  for (int i = 0; i < options_.operations; i++) {
    const StressOp op = sequence_.Next();
    const int64_t result = Do(op);
    CheckResult(op, result);
    state.operation.fetch_add(1);
  }
  while (!aios_.empty()) WaitForAio();
  state.finished = true;
  StressProbe::self = nullptr;
}

// Every error that the operation can end with, and no other.
void Worker::CheckResult(const StressOp& op, int64_t result) {
  (result < 0 ? failed : succeeded)[static_cast<int>(op.kind)]++;
  if (result >= 0) return;
  static constexpr int64_t kExpected[] = {-EBADF,  -EIO,    -EFBIG,  -ENOMEM, -ETXTBSY, -ENODEV,
                                          -EACCES, -EEXIST, -EFAULT, -EINVAL, -ENOENT};
  const bool backing = op.kind == StressKind::kBackingOpen || op.kind == StressKind::kBackingClose;
  const bool refused =
      backing && !machine_.kernel.conn().passthrough && (result == -EPERM || result == -ENOTTY);
  if (refused ||
      std::find(std::begin(kExpected), std::end(kExpected), result) != std::end(kExpected))
    return;
  problems.push_back(absl::StrCat("thread ", number_, ": ", PrintStressOp(op), " gave ", result));
}

int64_t Worker::Do(const StressOp& op) {
  NativeKernel<W>& kernel = machine_.kernel;
  NativeProcess<W>& process = machine_.processes[op.process];
  switch (op.kind) {
    case StressKind::kOpen:
      return DoOpen(op);
    case StressKind::kClose: {
      File<W>* file = machine_.Exchange(op.slot, nullptr);
      return file == nullptr ? -EBADF : vfs_close(kernel.conn(), file);
    }
    case StressKind::kAioWait:
      return aios_.empty() ? 0 : WaitForAio();
    case StressKind::kMunmap:
      return kernel.Munmap(process, op.map);
    case StressKind::kLoad:
    case StressKind::kStore:
      return kernel.Access(process, op.map, op.offset, op.kind == StressKind::kStore);
    case StressKind::kMsync:
      return kernel.Msync(process, op.map);
    case StressKind::kBackingOpen:
      return kernel.BackingOpen(op.backing);
    case StressKind::kBackingClose:
      return kernel.BackingClose(op.backing);
    default: {
      File<W>* file = machine_.Get(op.slot);
      if (file == nullptr) return -EBADF;
      const int64_t result = DoFile(op, *file);
      fput(kernel.conn(), file);
      return result;
    }
  }
}

int64_t Worker::DoOpen(const StressOp& op) {
  NativeKernel<W>& kernel = machine_.kernel;
  const int inode = machine_.InodeOf(op.slot);
  NativeKernel<W>::OpenReply reply = {op.reply_flags, -1};
  if (reply.flags & FOPEN_PASSTHROUGH) reply.backing = op.backing;
  // While the watchdog frees a sleeper, no new passthrough files keep it asleep.
  if (machine_.no_passthrough[inode]) reply = {FOPEN_DIRECT_IO | FOPEN_PARALLEL_DIRECT_WRITES, -1};
  File<W>* file = nullptr;
  const int err = kernel.Open(inode, op.open_flags, reply, &file);
  if (err) return err;
  File<W>* before = machine_.Exchange(op.slot, file);
  if (before != nullptr) vfs_close(kernel.conn(), before);
  return 0;
}

int64_t Worker::DoFile(const StressOp& op, File<W>& file) {
  switch (op.kind) {
    case StressKind::kRead:
    case StressKind::kWrite:
    case StressKind::kSpliceRead:
      return DoIo(op, file);
    case StressKind::kAioRead:
    case StressKind::kAioWrite:
      return DoAio(op, file);
    case StressKind::kMmap:
      return machine_.kernel.Mmap(machine_.processes[op.process], op.map, file, op.shared,
                                  op.may_write);
    case StressKind::kTruncate:
      return vfs_ftruncate(file, op.offset);
    case StressKind::kFallocate:
      return vfs_fallocate(file, op.offset, op.length);
    case StressKind::kFsync:
      return fuse_fsync(file);
    case StressKind::kStat:
      return vfs_getattr(file);
    case StressKind::kReadahead:
      return vfs_readahead(file, op.offset, op.length);
    case StressKind::kSyncRange:
      return vfs_sync_file_range(file, op.offset, op.length);
    default:
      file.f_flags = (file.f_flags & ~uint32_t{OPEN_DIRECT}) | op.open_flags;
      return 0;
  }
}

Kiocb<W> MakeKiocb(const StressOp& op, File<W>& file) {
  Kiocb<W> iocb = {};
  iocb.file = &file;
  iocb.pos = op.offset;
  iocb.count = (file.f_flags & OPEN_APPEND) ? 1 : op.length;
  return iocb;
}

int64_t Worker::DoIo(const StressOp& op, File<W>& file) {
  Kiocb<W> iocb = MakeKiocb(op, file);
  if (op.kind == StressKind::kRead) return vfs_read(iocb);
  if (op.kind == StressKind::kSpliceRead) return vfs_splice_read(iocb);
  const FuseInode<W>& fi = *file.inode;
  if (fi.iocachectr.value < 0 && fi.fb.value == nullptr) parallel_writes++;
  return vfs_write(iocb);
}

int64_t Worker::DoAio(const StressOp& op, File<W>& file) {
  auto aio = std::make_unique<Aio>();
  Kiocb<W> iocb = MakeKiocb(op, file);
  iocb.aio_done = &aio->done;
  iocb.aio_result = &aio->result;
  const int64_t result = op.kind == StressKind::kAioRead ? vfs_read(iocb) : vfs_write(iocb);
  if (result != -EIOCBQUEUED) return result;
  aios_.push_back(std::move(aio));
  return aios_.size() > 4 ? WaitForAio() : 0;
}

int64_t Worker::WaitForAio() {
  const std::unique_ptr<Aio> aio = std::move(aios_.front());
  aios_.pop_front();
  W::wait_for_completion(aio->done);
  return aio->result;
}

NativeOptions KernelOptions(const StressOptions& options) {
  const int operations = options.threads * options.operations;
  NativeOptions native;
  native.caps = options.caps;
  native.backings = options.objects.backings;
  native.backing_ids = operations;
  native.pages = static_cast<int>(2 * kStressFileEnd / kPageSize + operations / kPageSize);
  native.server = options.server;
  native.server.seed = options.seed;
  native.server.inodes = options.objects.inodes;
  native.server.longest_file = native.pages * kPageSize;
  return native;
}

void CloseAll(StressMachine& machine) {
  for (NativeProcess<W>& process : machine.processes) {
    for (int map = 0; map < NativeProcess<W>::kMaps; map++) machine.kernel.Munmap(process, map);
  }
  for (int slot = 0; slot < machine.slots(); slot++) {
    File<W>* file = machine.Exchange(slot, nullptr);
    if (file != nullptr) vfs_close(machine.kernel.conn(), file);
  }
}

void Append(std::vector<std::string>& to, const std::vector<std::string>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

std::string PrintStressOptions(const StressOptions& options) {
  return absl::StrCat(
      "seed ", options.seed, ", ", options.threads, " threads of ", options.operations,
      " operations on ", options.objects.inodes, " inodes, revision ", options.revision->name,
      ", caps ", options.caps, ", delay one in ", options.delay_one_in,
      ", allocation failure one in ", options.allocation_fails_one_in, ", server error one in ",
      options.server.error_one_in, ", latency up to ", options.server.max_latency.count(), " us");
}

StressResult RunStress(const StressOptions& options) {
  StressMachine machine(options.revision->rules, KernelOptions(options), options.objects);
  std::deque<Worker> workers;
  std::deque<StressThread> states;
  for (int t = 0; t < options.threads; t++) {
    workers.emplace_back(machine, options, t);
    StressThread& state = states.emplace_back(options.seed + 7919 * t);
    state.delay_one_in = options.delay_one_in;
    state.allocation_fails_one_in = options.allocation_fails_one_in;
  }
  StressWatchdog watchdog(machine, options, states);
  std::vector<std::thread> threads;
  for (int t = 0; t < options.threads; t++)
    threads.emplace_back([&workers, &states, t] { workers[t].Run(states[t]); });
  watchdog.RunUntilFinished();
  for (std::thread& thread : threads) thread.join();

  CloseAll(machine);
  machine.kernel.Drain();
  StressResult result;
  for (const Worker& worker : workers) {
    for (int k = 0; k < kStressKinds; k++) {
      result.succeeded[k] += worker.succeeded[k];
      result.failed[k] += worker.failed[k];
    }
    result.parallel_writes += worker.parallel_writes;
    Append(result.problems, worker.problems);
  }
  result.lost_wakeups = watchdog.lost_wakeups();
  Append(result.problems, machine.kernel.CheckClosed());
  Append(result.problems, machine.kernel.TakeDown());
  const std::string met_nowrite = absl::StrCat("warn: ", kMetNowrite, " in fuse_direct_io");
  for (const std::string& report : StressProbe::TakeReports()) {
    if (report == met_nowrite && !options.revision->rules.writeback_copies_pages) {
      result.met_nowrites++;
    } else {
      result.problems.push_back(report);
    }
  }
  return result;
}

}  // namespace iomode
