// SPDX-License-Identifier: GPL-2.0-only

#include "props/native_program.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace iomode {
namespace {

template <class F>
void ForEachStep(const Script& script, F f) {
  for (const Step& step : script.steps) f(step);
  for (const std::vector<Step>& thread : script.threads) {
    for (const Step& step : thread) f(step);
  }
}

NativeOptions OptionsFor(const Script& script) {
  NativeOptions options;
  int64_t end = kInitialFileSize;
  int64_t appended = 0;
  options.backing_ids = 0;
  ForEachStep(script, [&](const Step& step) {
    const int64_t length = step.len.value_or(kPageSize);
    end = std::max({end, step.off.value_or(0) + length, step.argument});
    appended += length;
    options.backing_ids += step.op == Op::kBackingOpen;
  });
  options.caps = script.conn;
  options.pages = static_cast<int>(pages_up_to(end + appended)) + 1;
  options.backings = 0;
  options.server.inodes = static_cast<int>(script.inodes.size());
  options.server.longest_file = options.pages * kPageSize;
  return options;
}

}  // namespace

NativeProgram::NativeProgram(const Script& script, const Revision& revision)
    : script_(script),
      kernel_(revision.rules, OptionsFor(script)),
      backings_(script.backings.size()),
      processes_(script.files.size()),
      files_(script.files.size()),
      maps_(script.maps.size()) {
  for (Backing& backing : backings_) backing.inode.size = kInitialFileSize;
}

bool NativeProgram::CanRun(const Step& step) {
  return step.hold == Hold::kNone && step.op != Op::kReply && step.op != Op::kKill &&
         step.op != Op::kIntr;
}

bool NativeProgram::DependsOnBacking(const Script& script, const Step& step) {
  if (step.op != Op::kTruncate && step.op != Op::kStat && !(step.open_flags & OPEN_TRUNC))
    return false;
  bool passthrough = false;
  ForEachStep(script, [&](const Step& s) { passthrough |= s.fopen_flags & FOPEN_PASSTHROUGH; });
  return passthrough;
}

bool NativeProgram::CanRun(const Script& script) {
  bool can = true;
  ForEachStep(script, [&](const Step& s) { can &= CanRun(s) && !DependsOnBacking(script, s); });
  return can;
}

Result NativeProgram::Run(const Step& step) {
  const int64_t value = Do(step);
  if (value < 0) return {Result::Kind::kErrno, -value, Via::kNone};
  return {Result::Kind::kValue, value, Via::kNone};
}

NativeProgram::OpenFile NativeProgram::Get(int name) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const OpenFile open = files_[name];
  if (open.file != nullptr) W::refcount_inc(open.file->f_count);
  return open;
}

NativeProgram::OpenFile NativeProgram::Exchange(int name, const OpenFile& file) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(files_[name], file);
}

NativeProgram::Mapping NativeProgram::MapOf(int name) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return maps_[name];
}

NativeProgram::Mapping NativeProgram::ExchangeMap(int name, const Mapping& map) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(maps_[name], map);
}

int64_t NativeProgram::Do(const Step& step) {
  switch (step.op) {
    case Op::kBackingOpen: {
      Backing& backing = backings_[step.backing];
      const int id = fuse_backing_open(kernel_.conn(), &backing.inode, step.argument);
      if (id > 0) backing.id = id;
      return std::min(id, 0);
    }
    case Op::kBackingClose:
      return fuse_backing_close(
          kernel_.conn(),
          step.backing_id.value_or(step.backing < 0 ? 0 : backings_[step.backing].id.load()));
    case Op::kOpen:
      return Open(step);
    case Op::kClose:
      return Close(step);
    case Op::kDup:
      return Dup(step);
    case Op::kMmap:
      return Mmap(step);
    case Op::kMunmap:
      return Munmap(step.map);
    case Op::kLoad:
    case Op::kStore: {
      const Mapping map = MapOf(step.map);
      if (map.process == nullptr) return -EFAULT;
      return kernel_.Access(map.process->memory, map.slot, step.off.value_or(0),
                            step.op == Op::kStore);
    }
    case Op::kMsync: {
      const Mapping map = MapOf(step.map);
      return map.process == nullptr ? -ENOMEM : kernel_.Msync(map.process->memory, map.slot);
    }
    case Op::kAbort:
      W::WRITE_ONCE(kernel_.conn().connected, uint8_t{0});
      return 0;
    case Op::kWait:
    case Op::kHog:
    case Op::kUnhog:
      return 0;
    default: {
      File<W>* file = Get(step.file).file;
      if (file == nullptr) return -EBADF;
      const int64_t result = OnFile(step, *file);
      fput(kernel_.conn(), file);
      return result;
    }
  }
}

int64_t NativeProgram::Open(const Step& step) {
  NativeOpenReply reply;
  reply.flags = static_cast<uint16_t>(step.fopen_flags);
  if (step.backing_id.has_value()) {
    reply.backing_id = static_cast<int32_t>(*step.backing_id);
  } else if (step.backing >= 0) {
    reply.backing_id = backings_[step.backing].id;
  }
  reply.error = static_cast<int16_t>((script_.conn & CONN_NO_OPEN) ? ENOSYS : step.error);
  NativeServer<W>::SetReply(reply);
  File<W>* file = nullptr;
  const int err = vfs_open(kernel_.inode(step.inode), step.open_flags, &file);
  if (err) return err;
  Exchange(step.file, {file, &processes_[step.file]});
  return 0;
}

int64_t NativeProgram::Close(const Step& step) {
  File<W>* file = Exchange(step.file, {}).file;
  return file == nullptr ? -EBADF : vfs_close(kernel_.conn(), file);
}

int64_t NativeProgram::Dup(const Step& step) {
  const OpenFile from = Get(step.source);
  if (from.file == nullptr) return -EBADF;
  Exchange(step.file, from);
  return 0;
}

int64_t NativeProgram::Mmap(const Step& step) {
  const OpenFile open = Get(step.file);
  if (open.file == nullptr) return -EBADF;
  File<W>& file = *open.file;
  NativeProcess<W>& memory = open.process->memory;
  const bool may_write = !step.read_only && (!step.shared || (file.f_flags & OPEN_WRITE) ||
                                             !(file.f_flags & OPEN_READ));
  int err = -EEXIST;
  for (int slot = 0; err == -EEXIST && slot < NativeProcess<W>::kMaps; slot++) {
    err = kernel_.Mmap(memory, slot, file, step.shared, may_write);
    if (!err) ExchangeMap(step.map, {open.process, slot});
  }
  fput(kernel_.conn(), &file);
  return err;
}

int64_t NativeProgram::Munmap(int map) {
  const Mapping mapping = ExchangeMap(map, {});
  return mapping.process == nullptr ? -EINVAL
                                    : kernel_.Munmap(mapping.process->memory, mapping.slot);
}

Kiocb<StressWorld> NativeProgram::MakeKiocb(const Step& step, File<W>& file) const {
  Kiocb<W> iocb = {};
  iocb.file = &file;
  iocb.pos = step.off.value_or(0);
  iocb.count = step.len.value_or(kPageSize);
  iocb.append = step.append;
  return iocb;
}

int64_t NativeProgram::ReadWrite(const Step& step, File<W>& file) {
  Kiocb<W> iocb = MakeKiocb(step, file);
  if (step.op == Op::kSpliceRead) return vfs_splice_read(iocb);
  return step.op == Op::kRead ? vfs_read(iocb) : vfs_write(iocb);
}

int64_t NativeProgram::Aio(const Step& step, File<W>& file) {
  W::Completion done = {};
  int64_t result = 0;
  Kiocb<W> iocb = MakeKiocb(step, file);
  iocb.aio_done = &done;
  iocb.aio_result = &result;
  const int64_t now = step.op == Op::kAioRead ? vfs_read(iocb) : vfs_write(iocb);
  if (now != -EIOCBQUEUED) return now;
  W::wait_for_completion(done);
  return result;
}

int64_t NativeProgram::OnFile(const Step& step, File<W>& file) {
  const int64_t off = step.off.value_or(0);
  const int64_t len = step.len.value_or(kPageSize);
  constexpr uint32_t kSettable = OPEN_DIRECT | OPEN_APPEND;
  switch (step.op) {
    case Op::kRead:
    case Op::kWrite:
    case Op::kSpliceRead:
      return ReadWrite(step, file);
    case Op::kAioRead:
    case Op::kAioWrite:
      return Aio(step, file);
    case Op::kSetfl:
      file.f_flags = (file.f_flags & ~kSettable) | (step.open_flags & kSettable);
      return 0;
    case Op::kTruncate:
      return vfs_ftruncate(file, step.argument);
    case Op::kFsync:
      return fuse_fsync(file);
    case Op::kFallocate:
      return vfs_fallocate(file, off, len);
    case Op::kStat:
      return vfs_getattr(file);
    case Op::kReadahead:
      return vfs_readahead(file, off, len);
    case Op::kSyncRange:
      return vfs_sync_file_range(file, off, len);
    default:
      return -EINVAL;
  }
}

void NativeProgram::CloseAll() {
  for (size_t map = 0; map < maps_.size(); map++) Munmap(static_cast<int>(map));
  for (size_t name = 0; name < files_.size(); name++) {
    File<W>* file = Exchange(static_cast<int>(name), {}).file;
    if (file != nullptr) vfs_close(kernel_.conn(), file);
  }
}

std::vector<std::string> NativeProgram::Finish() {
  kernel_.Drain();
  std::vector<std::string> wrong = kernel_.CheckClosed();
  for (const std::vector<std::string>& more : {kernel_.TakeDown(), StressProbe::TakeReports()})
    wrong.insert(wrong.end(), more.begin(), more.end());
  return wrong;
}

}  // namespace iomode
