// SPDX-License-Identifier: GPL-2.0-only
//
// What the server receives, holds and lets go; the answers themselves are in fuse_answers.cc.

#include "conformance/agent/fuse_server.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "sim/hold.h"

namespace iomode::agent {
namespace {

constexpr int kInitTimeoutMs = 10000;

template <typename T>
const T& As(std::span<const uint8_t> body) {
  return *reinterpret_cast<const T*>(body.data());
}

}  // namespace

FuseServer::FuseServer(const Script& script, FuseConnection& connection, BackingFiles& backings,
                       StepBook& book)
    : script_(script), connection_(connection), backings_(backings), book_(book) {
  for (size_t i = 0; i < script.inodes.size(); ++i) {
    contents_.emplace_back(SourceOfInode(static_cast<int>(i)));
  }
}

absl::Status FuseServer::Negotiate() {
  pollfd device = {connection_.device(), POLLIN, 0};
  if (poll(&device, 1, kInitTimeoutMs) != 1) {
    return absl::UnavailableError("the kernel sent no INIT request to the FUSE server");
  }
  const std::span<const uint8_t> request = connection_.Read();
  if (request.size() < sizeof(fuse_in_header) || As<fuse_in_header>(request).opcode != FUSE_INIT) {
    return absl::UnavailableError("the kernel's first FUSE request is not INIT");
  }
  const fuse_in_header header = As<fuse_in_header>(request);
  fuse_init_in in = {};
  memcpy(&in, request.data() + sizeof header, std::min(sizeof in, request.size() - sizeof header));
  const uint64_t offered = in.flags | (in.flags & kInitExt ? uint64_t{in.flags2} << 32 : 0);
  if ((offered & kInitPassthrough) == 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        "this kernel's FUSE (protocol ", in.major, ".", in.minor,
        ") has no passthrough; CONFIG_FUSE_PASSTHROUGH of Linux 6.9 or later is needed"));
  }
  constexpr std::pair<uint32_t, uint64_t> kFlags[] = {
      {CONN_PASSTHROUGH, kInitPassthrough},
      {CONN_DIRECT_IO_ALLOW_MMAP, kInitDirectIoAllowMmap},
      {CONN_WRITEBACK_CACHE, kInitWritebackCache},
      {CONN_ASYNC_DIO, kInitAsyncDio},
      {CONN_NO_OPEN, kInitNoOpenSupport},
      {CONN_ATOMIC_O_TRUNC, kInitAtomicOTrunc},
      {CONN_AUTO_INVAL_DATA, kInitAutoInvalData},
  };
  uint64_t wanted = kInitExt | kInitMaxPages | kInitBigWrites;
  if ((script_.conn & CONN_NO_ASYNC_READ) == 0) wanted |= kInitAsyncRead;
  for (const auto& [capability, flag] : kFlags) {
    if (script_.conn & capability) wanted |= flag;
  }
  InitOut out = {};
  out.major = FUSE_KERNEL_VERSION;
  out.minor = std::min(in.minor, uint32_t{40});
  out.max_readahead = kMaxTransfer;
  out.flags = static_cast<uint32_t>(wanted & offered);
  out.flags2 = static_cast<uint32_t>((wanted & offered) >> 32);
  // Held readahead and aio must not stop others from being sent.
  out.max_background = 0xffff;
  out.max_write = kMaxTransfer;
  out.time_gran = 1;
  out.max_pages = kMaxTransfer / static_cast<uint32_t>(kPageSize);
  out.max_stack_depth = script_.conn & CONN_PASSTHROUGH ? 1 : 0;
  connection_.Answer(header.unique, 0, {reinterpret_cast<uint8_t*>(&out), sizeof out});
  log_.push_back({.opcode = FUSE_INIT});
  return absl::OkStatus();
}

bool FuseServer::Serve() {
  bool any = false;
  while (true) {
    const std::span<const uint8_t> request = connection_.Read();
    if (request.empty()) return any;
    Receive(request);
    any = true;
  }
}

int FuseServer::InodeOf(const fuse_in_header& header) const {
  const uint64_t first = FUSE_ROOT_ID + 1;
  const bool known = header.nodeid >= first && header.nodeid - first < contents_.size();
  return known ? static_cast<int>(header.nodeid - first) : -1;
}

int FuseServer::SenderOf(const fuse_in_header& header) {
  return header.pid == 0 ? 0 : book_.StepOfTask(static_cast<pid_t>(header.pid));
}

// The step for which this request is to be held; 0: for none.
int FuseServer::HolderOf(const fuse_in_header& header, std::span<const uint8_t> body,
                         int sender) const {
  if (header.opcode == FUSE_RELEASE) {
    auto file = open_files_.find(As<fuse_release_in>(body).fh);
    const int holder = file == open_files_.end() ? 0 : book_.ReleaseHolder(file->second.opened_by);
    return holder > 0 && book_.at(holder).holding ? holder : 0;
  }
  const FuseOpcode opcode = static_cast<FuseOpcode>(header.opcode);
  if (sender > 0) {
    const StepRun& run = book_.at(sender);
    return run.holding && HoldKeeps(*run.step, opcode, false) ? sender : 0;
  }
  if (header.opcode != FUSE_WRITE) return 0;
  // Dirty pages that a step writes back travel on nobody's behalf.
  for (int number = book_.size(); number > 0; --number) {
    const StepRun& run = book_.at(number);
    if (!run.issued || !run.holding || (run.done && number != book_.current())) continue;
    // It has written its pages back when it asks for the rest.
    const uint32_t held = HeldFor(number);
    if (held != 0 && held != FUSE_WRITE) continue;
    if (run.inode == InodeOf(header) && HoldKeeps(*run.step, opcode, true)) return number;
  }
  return 0;
}

RequestRecord FuseServer::RecordOf(const fuse_in_header& header,
                                   std::span<const uint8_t> body) const {
  RequestRecord record;
  record.opcode = header.opcode;
  record.inode = InodeOf(header);
  if (header.opcode == FUSE_READ) {
    record.off = static_cast<int64_t>(As<fuse_read_in>(body).offset);
    record.len = As<fuse_read_in>(body).size;
  } else if (header.opcode == FUSE_WRITE) {
    record.off = static_cast<int64_t>(As<fuse_write_in>(body).offset);
    record.len = As<fuse_write_in>(body).size;
  }
  return record;
}

void FuseServer::Receive(std::span<const uint8_t> request) {
  const fuse_in_header& header = As<fuse_in_header>(request);
  const std::span<const uint8_t> body = request.subspan(sizeof header);
  if (header.opcode == FUSE_FORGET || header.opcode == FUSE_BATCH_FORGET) return;
  // From 7.x on a WRITE of dirty pages names a task as well, which is not a step's business.
  const bool writeback = header.opcode == FUSE_WRITE &&
                         (As<fuse_write_in>(body).write_flags & FUSE_WRITE_CACHE) != 0;
  const int sender = writeback ? 0 : SenderOf(header);
  const int holder = HolderOf(header, body, sender);
  const bool data = header.opcode == FUSE_READ || header.opcode == FUSE_WRITE;
  if (sender > 0 && data) book_.at(sender).reached_server = true;
  RequestRecord record = RecordOf(header, body);
  record.step = sender;
  record.held = holder > 0;
  if (header.opcode != FUSE_LOOKUP) log_.push_back(record);
  if (header.opcode == FUSE_RELEASE) open_files_.erase(As<fuse_release_in>(body).fh);
  if (header.opcode == FUSE_INTERRUPT) return;
  if (holder > 0) {
    held_.push_back({holder, {request.begin(), request.end()}});
  } else {
    Answer(request, sender, 0);
  }
}

bool FuseServer::Reply(const std::vector<int>& steps, int error) {
  bool any = false;
  for (int step : steps) {
    book_.at(step).holding = false;
    std::vector<Held> chosen;
    for (Held& held : held_) {
      if (held.step == step) chosen.push_back(std::move(held));
    }
    std::erase_if(held_, [step](const Held& held) { return held.step == step; });
    for (const Held& held : chosen) {
      const fuse_in_header& header = As<fuse_in_header>(held.request);
      Answer(held.request, SenderOf(header), error);
      any = true;
    }
  }
  return any;
}

int64_t FuseServer::OpenBacking(int index, uint32_t flags) {
  const int64_t id = connection_.BackingOpen(backings_.fd(index), flags);
  if (id < 0) return id;
  backings_.NoteId(index, id);
  return 0;
}

int64_t FuseServer::CloseBacking(const Step& step) {
  return connection_.BackingClose(step.backing_id.has_value() ? *step.backing_id
                                                              : backings_.newest_id(step.backing));
}

int64_t FuseServer::Abort() {
  held_.clear();
  return connection_.Abort();
}

uint32_t FuseServer::HeldFor(int step) const {
  for (const Held& held : held_) {
    if (held.step == step) return As<fuse_in_header>(held.request).opcode;
  }
  return 0;
}

std::vector<RequestRecord> FuseServer::TakeLog() { return std::exchange(log_, {}); }

}  // namespace iomode::agent
