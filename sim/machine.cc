// SPDX-License-Identifier: GPL-2.0-only

#include "sim/machine.h"

#include <algorithm>
#include <bit>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "model/request_end.h"

namespace iomode {
namespace {

using W = ScheduledWorld;

// How many pages the page cache of a script's inodes must be able to hold.
int32_t PagesNeeded(const std::vector<Machine::Program>& programs) {
  int64_t end = kInitialFileSize;
  int64_t appended = 0;
  for (const Machine::Program& p : programs) {
    const Step& s = *p.step;
    const int64_t len = s.len.value_or(kPageSize);
    if (s.op == Op::kTruncate) end = std::max(end, s.argument);
    if (s.op == Op::kWrite || s.op == Op::kAioWrite || s.op == Op::kFallocate) {
      end = std::max(end, s.off.value_or(0) + len);
      appended += len;
    }
  }
  return static_cast<int32_t>((end + appended + kPageSize - 1) / kPageSize + 1);
}

// By address of the revision.
absl::flat_hash_map<const Revision*, const IomodeOps<W>*>& OpsByRevision() {
  static auto* const ops = new absl::flat_hash_map<const Revision*, const IomodeOps<W>*>;
  return *ops;
}

}  // namespace

void Machine::SetOps(const Revision& revision, const IomodeOps<W>* ops) {
  OpsByRevision()[&revision] = ops;
}

Machine::Machine(const Script& script, const Revision& revision)
    : script_(script), revision_(revision) {
  BuildPrograms();
  BuildKernel();
}

void Machine::BuildPrograms() {
  const auto add = [this](const Step& step, int thread) {
    Program p{&step, thread};
    if (step.op == Op::kOpen || step.op == Op::kDup) p.open = opens_++;
    if (step.op == Op::kMmap) p.map = maps_++;
    programs_.push_back(p);
  };
  for (const Step& step : script_.steps) add(step, -1);
  for (size_t t = 0; t < script_.threads.size(); t++) {
    for (const Step& step : script_.threads[t]) add(step, static_cast<int>(t));
  }
}

// Mappings, kills and aborts reach into what other tasks do without a trace in their footprints, as
// do code from elsewhere, faults and the writers that mark their file.
bool Machine::ReportsAccesses() const {
#ifdef SIM_REPORTS_ACCESSES
  return fc_->ops == nullptr;
#else
  return false;
#endif
}

bool Machine::Reducible() const {
  if (faults_->allocation != 0 || faults_->request != 0) return false;
  if (fc_->ops != nullptr || revision_.rules.parallel_write_marks_file) return false;
  return std::none_of(programs_.begin(), programs_.end(), [](const Program& p) {
    if (p.step->hold == Hold::kRelease) return true;
    switch (p.step->op) {
      case Op::kMmap:
      case Op::kMunmap:
      case Op::kLoad:
      case Op::kStore:
      case Op::kMsync:
      case Op::kKill:
      case Op::kAbort:
        return true;
      default:
        return false;
    }
  });
}

void Machine::BuildKernel() {
  const int steps = static_cast<int>(programs_.size());
  const int32_t pages = PagesNeeded(programs_);
  const int inodes = inode_count();
  const int backing_opens =
      static_cast<int>(std::count_if(programs_.begin(), programs_.end(), [](const Program& p) {
        return p.step->op == Op::kBackingOpen;
      }));
  const int tasks =
      std::min(steps, script_.is_litmus() ? static_cast<int>(script_.threads.size()) + 1 : 59) + 3;
  // Requests are under way for short, but for those that the server holds.
  const auto holds = std::count_if(programs_.begin(), programs_.end(),
                                   [](const Program& p) { return p.step->hold != Hold::kNone; });
  const bool holds_writeback = std::any_of(
      programs_.begin(), programs_.end(), [](const Program& p) { return HoldsWriteback(*p.step); });
  const int16_t requests = static_cast<int16_t>(4 * std::min<int64_t>(holds, tasks) + 12);
  const bool copies_pages = revision_.rules.writeback_copies_pages &&
                            ((script_.conn & CONN_WRITEBACK_CACHE) || maps_ > 0);
  const size_t held_bytes = holds_writeback || copies_pages ? requests * pages : 0;
  const size_t shared = (64 << 10) + held_bytes * sizeof(uint16_t) + steps * 512 + requests * 256 +
                        inodes * (512 + pages * 8) + maps_ * (256 + pages);
  scheduler_ = std::make_unique<Scheduler>(shared, tasks);
  Scheduler& s = *scheduler_;

  fc_ = s.Allocate<FuseConn<W>>();
  fc_->rules = &revision_.rules;
  if (const auto ops = OpsByRevision().find(&revision_); ops != OpsByRevision().end())
    fc_->ops = ops->second;
  fc_->server = this;
  fc_->caps = script_.conn;
  fc_->passthrough =
      fc_->cap(CONN_PASSTHROUGH) && revision_.rules.passthrough != Passthrough::kUnknownBit &&
      !(revision_.rules.writeback_cache_excludes_passthrough && fc_->cap(CONN_WRITEBACK_CACHE));
  fc_->connected.value = 1;
  fc_->backing_capacity = backing_opens;
  fc_->backing_files_map = s.Allocate<FuseBacking<W>*>(backing_opens);
  const auto pool = [&s](auto& p, int n, int by_slot = 0) {
    using Item = std::remove_pointer_t<decltype(p.items)>;
    p.items = s.Allocate<Item>(n);
    p.capacity = static_cast<int16_t>(n);
    p.by_slot = static_cast<uint8_t>(by_slot);
  };
  pool(fc_->backings, backing_opens);
  pool(fc_->fuse_files, opens_);
  pool(fc_->files, opens_);
  pool(fc_->reqs, requests, 2);
  pool(fc_->ios, steps, 1);
  fc_->vmas = {s.Allocate<Vma<W>>(maps_), static_cast<int16_t>(maps_), 0};
  vmas_ = fc_->vmas.items;
  cows_ = s.Allocate<uint8_t>(maps_ * pages);

  inodes_ = s.Allocate<FuseInode<W>>(inodes);
  server_inodes_ = s.Allocate<ServerInode>(inodes);
  for (int i = 0; i < inodes; i++) {
    FuseInode<W>& fi = inodes_[i];
    fi.fc = fc_;
    fi.index = static_cast<uint8_t>(i);
    fi.i_size.value = kInitialFileSize;
    fi.i_data.npages = pages;
    fi.i_data.flags = s.Allocate<uint8_t>(pages);
    fi.i_data.bytes = s.Allocate<uint16_t>(pages);
    server_inodes_[i] = {kInitialFileSize, s.Allocate<uint16_t>(pages)};
  }
  finding_kinds_ = s.Allocate<uint32_t>();
  faults_ = s.Allocate<Faults>();
  server_ = s.Allocate<ServerState>();
  held_bytes_ = s.Allocate<uint16_t>(held_bytes);
  release_holders_ = s.Allocate<int16_t>(opens_);
  backings_ = s.Allocate<BackingName>(script_.backings.size());
  for (size_t i = 0; i < script_.backings.size(); i++) backings_[i].inode.size = kInitialFileSize;
  steps_ = s.Allocate<StepState>(steps);
  fds_ = s.Allocate<Fd>(opens_);
  processes_ = s.Allocate<Process>(opens_);
  names_ = s.Allocate<int16_t>(script_.files.size());
  owners_ = s.Allocate<int16_t>(script_.files.size());
  map_names_ = s.Allocate<int16_t>(script_.maps.size());
  map_process_ = s.Allocate<int16_t>(maps_);
  // Last, so that everything else lies where it does without it.
  if (fc_->ops != nullptr) pool(fc_->file_args, opens_);

  W::listener = this;
  server_->task = static_cast<uint8_t>(s.Spawn(&TaskMain, this, kServerTask) + 1);
  s.Resume(server_->task - 1);
  if (revision_.rules.async_write_invalidates_after && fc_->cap(CONN_ASYNC_DIO)) {
    server_->worker = static_cast<uint8_t>(s.Spawn(&TaskMain, this, kWorkerTask) + 1);
    s.Resume(server_->worker - 1);
  }
}

void Machine::Start(int index) {
  W::listener = this;
  steps_[index].kind = StepState::kRunning;
  // A slot of its own for each step keeps states of different pasts equal.
  const bool own_slot =
      !script_.is_litmus() && scheduler_->task_count() == static_cast<int>(programs_.size()) + 3;
  scheduler_->Spawn(&TaskMain, this, static_cast<uint32_t>(index), own_slot ? index + 2 : -1);
}

void Machine::StartTeardown() {
  W::listener = this;
  scheduler_->Spawn(&TaskMain, this, kTeardownTask);
}

void Machine::Finish(int slot) {
  if (scheduler_->task(slot).pending == Pending::kDone) scheduler_->Reap(slot);
}

void Machine::TaskMain(void* context, uint32_t user) {
  auto* machine = static_cast<Machine*>(context);
  if (user == kServerTask) {
    machine->ServerMain();
  } else if (user == kWorkerTask) {
    machine->WorkerMain();
  } else if (user == kTeardownTask) {
    machine->TeardownMain();
  } else {
    machine->StepMain(static_cast<int>(user));
    const std::vector<Program>& programs = machine->programs_;
    const int thread = programs[user].thread;
    while (thread >= 0 && ++user < programs.size() && programs[user].thread == thread) {
      W::self().user = user;
      machine->steps_[user].kind = StepState::kRunning;
      machine->StepMain(static_cast<int>(user));
    }
  }
}

void Machine::StepMain(int index) {
  StepState& state = steps_[index];
  const Step& step = *programs_[index].step;
  W::self().item = static_cast<uint8_t>(std::max(programs_[index].open, 0));
  if (step.file >= 0) W::scheduler().Touch(&owners_[step.file], step.op == Op::kOpen);
  if (step.op == Op::kOpen) owners_[step.file] = static_cast<int16_t>(programs_[index].open + 1);
  const int owner = ProcessOf(step);
  state.process = static_cast<int16_t>(owner + 1);
  if (owner >= 0) processes_[owner].running++;
  Via via = Via::kNone;
  const int64_t result = DoStep(index, &via);
  state.reached_server = false;  // for `via` only, which is known now
  bool killed = false;
  if (owner >= 0) {
    Process& p = processes_[owner];
    killed = p.killed;
    if (--p.running == 0 && p.killed) ExitProcess(owner);
    state.process = 0;
  }
  if (killed) {
    state.kind = StepState::kKilled;
  } else if (result < 0) {
    state.kind = StepState::kErrno;
    state.value = -result;
  } else {
    state.kind = StepState::kValue;
    state.value = result;
    state.via = via;
  }
  W::Trace("returns", &state);
  // kill(2) has returned; what it killed goes in its own time.
  if (step.op == Op::kKill && result == 0) {
    const int victim = owners_[step.file] - 1;
    if (processes_[victim].running == 0) ExitProcess(victim);
  }
}

int Machine::ProcessOf(const Step& step) const {
  if (step.op == Op::kKill) return -1;
  if (step.op == Op::kDup) return owners_[step.source] - 1;
  if (step.file >= 0) return owners_[step.file] - 1;
  if (step.map >= 0 && map_names_[step.map] > 0) return map_process_[map_names_[step.map] - 1] - 1;
  return -1;
}

bool Machine::FileInUse(int name) const {
  if (names_[name] != 0) return true;
  for (size_t i = 0; i < programs_.size(); i++) {
    if (blocked(static_cast<int>(i)) && programs_[i].step->file == name) return true;
  }
  return false;
}

bool Machine::AnythingOpen() const {
  return std::any_of(fds_, fds_ + opens_, [](const Fd& fd) { return fd.file != nullptr; }) ||
         std::any_of(map_process_, map_process_ + maps_,
                     [](int16_t process) { return process != 0; });
}

bool Machine::IsHeld(int index) const {
  for (const FuseReq<W>* req = server_->held; req != nullptr; req = req->next) {
    if (req->task == static_cast<uint32_t>(index)) return true;
  }
  return false;
}

bool Machine::BackingIsOpen(int name) const {
  const int32_t id = backings_[name].id;
  return id != 0 && fc_->backing_files_map[id - 1] != nullptr;
}

// Whether the server may still be told to store what the step wrote.
bool Machine::MayBeStored(uint16_t writer) const {
  if (writer == 0 || writer > programs_.size()) return false;
  bool under_way = blocked(writer - 1);
  fc_->reqs.for_each(
      [&](const FuseReq<W>& req) { under_way |= req.live && req.task + 1 == writer; });
  return under_way;
}

// Which step wrote a page does not count once its bytes are where they go, only whether the page
// cache has what the server has.
void Machine::ForgetWriters(int i) {
  constexpr uint16_t kOther = UINT16_MAX;
  AddressSpace<W>& mapping = inodes_[i].i_data;
  for (int64_t page = 0; page < mapping.npages; page++) {
    uint16_t& cached = mapping.bytes[page];
    uint16_t& stored = server_inodes_[i].bytes[page];
    const bool present = mapping.flags[page] & PG_present;
    const bool differs = present && cached != stored;
    if (!present || !MayBeStored(cached)) cached = differs ? kOther : 0;
    stored = differs ? 0 : cached;
  }
}

void Machine::ForgetHistory(bool sees_attributes) {
  *finding_kinds_ = 0;
  bool reads = false;
  fc_->reqs.for_each([&reads](const FuseReq<W>& req) {
    reads |= req.live && (req.args.opcode == FUSE_READ || req.args.opcode == FUSE_GETATTR);
  });
  if (!reads) {
    fc_->attr_version.value = 0;
    for (int i = 0; i < inode_count(); i++) inodes_[i].attr_version = 0;
  }
  for (int i = 0; !sees_attributes && i < inode_count(); i++) inodes_[i].inval_mask.value = 0;
  for (int i = 0; i < inode_count(); i++) ForgetWriters(i);
  for (int i = 0; i < opens_; i++) {
    if (fds_[i].file == nullptr) fds_[i] = {};
  }
  for (size_t i = 0; i < script_.files.size(); i++) {
    if (!FileInUse(static_cast<int>(i))) owners_[i] = 0;
  }
}

Result Machine::ResultOf(int index) const {
  const StepState& s = steps_[index];
  switch (s.kind) {
    case StepState::kValue:
      return {Result::Kind::kValue, s.value, s.via};
    case StepState::kErrno:
      return {Result::Kind::kErrno, s.value, Via::kNone};
    case StepState::kKilled:
      return {Result::Kind::kKilled, 0, Via::kNone};
    default:
      return {Result::Kind::kBlocked, 0, Via::kNone};
  }
}

std::string Machine::InodeState(int i) const {
  const FuseInode<W>& fi = inodes_[i];
  std::string fb = "-";
  if (fi.fb.value != nullptr) {
    size_t name = 0;
    while (name < script_.backings.size() && &backings_[name].inode != fi.fb.value->file) name++;
    fb = name < script_.backings.size()
             ? absl::StrCat(script_.backings[name], "(refs=", fi.fb.value->count.value, ")")
             : "freed";
  }
  std::string sem = "-";
  if (fi.i_rwsem.writer) sem = "X";
  if (fi.i_rwsem.readers) sem = absl::StrCat("S", fi.i_rwsem.readers);
  return absl::StrFormat("iocachectr=%d CACHE_IO_MODE=%d fb=%s waiters=%d i_rwsem=%s",
                         fi.iocachectr.value, (fi.state.value >> FUSE_I_CACHE_IO_MODE) & 1, fb,
                         std::popcount(fi.direct_io_waitq.sleepers), sem);
}

std::vector<std::string> Machine::StateLines() const {
  std::vector<std::string> lines;
  for (int i = 0; i < inode_count(); i++) {
    lines.push_back(absl::StrFormat("#     %s: %s pages=%d size=%d", script_.inodes[i],
                                    InodeState(i), inodes_[i].i_data.nrpages,
                                    inodes_[i].i_size.value));
  }
  return lines;
}

void Machine::AddFindingFor(int slot, FindingKind kind, std::string rule, std::string object) {
  const Task& task = scheduler_->task(slot);
  *finding_kinds_ |= 1u << static_cast<int>(kind);
  findings_.insert({kind, std::move(rule), std::move(object), TaskName(task.user),
                    task.function ? task.function : ""});
}

void Machine::AddFinding(FindingKind kind, std::string rule, std::string object) {
  if (scheduler_->in_task()) {
    AddFindingFor(scheduler_->SlotOf(&scheduler_->self()), kind, std::move(rule),
                  std::move(object));
  } else {
    *finding_kinds_ |= 1u << static_cast<int>(kind);
    findings_.insert({kind, std::move(rule), std::move(object), "", ""});
  }
}

void Machine::TakeResult(int index) {
  StepState& s = steps_[index];
  s.kind = StepState::kReported;
  s.value = 0;
  s.via = Via::kNone;
  if (s.aio_done.done) {
    s.aio_done = {};
    s.aio_result = 0;
  }
}

void Machine::Warn(const char* what) {
  std::string states;
  for (int i = 0; i < inode_count(); i++)
    absl::StrAppend(&states, i ? "; " : "", script_.inodes[i], ": ", InodeState(i));
  const bool is_bug = absl::StartsWith(what, "BUG_ON(");
  AddFinding(FindingKind::kWarn, is_bug ? what : absl::StrCat("WARN_ON(", what, ")"), states);
}

bool Machine::AllocationFails() { return faults_->allocation > 0 && --faults_->allocation == 0; }

void Machine::FalseBusy(const char* what) { AddFinding(FindingKind::kFalseBusy, what, ""); }

void Machine::BadRefcount(const void* count, const char* what, bool is_put) {
  AddFinding(is_put ? FindingKind::kDoublePut : FindingKind::kUseAfterPut, what,
             DescribeAddress(count));
}

void Machine::Leak(const void* object, const char* what) {
  AddFinding(FindingKind::kLeak, absl::StrCat("what is freed still owns ", what),
             DescribeAddress(object));
}

void Machine::BadLock(const void* lock, const char* what) {
  AddFinding(FindingKind::kAccounting, what, DescribeAddress(lock));
}

}  // namespace iomode
