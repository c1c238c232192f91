// SPDX-License-Identifier: GPL-2.0-only

#include "props/script_builder.h"

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "absl/strings/str_cat.h"

namespace iomode {
namespace {

constexpr uint32_t kDirect = FOPEN_DIRECT_IO;
constexpr uint32_t kParallel = FOPEN_DIRECT_IO | FOPEN_PARALLEL_DIRECT_WRITES;
constexpr uint32_t kPassthrough = FOPEN_PASSTHROUGH;

// Answers to OPEN; the fitting ones first and more often.
constexpr uint32_t kReplies[] = {
    kParallel,
    FOPEN_KEEP_CACHE,
    kPassthrough,
    kParallel,
    0,
    kPassthrough | kParallel,
    kDirect,
    kParallel,
    kPassthrough,
    FOPEN_KEEP_CACHE | FOPEN_NOFLUSH,
    kPassthrough | FOPEN_NOFLUSH,
    kParallel | FOPEN_KEEP_CACHE,
    FOPEN_PARALLEL_DIRECT_WRITES,
    kPassthrough | kDirect,
    kPassthrough | FOPEN_KEEP_CACHE,
    kPassthrough | FOPEN_STREAM,
};
constexpr uint32_t kReadWrite = OPEN_READ | OPEN_WRITE;
constexpr uint32_t kOpenFlags[] = {
    kReadWrite, kReadWrite, kReadWrite, kReadWrite,
    kReadWrite, kReadWrite, OPEN_READ,  kReadWrite | OPEN_DIRECT,
    OPEN_WRITE, kReadWrite, OPEN_READ,  kReadWrite | OPEN_DIRECT,
    kReadWrite, kReadWrite, OPEN_WRITE, kReadWrite | OPEN_APPEND,
    kReadWrite, kReadWrite, kReadWrite, kReadWrite | OPEN_TRUNC,
};
constexpr int64_t kOffsets[] = {0, 4096, 8192, 32768, 0, 61440, 65536, 63488};
constexpr int64_t kSizes[] = {65536, 0, 4096, 69632};
constexpr int kErrors[] = {EIO, ENOSPC, EACCES};
constexpr size_t kMaxFiles = 6;
constexpr size_t kMaxMaps = 4;
constexpr size_t kMaxHeld = 4;

template <class Table>
auto Pick(const Table& table, unsigned n) {
  return table[n % std::size(table)];
}

}  // namespace

ScriptBuilder::ScriptBuilder(uint32_t conn, int inodes, int backings) {
  script_.name = "random";
  script_.has_conn = true;
  script_.conn = conn;
  for (int i = 0; i < inodes; i++)
    script_.inodes.push_back(std::string(1, static_cast<char>('A' + i)));
  for (int i = 0; i < backings; i++) script_.backings.push_back(absl::StrCat("B", i + 1));
  for (int i = 0; i < backings; i++) Append(Op::kBackingOpen).backing = i;
}

Step& ScriptBuilder::Append(Op op) {
  std::vector<Step>& steps = thread_ < 0 ? script_.steps : script_.threads[thread_];
  Step& step = steps.emplace_back();
  step.op = op;
  step.thread = thread_;
  step.number = static_cast<int>(steps.size());
  return step;
}

std::string ScriptBuilder::NewName(const char* kind, size_t index) const {
  return absl::StrCat(kind, index + 1);
}

void ScriptBuilder::StartThread() {
  if (thread_ < 0) {
    setup_files_ = files_;
    setup_maps_ = maps_;
  }
  files_ = setup_files_;
  maps_ = setup_maps_;
  script_.threads.emplace_back();
  thread_++;
}

ScriptBuilder::File* ScriptBuilder::PickFile(const Gene& gene) {
  return files_.empty() ? nullptr : &files_[gene.which % files_.size()];
}

void ScriptBuilder::SetHold(const Gene& gene, Step& step) {
  if (thread_ >= 0 || gene.more % 2 == 0 || held_.size() >= kMaxHeld) return;
  step.hold = Hold::kRequest;
  held_.push_back(step.number);
}

void ScriptBuilder::Add(Op op, const Gene& gene) {
  switch (op) {
    case Op::kOpen:
      return AddOpen(gene);
    case Op::kBackingOpen:
    case Op::kBackingClose:
      return AddBackingStep(op, gene);
    case Op::kDup:
      return AddDup(gene);
    case Op::kClose:
    case Op::kKill:
      return AddClose(op, gene);
    case Op::kMmap:
      return AddMmap(gene);
    case Op::kLoad:
    case Op::kStore:
    case Op::kMsync:
    case Op::kMunmap:
      return AddMapStep(op, gene);
    case Op::kReply:
      return AddReply(gene);
    case Op::kAbort:
      if (gene.more % 8 == 7) Append(op);
      return;
    default:
      return AddFileStep(op, gene);
  }
}

// Three opens of four go along with what the inode's other files are for.
void ScriptBuilder::AddOpen(const Gene& gene) {
  if (files_.size() >= kMaxFiles) return;
  const int inode = gene.which % 8 == 7 ? static_cast<int>(script_.inodes.size()) - 1 : 0;
  uint32_t reply = Pick(kReplies, gene.how);
  const bool any_cached = std::any_of(files_.begin(), files_.end(), [inode](const File& f) {
    return f.inode == inode && !f.passthrough && !f.direct;
  });
  const bool any_passthrough = std::any_of(files_.begin(), files_.end(), [inode](const File& f) {
    return f.inode == inode && f.passthrough;
  });
  if (gene.more / 16 % 4 != 3) {
    if (any_cached) reply &= ~kPassthrough;
    if (any_passthrough) reply |= kPassthrough;
    if (any_passthrough) reply &= ~(FOPEN_KEEP_CACHE | FOPEN_STREAM);
  }

  Step& step = Append(Op::kOpen);
  step.file = static_cast<int>(script_.files.size());
  step.inode = inode;
  step.fopen_flags = reply;
  step.open_flags = Pick(kOpenFlags, gene.how / 16 + gene.more / 64 * 5);
  if ((reply & FOPEN_PASSTHROUGH) && gene.more % 32 == 31) {
    step.backing_id = gene.which % 5;
  } else if ((reply & FOPEN_PASSTHROUGH) && !script_.backings.empty()) {
    step.backing = gene.which % 16 == 15 ? static_cast<int>(script_.backings.size()) - 1 : 0;
  }
  if (gene.more % 32 == 30) step.error = Pick(kErrors, gene.which);
  if (gene.more % 16 == 5) SetHold(gene, step);
  script_.files.push_back(NewName("f", script_.files.size()));
  files_.push_back({step.file, processes_++, inode, (reply & FOPEN_PASSTHROUGH) != 0,
                    (reply & FOPEN_DIRECT_IO) != 0});
}

void ScriptBuilder::AddBackingStep(Op op, const Gene& gene) {
  if (script_.backings.empty()) return;
  Append(op).backing = gene.which % static_cast<int>(script_.backings.size());
}

void ScriptBuilder::AddDup(const Gene& gene) {
  const File* from = PickFile(gene);
  if (from == nullptr || files_.size() >= kMaxFiles) return;
  File copy = *from;
  Step& step = Append(Op::kDup);
  step.source = copy.name;
  step.file = copy.name = static_cast<int>(script_.files.size());
  script_.files.push_back(NewName("f", script_.files.size()));
  files_.push_back(copy);
}

// close and kill, which take files from the table. A thread leaves the set-up's files open: others
// may be using them.
void ScriptBuilder::AddClose(Op op, const Gene& gene) {
  const size_t kept = thread_ < 0 ? 0 : setup_files_.size();
  if (files_.size() == kept) return;
  const File gone = files_[kept + gene.which % (files_.size() - kept)];
  Step& step = Append(op);
  step.file = gone.name;
  if (op == Op::kClose) {
    std::erase_if(files_, [&gone](const File& f) { return f.name == gone.name; });
    if (gene.more % 8 == 7 && thread_ < 0 && held_.size() < kMaxHeld) {
      step.hold = gene.how % 2 ? Hold::kFlush : Hold::kRelease;
      held_.push_back(step.number);
    }
  } else {
    std::erase_if(files_, [&gone](const File& f) { return f.process == gone.process; });
    std::erase_if(maps_, [&gone](const Map& m) { return m.process == gone.process; });
  }
}

void ScriptBuilder::AddMmap(const Gene& gene) {
  const File* file = PickFile(gene);
  if (file == nullptr || maps_.size() >= kMaxMaps) return;
  Step& step = Append(Op::kMmap);
  step.file = file->name;
  step.map = static_cast<int>(script_.maps.size());
  step.shared = gene.how % 4 != 3;
  step.read_only = gene.how % 16 == 8;
  script_.maps.push_back(NewName("m", script_.maps.size()));
  maps_.push_back({step.map, file->process});
}

void ScriptBuilder::AddMapStep(Op op, const Gene& gene) {
  const size_t kept = thread_ < 0 || op != Op::kMunmap ? 0 : setup_maps_.size();
  if (maps_.size() == kept) return;
  const Map map = maps_[kept + gene.which % (maps_.size() - kept)];
  Step& step = Append(op);
  step.map = map.name;
  if (op == Op::kMunmap) std::erase_if(maps_, [&map](const Map& m) { return m.name == map.name; });
  if (op == Op::kLoad || op == Op::kStore) {
    const int64_t off = Pick(kOffsets, gene.how);
    if (off != 0) step.off = off;
    if (gene.more % 8 == 7) SetHold(gene, step);
  }
}

void ScriptBuilder::AddReply(const Gene& gene) {
  if (held_.empty()) return;
  const size_t at = gene.which % held_.size();
  const int target = held_[at];
  held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(at));
  Step& step = Append(Op::kReply);
  step.targets = {target};
  if (gene.more % 8 == 7) step.error = Pick(kErrors, gene.how);
}

void ScriptBuilder::AddFileStep(Op op, const Gene& gene) {
  const File* file = PickFile(gene);
  if (file == nullptr) return;
  Step& step = Append(op);
  step.file = file->name;
  const bool takes_range = op == Op::kRead || op == Op::kWrite || op == Op::kAioRead ||
                           op == Op::kAioWrite || op == Op::kSpliceRead || op == Op::kReadahead ||
                           op == Op::kSyncRange;
  if (takes_range) {
    const int64_t off = Pick(kOffsets, gene.how);
    if (off != 0) step.off = off;
    if (gene.how / 8 % 8 == 6) step.len = 8192;
    if (gene.how / 8 % 8 == 7) step.len = 100;
  }
  if (op == Op::kWrite || op == Op::kAioWrite) step.append = gene.more % 16 == 14;
  if (op == Op::kTruncate) step.argument = Pick(kSizes, gene.how);
  if (op == Op::kFallocate) step.len = gene.how % 2 ? 131072 : 4096;
  if (op == Op::kSetfl) {
    constexpr uint32_t kFlags[] = {0, OPEN_DIRECT, OPEN_APPEND};
    step.open_flags = Pick(kFlags, gene.how);
  }
  if (op != Op::kSetfl && op != Op::kStat) SetHold(gene, step);
}

void ScriptBuilder::Finish(const Gene& gene) {
  while (!held_.empty()) AddReply({0, gene.which, 0, 0});
  while (!maps_.empty()) AddMapStep(Op::kMunmap, {0, gene.how, 0, 0});
  while (!files_.empty()) AddClose(Op::kClose, {0, gene.more, 0, 0});
}

}  // namespace iomode
