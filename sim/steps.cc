// SPDX-License-Identifier: GPL-2.0-only
//
// What the task of each step does: the system call, and where its bytes came from.

#include <cerrno>

#include "model/request_end.h"
#include "sim/machine.h"

namespace iomode {

int64_t Machine::DoStep(int index, Via* via) {
  const Step& step = *programs_[index].step;
  switch (step.op) {
    case Op::kBackingOpen:
      return DoBackingOpen(step);
    case Op::kBackingClose:
      return DoBackingClose(step);
    case Op::kOpen:
      return DoOpen(index);
    case Op::kClose:
      return DoClose(index);
    case Op::kDup:
      return DoDup(index);
    case Op::kRead:
    case Op::kWrite:
      return DoReadWrite(index, via);
    case Op::kAioRead:
    case Op::kAioWrite:
      return DoAio(index, via);
    case Op::kSpliceRead:
      return DoSpliceRead(index, via);
    case Op::kMmap:
      return DoMmap(index);
    case Op::kMunmap:
      return DoMunmap(step);
    case Op::kLoad:
    case Op::kStore:
      return DoAccess(index, via);
    case Op::kReply:
      return DoReply(step);
    case Op::kKill:
      return DoKill(step);
    case Op::kAbort:
      return DoAbort();
    case Op::kIntr:
    case Op::kWait:
    case Op::kHog:
    case Op::kUnhog:
      return 0;
    default:
      return DoOther(index);
  }
}

int64_t Machine::DoBackingOpen(const Step& step) {
  BackingName& name = backings_[step.backing];
  const int id = fuse_backing_open(*fc_, &name.inode, step.argument);
  if (id < 0) return id;
  name.id = id;
  W::scheduler().Touch(&name);
  return 0;
}

int64_t Machine::DoBackingClose(const Step& step) {
  if (step.backing >= 0) W::scheduler().Touch(&backings_[step.backing], false);
  const int64_t id = step.backing_id.has_value() ? *step.backing_id : backings_[step.backing].id;
  return fuse_backing_close(*fc_, id);
}

int64_t Machine::DoOpen(int index) {
  const Step& step = *programs_[index].step;
  const int fd = programs_[index].open;
  File<W>* file = nullptr;
  const int err = vfs_open(inodes_[step.inode], step.open_flags, &file);
  if (err) return err;
  fds_[fd] = {file, static_cast<int16_t>(fd + 1)};
  names_[step.file] = static_cast<int16_t>(fd + 1);
  W::scheduler().Touch(&names_[step.file]);
  return 0;
}

File<Machine::W>* Machine::FileOf(const Step& step) {
  W::scheduler().Touch(&names_[step.file], false);
  const int fd = names_[step.file];
  return fd == 0 ? nullptr : fds_[fd - 1].file;
}

int64_t Machine::DoClose(int index) {
  const Step& step = *programs_[index].step;
  File<W>* file = FileOf(step);
  if (file == nullptr) return -EBADF;
  if (step.hold == Hold::kRelease)
    release_holders_[file->private_data - fc_->fuse_files.items] = static_cast<int16_t>(index + 1);
  fds_[names_[step.file] - 1].file = nullptr;
  names_[step.file] = 0;
  W::scheduler().Touch(&names_[step.file]);
  return vfs_close(*fc_, file);
}

int64_t Machine::DoDup(int index) {
  const Step& step = *programs_[index].step;
  const int from = names_[step.source];
  W::scheduler().Touch(&names_[step.source], false);
  if (from == 0 || fds_[from - 1].file == nullptr) return -EBADF;
  W::refcount_inc(fds_[from - 1].file->f_count);
  const int fd = programs_[index].open;
  fds_[fd] = fds_[from - 1];
  names_[step.file] = static_cast<int16_t>(fd + 1);
  owners_[step.file] = fds_[fd].process;
  W::scheduler().Touch(&owners_[step.file]);
  W::scheduler().Touch(&names_[step.file]);
  return 0;
}

Kiocb<Machine::W> Machine::MakeKiocb(int index, File<W>* file) {
  const Step& step = *programs_[index].step;
  Kiocb<W> iocb = {};
  iocb.file = file;
  iocb.pos = step.off.value_or(0);
  iocb.count = step.len.value_or(kPageSize);
  iocb.append = step.append;
  return iocb;
}

Via Machine::ReadVia(int index, const Kiocb<W>& iocb, bool passthrough, int64_t result) {
  if (result < 0) return Via::kNone;
  if (iocb.from_ahead) return W::choose(2) == 0 ? Via::kServer : Via::kCache;
  if (steps_[index].reached_server) return Via::kServer;
  if (result == 0) return Via::kNone;
  return passthrough ? Via::kBacking : Via::kCache;
}

int64_t Machine::DoReadWrite(int index, Via* via) {
  const Step& step = *programs_[index].step;
  File<W>* file = FileOf(step);
  if (file == nullptr) return -EBADF;
  W::refcount_inc(file->f_count);
  Kiocb<W> iocb = MakeKiocb(index, file);
  const FuseFile<W>& ff = *file->private_data;
  const bool passthrough =
      fuse_file_passthrough_io(*file->inode, ff) && !(ff.open_flags & FOPEN_DIRECT_IO);
  const int64_t result = step.op == Op::kRead ? vfs_read(iocb) : vfs_write(iocb);
  *via = ReadVia(index, iocb, passthrough, result);
  fput(*fc_, file);
  return result;
}

int64_t Machine::DoAio(int index, Via* via) {
  const Step& step = *programs_[index].step;
  StepState& state = steps_[index];
  File<W>* file = FileOf(step);
  if (file == nullptr) return -EBADF;
  W::refcount_inc(file->f_count);
  Kiocb<W> iocb = MakeKiocb(index, file);
  iocb.aio_done = &state.aio_done;
  iocb.aio_result = &state.aio_result;
  const FuseFile<W>& ff = *file->private_data;
  const bool passthrough =
      fuse_file_passthrough_io(*file->inode, ff) && !(ff.open_flags & FOPEN_DIRECT_IO);
  int64_t result = step.op == Op::kAioRead ? vfs_read(iocb) : vfs_write(iocb);
  const bool queued = result == -EIOCBQUEUED;
  if (!queued) *via = ReadVia(index, iocb, passthrough, result);
  fput(*fc_, file);
  if (!queued) return result;
  const int process = state.process - 1;
  state.aio_waiting = true;
  while (!state.aio_done.done && !(process >= 0 && processes_[process].killed)) {
    W::scheduler().Touch(&state.aio_done);
    state.aio_done.sleepers |= uint64_t{1} << scheduler_->SlotOf(&scheduler_->self());
    W::Sleep(&state.aio_done);
  }
  W::scheduler().Touch(&state.aio_done);
  state.aio_waiting = false;
  result = state.aio_result;
  *via = result < 0 ? Via::kNone : Via::kServer;
  return result;
}

int64_t Machine::DoSpliceRead(int index, Via* via) {
  const Step& step = *programs_[index].step;
  File<W>* file = FileOf(step);
  if (file == nullptr) return -EBADF;
  W::refcount_inc(file->f_count);
  Kiocb<W> iocb = MakeKiocb(index, file);
  const FuseFile<W>& ff = *file->private_data;
  const bool passthrough =
      fuse_file_passthrough_io(*file->inode, ff) && !(ff.open_flags & FOPEN_DIRECT_IO);
  const int64_t result = vfs_splice_read(iocb);
  *via = ReadVia(index, iocb, passthrough, result);
  fput(*fc_, file);
  return result;
}

int64_t Machine::DoMmap(int index) {
  const Step& step = *programs_[index].step;
  File<W>* file = FileOf(step);
  if (file == nullptr) return -EBADF;
  const int process = owners_[step.file] - 1;
  const int map = programs_[index].map;
  Vma<W>& vma = vmas_[map];
  W::refcount_inc(file->f_count);
  if (W::down_write_killable(processes_[process].mmap_lock)) {
    fput(*fc_, file);
    return -EINTR;
  }
  vma = {};
  vma.shared = step.shared;
  vma.may_write = !step.read_only &&
                  (!step.shared || (file->f_flags & OPEN_WRITE) || !(file->f_flags & OPEN_READ));
  vma.cow = cows_ + map * inodes_[0].i_data.npages;
  vma.live = true;
  const int err = vfs_mmap(*file, vma);
  if (err) {
    vma = {};
  } else {
    map_names_[step.map] = static_cast<int16_t>(map + 1);
    map_process_[map] = static_cast<int16_t>(process + 1);
  }
  W::up_write(processes_[process].mmap_lock);
  fput(*fc_, file);
  return err;
}

int64_t Machine::DoMunmap(const Step& step) {
  const int map = map_names_[step.map] - 1;
  if (map < 0) return -EINVAL;
  W::RwSem& mmap_lock = processes_[map_process_[map] - 1].mmap_lock;
  if (W::down_write_killable(mmap_lock)) return -EINTR;
  W::down_write(vmas_[map].vm_lock);
  vmas_[map].live = false;
  map_names_[step.map] = 0;
  W::downgrade_write(mmap_lock);
  remove_vma(*fc_, vmas_[map]);
  std::fill_n(cows_ + map * inodes_[0].i_data.npages, inodes_[0].i_data.npages, uint8_t{0});
  vmas_[map] = {};
  map_process_[map] = 0;
  W::up_read(mmap_lock);
  return 0;
}

int64_t Machine::DoAccess(int index, Via* via) {
  const Step& step = *programs_[index].step;
  const int map = map_names_[step.map] - 1;
  if (map < 0) return -EFAULT;
  Vma<W>& vma = vmas_[map];
  Kiocb<W> iocb = MakeKiocb(index, vma.file);
  W::RwSem& mmap_lock = processes_[map_process_[map] - 1].mmap_lock;
  const int err = access_memory(vma, &mmap_lock, iocb, step.op == Op::kStore);
  if (err) return err;
  if (vma.backing != nullptr) {
    *via = Via::kBacking;
  } else {
    *via = ReadVia(index, iocb, false, 1);
  }
  return 0;
}

int64_t Machine::DoOther(int index) {
  const Step& step = *programs_[index].step;
  if (step.op == Op::kMsync) {
    const int map = map_names_[step.map] - 1;
    if (map < 0) return -ENOMEM;
    return vfs_msync(vmas_[map], processes_[map_process_[map] - 1].mmap_lock);
  }
  File<W>* file = FileOf(step);
  if (file == nullptr) return -EBADF;
  const int64_t off = step.off.value_or(0);
  const int64_t len = step.len.value_or(kPageSize);
  W::refcount_inc(file->f_count);
  int64_t result = 0;
  switch (step.op) {
    case Op::kSetfl:
      file->f_flags = (file->f_flags & ~(OPEN_DIRECT | OPEN_APPEND)) |
                      (step.open_flags & (OPEN_DIRECT | OPEN_APPEND));
      break;
    case Op::kTruncate:
      result = vfs_ftruncate(*file, step.argument);
      break;
    case Op::kFsync:
      result = fuse_fsync(*file);
      break;
    case Op::kFallocate:
      result = vfs_fallocate(*file, off, len);
      break;
    case Op::kStat:
      result = vfs_getattr(*file);
      break;
    case Op::kReadahead:
      result = vfs_readahead(*file, off, len);
      break;
    case Op::kSyncRange:
      result = vfs_sync_file_range(*file, off, len);
      break;
    default:
      break;
  }
  fput(*fc_, file);
  return result;
}

int64_t Machine::DoKill(const Step& step) {
  const int process = owners_[step.file] - 1;
  if (process < 0) return -ESRCH;
  Process& p = processes_[process];
  W::operation("kills", &p);
  p.killed = true;
  for (size_t i = 0; i < programs_.size(); i++) {
    if (!steps_[i].aio_waiting || steps_[i].process != process + 1) continue;
    for (uint64_t rest = steps_[i].aio_done.sleepers; rest != 0; rest &= rest - 1)
      W::Wake(std::countr_zero(rest));
  }
  for (int slot = 0; slot < scheduler_->task_count(); slot++) {
    const Task& task = scheduler_->task(slot);
    if (task.killable && steps_[task.user].process == process + 1) W::Wake(slot);
  }
  for (int i = 0; i < inode_count(); i++) W::wake_up_locked(inodes_[i].i_data.page_wait);
  return 0;
}

bool Machine::FatalSignalPending() {
  const uint32_t user = W::current();
  if (user >= programs_.size()) return false;
  const int process = steps_[user].process - 1;
  return process >= 0 && processes_[process].killed;
}

// exit_mm, then exit_files.
void Machine::ExitProcess(int process) {
  processes_[process].exited = true;
  for (int map = 0; map < maps_; map++) {
    if (map_process_[map] != process + 1) continue;
    map_process_[map] = 0;
    for (size_t i = 0; i < script_.maps.size(); i++) {
      if (map_names_[i] == map + 1) map_names_[i] = 0;
    }
    remove_vma(*fc_, vmas_[map]);
    vmas_[map] = {};
  }
  for (int fd = 0; fd < opens_; fd++) {
    if (fds_[fd].process != process + 1 || fds_[fd].file == nullptr) continue;
    File<W>* file = fds_[fd].file;
    fds_[fd].file = nullptr;
    for (size_t i = 0; i < script_.files.size(); i++) {
      if (names_[i] == fd + 1) names_[i] = 0;
    }
    vfs_close(*fc_, file);
  }
}

void Machine::TeardownMain() {
  AnswerHeld(-1, 0);
  for (int process = 0; process < opens_; process++) {
    if (processes_[process].running == 0) ExitProcess(process);
  }
}

}  // namespace iomode
