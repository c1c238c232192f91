// SPDX-License-Identifier: GPL-2.0-only

#include "props/file_size_oracle.h"

#include <algorithm>
#include <cerrno>

#include "props/random_script.h"

namespace iomode {

FileSizeOracle::FileSizeOracle(const Script& script)
    : script_(script),
      sizes_(script.inodes.size(), kInitialFileSize),
      files_(script.files.size(), -1),
      maps_(script.maps.size()) {}

Script FileSizeOracle::Covered(const Script& script) {
  Script covered = script;
  covered.conn &= ~uint32_t{CONN_PASSTHROUGH};
  std::vector<bool> keep;
  for (Step& step : covered.steps) {
    step.hold = Hold::kNone;
    step.error = 0;
    step.fopen_flags &= ~uint32_t{FOPEN_PASSTHROUGH | FOPEN_STREAM | FOPEN_NONSEEKABLE};
    step.backing = step.op == Op::kOpen ? -1 : step.backing;
    step.backing_id.reset();
    keep.push_back(step.op != Op::kReply && step.op != Op::kKill && step.op != Op::kAbort &&
                   step.op != Op::kBackingOpen && step.op != Op::kBackingClose);
  }
  return KeepSteps(covered, keep);
}

Result FileSizeOracle::Next(const Step& step) {
  const int64_t value = Do(step);
  if (value < 0) return {Result::Kind::kErrno, -value, Via::kNone};
  return {Result::Kind::kValue, value, Via::kNone};
}

int64_t FileSizeOracle::Do(const Step& step) {
  switch (step.op) {
    case Op::kOpen:
      return Open(step);
    case Op::kMmap:
      return Mmap(step);
    case Op::kLoad:
    case Op::kStore:
      return Access(step);
    case Op::kMsync:
      return maps_[step.map].is_mapped ? 0 : -ENOMEM;
    case Op::kMunmap:
      if (!maps_[step.map].is_mapped) return -EINVAL;
      maps_[step.map] = {};
      return 0;
    case Op::kDup:
      files_[step.file] = files_[step.source];
      return files_[step.source] < 0 ? -EBADF : 0;
    default:
      return files_[step.file] < 0 ? -EBADF : OnFile(step, open_files_[files_[step.file]]);
  }
}

int64_t FileSizeOracle::Open(const Step& step) {
  // A server without OPEN replies nothing: all its files are cached.
  const bool replies = !(script_.conn & CONN_NO_OPEN);
  File file;
  file.inode = step.inode;
  file.direct_io = replies && (step.fopen_flags & FOPEN_DIRECT_IO);
  file.may_read = step.open_flags & OPEN_READ;
  file.may_write = step.open_flags & OPEN_WRITE;
  file.append = step.open_flags & OPEN_APPEND;
  files_[step.file] = static_cast<int>(open_files_.size());
  open_files_.push_back(file);
  if (step.open_flags & OPEN_TRUNC) sizes_[step.inode] = 0;
  return 0;
}

int64_t FileSizeOracle::Mmap(const Step& step) {
  if (files_[step.file] < 0) return -EBADF;
  const File& file = open_files_[files_[step.file]];
  if (!file.may_read) return -EACCES;
  if (file.direct_io && step.shared && !(script_.conn & CONN_DIRECT_IO_ALLOW_MMAP)) return -ENODEV;
  // A script maps writable whatever it can.
  maps_[step.map] = {true, file.inode, !step.read_only && (!step.shared || file.may_write)};
  return 0;
}

int64_t FileSizeOracle::Access(const Step& step) const {
  const Map& map = maps_[step.map];
  if (!map.is_mapped || (step.op == Op::kStore && !map.may_write)) return -EFAULT;
  const int64_t page = step.off.value_or(0) / kPageSize;
  return page * kPageSize < sizes_[map.inode] ? 0 : -EFAULT;
}

int64_t FileSizeOracle::OnFile(const Step& step, File& file) {
  int64_t& size = sizes_[file.inode];
  const int64_t length = step.len.value_or(kPageSize);
  int64_t offset = step.off.value_or(0);
  switch (step.op) {
    case Op::kClose:
      files_[step.file] = -1;
      return 0;
    case Op::kRead:
    case Op::kAioRead:
    case Op::kSpliceRead:
      return file.may_read ? std::clamp<int64_t>(size - offset, 0, length) : -EBADF;
    case Op::kWrite:
    case Op::kAioWrite:
      if (!file.may_write) return -EBADF;
      if (file.append || step.append) offset = size;
      size = std::max(size, offset + length);
      return length;
    case Op::kTruncate:
      if (!file.may_write) return -EINVAL;
      size = step.argument;
      return 0;
    case Op::kFallocate:
      if (!file.may_write) return -EBADF;
      size = std::max(size, offset + length);
      return 0;
    case Op::kStat:
      return size;
    case Op::kReadahead:
      return file.may_read ? 0 : -EBADF;
    case Op::kSetfl:
      file.append = step.open_flags & OPEN_APPEND;
      return 0;
    default:
      return 0;
  }
}

}  // namespace iomode
