// SPDX-License-Identifier: GPL-2.0-only

#include "props/open_rules_oracle.h"

#include <algorithm>
#include <cerrno>

#include "props/random_script.h"

namespace iomode {
namespace {

using Expected = OpenRulesOracle::Expected;

Result Value(int64_t value, Via via = Via::kNone) { return {Result::Kind::kValue, value, via}; }
Result Errno(int number) { return {Result::Kind::kErrno, number, Via::kNone}; }
Result Blocked() { return {Result::Kind::kBlocked, 0, Via::kNone}; }

constexpr uint32_t kBesidePassthrough =
    FOPEN_PASSTHROUGH | FOPEN_DIRECT_IO | FOPEN_PARALLEL_DIRECT_WRITES | FOPEN_NOFLUSH;

// pread(2) and pwrite(2) of such a file give ESPIPE.
constexpr uint32_t kWithoutOffsets = FOPEN_STREAM | FOPEN_NONSEEKABLE;

}  // namespace

OpenRulesOracle::OpenRulesOracle(const Script& script)
    : conn_(script.conn),
      files_(script.files.size()),
      maps_(script.maps.size()),
      inodes_(script.inodes.size()),
      newest_id_(script.backings.size()) {}

OpenRulesOracle::Answer OpenRulesOracle::Table(Mode mode, Kind kind) {
  using enum Answer;
  //                              cached  direct same   other
  constexpr Answer kRows[4][4] = {{kOk, kOk, kOk, kOk},      // neutral
                                  {kOk, kOk, kEio, kEio},    // caching
                                  {kWaits, kOk, kOk, kOk},   // parallel writes in flight
                                  {kEio, kEio, kOk, kEio}};  // passthrough
  return kRows[static_cast<int>(mode)][static_cast<int>(kind)];
}

bool OpenRulesOracle::ParallelInFlight(const Inode& inode) const {
  return std::any_of(inode.writes.begin(), inode.writes.end(),
                     [](const auto& entry) { return entry.second.parallel; });
}

bool OpenRulesOracle::ExclusiveInFlight(const Inode& inode) const {
  return std::any_of(inode.writes.begin(), inode.writes.end(),
                     [](const auto& entry) { return !entry.second.parallel; });
}

OpenRulesOracle::Mode OpenRulesOracle::ModeOf(const Inode& inode) const {
  if (inode.backing != 0) return Mode::kPassthrough;
  if (inode.cached_files > 0) return Mode::kCaching;
  return ParallelInFlight(inode) ? Mode::kWritesInFlight : Mode::kNeutral;
}

std::optional<Expected> OpenRulesOracle::Next(const Step& step) {
  if (step.hold != Hold::kNone && step.op != Op::kWrite) return std::nullopt;
  switch (step.op) {
    case Op::kBackingOpen:
      return BackingOpen(step);
    case Op::kOpen:
      return Open(step);
    case Op::kClose:
      return Close(step);
    case Op::kMmap:
      return Mmap(step);
    case Op::kMunmap:
      return Munmap(step);
    case Op::kRead:
      return Read(step);
    case Op::kWrite:
      return WriteStep(step);
    case Op::kReply:
      return Reply(step);
    default:
      return std::nullopt;
  }
}

std::optional<Expected> OpenRulesOracle::BackingOpen(const Step& step) {
  if (!(conn_ & CONN_PASSTHROUGH)) return Expected{Errno(EPERM), {}};
  newest_id_[step.backing] = ++last_id_;
  ids_.insert(last_id_);
  return Expected{Value(0), {}};
}

std::optional<Expected> OpenRulesOracle::Open(const Step& step) {
  File& file = files_[step.file];
  Inode& inode = inodes_[step.inode];
  if (file.is_open || file.waiting || file.holders > 0) return std::nullopt;
  if (step.open_flags & OPEN_TRUNC) return std::nullopt;
  if (step.error) return Expected{Errno(step.error), {}};

  const bool passthrough = (step.fopen_flags & FOPEN_PASSTHROUGH) != 0;
  Kind kind = (step.fopen_flags & FOPEN_DIRECT_IO) ? Kind::kDirect : Kind::kCached;
  int64_t id = 0;
  if (passthrough) {
    if (!(conn_ & CONN_PASSTHROUGH) || (step.fopen_flags & ~kBesidePassthrough))
      return Expected{Errno(EIO), {}};
    id = step.backing_id.value_or(step.backing >= 0 ? newest_id_[step.backing] : 0);
    if (!ids_.contains(static_cast<int>(id))) return Expected{Errno(EIO), {}};
    kind = id == inode.backing ? Kind::kSameBacking : Kind::kOtherBacking;
  }
  const Answer answer = Table(ModeOf(inode), kind);
  if (answer == Answer::kEio) return Expected{Errno(EIO), {}};

  file = {};
  file.inode = step.inode;
  file.reply = step.fopen_flags;
  file.how = step.open_flags;
  file.holders = 1;
  if (answer == Answer::kWaits) {
    file.waiting = true;
    inode.waiters.push_back({step.number, step.file, -1});
    return Expected{Blocked(), {}};
  }
  file.is_open = true;
  file.passthrough = passthrough;
  file.caches = kind == Kind::kCached;
  if (file.caches) inode.cached_files++;
  if (passthrough) {
    inode.passthrough_files++;
    inode.backing = static_cast<int>(id);
  }
  return Expected{Value(0), {}};
}

// The last uncached reference is gone: whoever waited to cache goes on.
void OpenRulesOracle::LeaveUncached(Inode& inode, Expected& expected) {
  if (inode.passthrough_files > 0 || ParallelInFlight(inode)) return;
  inode.backing = 0;
  for (const Waiter& waiter : inode.waiters) {
    File& file = files_[waiter.file];
    file.waiting = false;
    if (!file.caches) {
      file.caches = true;
      inode.cached_files++;
    }
    if (waiter.map < 0) {
      file.is_open = true;
    } else {
      maps_[waiter.map] = {waiter.file, true, true};
      file.holders++;
    }
    expected.completions[waiter.step] = Value(0);
  }
  inode.waiters.clear();
}

void OpenRulesOracle::DropHolder(int name, Expected& expected) {
  File& file = files_[name];
  if (--file.holders > 0) return;
  Inode& inode = inodes_[file.inode];
  if (file.caches) inode.cached_files--;
  file.caches = false;
  if (!file.passthrough) return;
  file.passthrough = false;
  inode.passthrough_files--;
  LeaveUncached(inode, expected);
}

// A write in flight through the file keeps it from going.
std::optional<Expected> OpenRulesOracle::Close(const Step& step) {
  File& file = files_[step.file];
  if (!file.is_open || file.waiting) return std::nullopt;
  for (const auto& [number, write] : inodes_[file.inode].writes) {
    if (write.file == step.file) return std::nullopt;
  }
  file.is_open = false;
  Expected expected{Value(0), {}};
  DropHolder(step.file, expected);
  return expected;
}

std::optional<Expected> OpenRulesOracle::Mmap(const Step& step) {
  File& file = files_[step.file];
  if (!file.is_open || file.waiting || maps_[step.map].is_mapped) return std::nullopt;
  Inode& inode = inodes_[file.inode];
  if (!(file.how & OPEN_READ)) return Expected{Errno(EACCES), {}};

  Map map = {step.file, true, !file.passthrough};
  if (!file.passthrough) {
    if (ModeOf(inode) == Mode::kPassthrough) return Expected{Errno(ENODEV), {}};
    const bool direct_shared = (file.reply & FOPEN_DIRECT_IO) && step.shared;
    if (direct_shared && !(conn_ & CONN_DIRECT_IO_ALLOW_MMAP)) return Expected{Errno(ENODEV), {}};
    if (direct_shared && ModeOf(inode) == Mode::kWritesInFlight) {
      file.waiting = true;
      inode.waiters.push_back({step.number, step.file, step.map});
      return Expected{Blocked(), {}};
    }
    if (direct_shared && !file.caches) {
      file.caches = true;
      inode.cached_files++;
    }
    file.holders++;
  }
  maps_[step.map] = map;
  return Expected{Value(0), {}};
}

std::optional<Expected> OpenRulesOracle::Munmap(const Step& step) {
  Map& map = maps_[step.map];
  if (!map.is_mapped || files_[map.file].waiting) return std::nullopt;
  map.is_mapped = false;
  Expected expected{Value(0), {}};
  if (map.holds_file) DropHolder(map.file, expected);
  return expected;
}

std::optional<Expected> OpenRulesOracle::Read(const Step& step) {
  const File& file = files_[step.file];
  if (!file.is_open) return std::nullopt;
  if (file.reply & kWithoutOffsets) return Expected{Errno(ESPIPE), {}};
  if (!(file.how & OPEN_READ)) return Expected{Errno(EBADF), {}};
  if (!(file.reply & FOPEN_DIRECT_IO) && !file.passthrough) return std::nullopt;
  const int64_t off = step.off.value_or(0);
  const int64_t len = step.len.value_or(kPageSize);
  if (off + len > kInitialFileSize) return std::nullopt;
  return Expected{Value(len, file.reply & FOPEN_DIRECT_IO ? Via::kServer : Via::kBacking), {}};
}

// Direct writes run in parallel unless the open reply does not allow it, they append or extend the
// file, or somebody caches or waits to.
std::optional<Expected> OpenRulesOracle::WriteStep(const Step& step) {
  const File& file = files_[step.file];
  if (!file.is_open) return std::nullopt;
  if (file.reply & kWithoutOffsets) return Expected{Errno(ESPIPE), {}};
  if (!(file.how & OPEN_WRITE)) return Expected{Errno(EBADF), {}};
  Inode& inode = inodes_[file.inode];
  const bool direct = (file.reply & FOPEN_DIRECT_IO) != 0;
  if (!direct && !file.passthrough) return std::nullopt;
  if (!direct && step.hold != Hold::kNone) return std::nullopt;
  const int64_t length = step.len.value_or(kPageSize);
  const bool append = step.append || (file.how & OPEN_APPEND);
  const int64_t end = (append ? inode.size : step.off.value_or(0)) + length;

  const bool parallel = direct && (file.reply & FOPEN_PARALLEL_DIRECT_WRITES) && !append &&
                        end <= inode.size && inode.cached_files == 0 && inode.waiters.empty();
  if (ExclusiveInFlight(inode) || (!parallel && ParallelInFlight(inode))) return std::nullopt;
  if (step.hold != Hold::kNone) {
    inode.writes[step.number] = {step.file, parallel, end, length};
    return Expected{Blocked(), {}};
  }
  inode.size = std::max(inode.size, end);
  return Expected{Value(length, direct ? Via::kServer : Via::kBacking), {}};
}

std::optional<Expected> OpenRulesOracle::Reply(const Step& step) {
  if (step.targets.size() != 1) return std::nullopt;
  const int target = step.targets.front();
  for (Inode& inode : inodes_) {
    const auto it = inode.writes.find(target);
    if (it == inode.writes.end()) continue;
    const Write write = it->second;
    inode.writes.erase(it);
    Expected expected{Value(0), {}};
    expected.completions[target] =
        step.error ? Errno(step.error) : Value(write.length, Via::kServer);
    if (!step.error) inode.size = std::max(inode.size, write.end);
    if (write.parallel) LeaveUncached(inode, expected);
    return expected;
  }
  return std::nullopt;
}

CoveredScript Covered(const Script& script) {
  OpenRulesOracle oracle(script);
  CoveredScript covered;
  std::vector<bool> keep(script.steps.size());
  std::vector<int> number(script.steps.size() + 1);
  int kept = 0;
  for (const Step& step : script.steps) {
    Step renumbered = step;
    for (int& target : renumbered.targets) target = number[target];
    renumbered.number = kept + 1;
    const std::optional<Expected> expected = oracle.Next(renumbered);
    if (!expected.has_value()) continue;
    keep[step.number - 1] = true;
    number[step.number] = ++kept;
    covered.expected.push_back(*expected);
  }
  covered.script = KeepSteps(script, keep);
  return covered;
}

}  // namespace iomode
