// SPDX-License-Identifier: GPL-2.0-only
//
// The built-in checks of a Machine: what must hold whenever no task can run, and when everything is
// closed.

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "sim/machine.h"

namespace iomode {

void Machine::CheckAtRest() {
  for (int i = 0; i < inode_count(); i++) {
    CheckInode(i);
    CheckPageCount(i);
    CheckStalePages(i);
  }
  CheckBackings();
  CheckSleepers();
  CheckStarvation();
}

// iocachectr, bit and fb against the files and writes that account for them. Who holds i_rwsem
// shared at rest is a parallel direct write with its reference.
void Machine::CheckInode(int i) {
  const FuseInode<W>& fi = inodes_[i];
  const Rules& rules = revision_.rules;
  int cached = 0;
  int uncached = 0;
  fc_->fuse_files.for_each([&](FuseFile<W>& ff) {
    if (!ff.live || ff.inode != &fi) return;
    if (ff.iomode == IOM_CACHED) cached++;
    if (ff.iomode == IOM_UNCACHED &&
        (!rules.parallel_write_marks_file ||
         (rules.passthrough != Passthrough::kUnknownBit && (ff.open_flags & FOPEN_PASSTHROUGH))))
      uncached++;
  });
  const int writes = rules.parallel_open_holds_reference ? 0 : fi.i_rwsem.readers;
  const std::string state = absl::StrCat("inode ", script_.inodes[i], ": ", InodeState(i));
  const int ctr = fi.iocachectr.value;
  if (ctr != cached - uncached - writes) {
    AddFinding(FindingKind::kAccounting,
               absl::StrCat("iocachectr is ", ctr, ", but ", cached, " files cache, ", uncached,
                            " are open uncached and ", writes, " parallel writes are in flight"),
               state);
  }
  if (cached > 0 && uncached + writes > 0) {
    AddFinding(FindingKind::kAccounting, "caching and uncached references at the same time", state);
  }
  if ((fi.fb.value != nullptr) && ctr >= 0) {
    AddFinding(FindingKind::kAccounting,
               "a backing is attached although nobody holds an uncached reference", state);
  }
  const bool bit = (fi.state.value >> FUSE_I_CACHE_IO_MODE) & 1;
  if (bit != (ctr > 0) && fi.direct_io_waitq.sleepers == 0) {
    AddFinding(FindingKind::kAccounting,
               bit ? "CACHE_IO_MODE is set although nobody caches or waits to"
                   : "CACHE_IO_MODE is clear although files cache",
               state);
  }
  if (fi.lock.owner != 0 || fi.i_data.i_pages.owner != 0) {
    AddFinding(FindingKind::kAccounting, "a spin lock is held although no task can run", state);
  }
}

void Machine::CheckBackings() {
  fc_->backings.for_each([this](FuseBacking<W>& fb) {
    if (!fb.live) return;
    if (fb.count.value == 0) {
      AddFinding(FindingKind::kLeak, "a backing is not freed although nobody holds it",
                 DescribeAddress(&fb));
      return;
    }
    int holders = 0;
    for (int32_t i = 0; i < fc_->backing_ids; i++) holders += fc_->backing_files_map[i] == &fb;
    for (int i = 0; i < inode_count(); i++) holders += inodes_[i].fb.value == &fb;
    if (holders != fb.count.value) {
      AddFinding(
          FindingKind::kAccounting,
          absl::StrCat("a backing's count is ", fb.count.value, ", but ", holders, " hold it"),
          DescribeAddress(&fb));
    }
  });
}

// At rest every sleeper must wait for something that is still to come: an answer that the server
// holds back.
void Machine::CheckSleepers() {
  bool lost = false;
  std::vector<int> sleepers;
  for (int slot = 0; slot < scheduler_->task_count(); slot++) {
    const Task& task = scheduler_->task(slot);
    if (!scheduler_->live(slot) || task.user >= kWorkerTask) continue;
    sleepers.push_back(slot);
    for (int i = 0; i < inode_count(); i++) {
      const FuseInode<W>& fi = inodes_[i];
      if (task.object != &fi.direct_io_waitq) continue;
      const std::string state = absl::StrCat("inode ", script_.inodes[i], ": ", InodeState(i));
      if (fi.iocachectr.value >= 0 || fi.fb.value != nullptr) {
        lost = true;
        AddFindingFor(slot, FindingKind::kLostWakeup,
                      "a task sleeps although what it waits for has come", state);
      }
    }
  }
  if (lost || server_->held != nullptr) return;
  for (int slot : sleepers) {
    AddFindingFor(slot, FindingKind::kDeadlock,
                  "a task sleeps and nothing is left that could wake it",
                  DescribeAddress(scheduler_->task(slot).object));
  }
}

// A write that starts now would run in parallel, so the sleeper's condition may never come: decided
// by the test that fuse_dio_wr_exclusive_lock would make.
void Machine::CheckStarvationOf(int i) {
  const FuseInode<W>& fi = inodes_[i];
  if (fi.iocachectr.value >= 0 || fi.fb.value != nullptr) return;
  const Rules& rules = revision_.rules;
  const bool bit = (fi.state.value >> FUSE_I_CACHE_IO_MODE) & 1;
  if (bit && rules.cache_bit_is_tested && rules.cache_bit_means_exclusive) return;
  for (uint64_t rest = fi.direct_io_waitq.sleepers; rest != 0; rest &= rest - 1) {
    const int slot = std::countr_zero(rest);
    if (scheduler_->task(slot).pending != Pending::kSleep) continue;
    AddFindingFor(slot, FindingKind::kStarvation,
                  "new parallel writes may start and keep a cached opener asleep for ever",
                  absl::StrCat("inode ", script_.inodes[i], ": ", InodeState(i)));
  }
}

void Machine::CheckPageCount(int i) {
  const AddressSpace<W>& mapping = inodes_[i].i_data;
  const auto present = std::count_if(mapping.flags, mapping.flags + mapping.npages,
                                     [](uint8_t flags) { return flags & PG_present; });
  if (present == mapping.nrpages) return;
  AddFinding(FindingKind::kAccounting,
             absl::StrCat("nrpages is ", mapping.nrpages, ", but ", present, " pages are there"),
             absl::StrCat("inode ", script_.inodes[i]));
}

// While files cache, no page may stay behind what the server has stored.
void Machine::CheckStalePages(int i) {
  const FuseInode<W>& fi = inodes_[i];
  if (fi.iocachectr.value <= 0) return;
  const AddressSpace<W>& mapping = fi.i_data;
  for (int64_t page = 0; page < mapping.npages; page++) {
    const uint8_t flags = mapping.flags[page];
    if ((flags & (PG_present | PG_uptodate)) != (PG_present | PG_uptodate)) continue;
    if (flags & (PG_locked | PG_dirty | PG_writeback)) continue;
    if (mapping.bytes[page] == server_inodes_[i].bytes[page]) continue;
    // The page is ahead of the server: its write waits for another page before it sends this one.
    const int filled_by = mapping.bytes[page];
    if (filled_by != 0 && !completed(filled_by - 1)) continue;
    bool in_flight = false;
    for (const FuseReq<W>* req = server_->held; req != nullptr; req = req->next) {
      in_flight |= req->args.opcode == FUSE_WRITE && req->args.inode == &fi;
    }
    if (in_flight || server_->queue != nullptr) continue;
    const int writer = server_inodes_[i].bytes[page];
    AddFinding(FindingKind::kStalePage,
               absl::StrCat("a cached page lacks what ",
                            writer ? TaskName(writer - 1) : "the truncation", " wrote"),
               absl::StrCat("inode ", script_.inodes[i], " page ", page));
  }
}

void Machine::CheckNobodyLeft() {
  for (int slot = 0; slot < scheduler_->task_count(); slot++) {
    const Task& task = scheduler_->task(slot);
    if (!scheduler_->live(slot) || task.user >= kWorkerTask) continue;
    AddFindingFor(slot, FindingKind::kLeak, "a task sleeps on although everything is closed",
                  DescribeAddress(task.object));
  }
}

void Machine::CheckAllFreed() {
  const auto leaked = [this](const char* what, int n) {
    if (n > 0) AddFinding(FindingKind::kLeak, absl::StrCat(n, " ", what, " never freed"), "");
  };
  const auto live = [](auto& pool) {
    int n = 0;
    pool.for_each([&n](auto& item) { n += item.live; });
    return n;
  };
  leaked("fuse_file", live(fc_->fuse_files));
  leaked("struct file", live(fc_->files));
  leaked("request", live(fc_->reqs));
  leaked("fuse_file_args", live(fc_->file_args));
  leaked("fuse_io_priv", live(fc_->ios));
  int backings = live(fc_->backings);
  for (int32_t i = 0; i < fc_->backing_ids; i++) backings -= fc_->backing_files_map[i] != nullptr;
  leaked("fuse_backing", backings);
  for (int i = 0; i < inode_count(); i++) {
    const FuseInode<W>& fi = inodes_[i];
    const std::string state = absl::StrCat("inode ", script_.inodes[i], ": ", InodeState(i));
    if (fi.iocachectr.value != 0)
      AddFinding(FindingKind::kLeak, "an io-mode reference is never dropped", state);
  }
}

}  // namespace iomode
