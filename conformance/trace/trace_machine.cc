// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/trace/trace_machine.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "model/iomode.h"

namespace iomode::conform {
namespace {

size_t BytesFor(const TraceSizes& sizes) {
  return (16 << 10) + sizes.tasks * 128 + sizes.inodes * 1024 + sizes.files * 512 +
         sizes.backings * 128;
}

}  // namespace

TraceMachine::TraceMachine(const Rules& rules, const TraceSizes& sizes)
    : sizes_(sizes), scheduler_(BytesFor(sizes), sizes.tasks) {
  fc_ = scheduler_.Allocate<FuseConn<W>>();
  fc_->rules = &rules;
  fc_->passthrough = rules.passthrough != Passthrough::kUnknownBit;
  fc_->connected.value = 1;
  fc_->backing_capacity = sizes.backings;
  fc_->backing_files_map = scheduler_.Allocate<FuseBacking<W>*>(sizes.backings);
  fc_->backings.items = scheduler_.Allocate<FuseBacking<W>>(sizes.backings);
  fc_->backings.capacity = static_cast<int16_t>(sizes.backings);
  kernel_backings_ = scheduler_.Allocate<uint64_t>(sizes.backings);
  backing_file_ = scheduler_.Allocate<BackingInode>();
  inodes_ = scheduler_.Allocate<FuseInode<W>>(sizes.inodes);
  inodes_state_ = scheduler_.Allocate<InodeState>(sizes.inodes);
  for (int i = 0; i < sizes.inodes; i++) {
    inodes_[i].fc = fc_;
    inodes_state_[i] = {};
  }
  files_ = scheduler_.Allocate<FuseFile<W>>(sizes.files);
  open_files_ = scheduler_.Allocate<File<W>>(sizes.files);
  calls_ = scheduler_.Allocate<CallState>(sizes.tasks);
}

void TraceMachine::InitFile(int file, int inode, uint32_t open_flags, int backing_id) {
  FuseFile<W>& ff = files_[file];
  ff = FuseFile<W>();
  ff.inode = &inodes_[inode];
  ff.open_flags = static_cast<uint16_t>(open_flags);
  ff.backing_id = backing_id;
  ff.has_args = true;
  ff.live = true;
  open_files_[file] = File<W>();
  open_files_[file].inode = &inodes_[inode];
  open_files_[file].private_data = &ff;
}

void TraceMachine::FreeFile(int file) {
  files_[file] = FuseFile<W>();
  open_files_[file] = File<W>();
}

void TraceMachine::Call(int slot, const TraceCall& call) {
  calls_[slot] = {call, 0, false};
  W::listener = this;
  scheduler_.Spawn(&TraceMachine::TaskMain, this, static_cast<uint32_t>(slot), slot);
}

int TraceMachine::EndCall(int slot) {
  const int result = calls_[slot].result;
  const TraceCall& call = calls_[slot].call;
  if (call.function == TracedFunction::kBackingOpen && result > 0) {
    const FuseBacking<W>* fb = fc_->backing_files_map[result - 1];
    if (fb != nullptr) kernel_backings_[BackingIndex(fb)] = 0;
  }
  calls_[slot] = {};
  scheduler_.Reap(slot);
  return result;
}

void TraceMachine::Step(int slot, int* locked) {
  locked_ = -1;
  W::listener = this;
  W::tracing = true;
  scheduler_.Resume(slot);
  W::tracing = false;
  *locked = locked_;
}

void TraceMachine::Trace(const char* verb, const void* object, int64_t) {
  for (int i = 0; i < sizes_.inodes; i++) {
    FuseInode<W>& fi = inodes_[i];
    if (object != &fi.lock) continue;
    locked_ = i;
    if (std::strcmp(verb, "unlocks") != 0) continue;
    SectionEnd& end = inodes_state_[i].unconfirmed;
    end.task = static_cast<int16_t>(scheduler_.SlotOf(&W::self()));
    end.counter = fi.iocachectr.value;
    end.cache_bit = (fi.state.value >> FUSE_I_CACHE_IO_MODE & 1) != 0;
    end.backing = static_cast<int16_t>(BackingIndex(fi.fb.value));
    end.function = W::self().function;
  }
}

bool TraceMachine::IsBacking(int backing, uint64_t kernel) {
  if (backing < 0 || kernel == 0) return backing < 0 && kernel == 0;
  uint64_t& noted = kernel_backings_[backing];
  if (noted != 0) return noted == kernel;
  for (int i = 0; i < sizes_.backings; i++) {
    if (fc_->backings.items[i].live && kernel_backings_[i] == kernel) return false;
  }
  noted = kernel;
  return true;
}

std::string TraceMachine::DescribeInode(int inode) const {
  const FuseInode<W>& fi = inodes_[inode];
  const int backing = BackingIndex(fi.fb.value);
  std::string text =
      absl::StrCat("iocachectr=", fi.iocachectr.value,
                   " CACHE_IO_MODE=", fi.state.value >> FUSE_I_CACHE_IO_MODE & 1, " fb=");
  if (backing < 0) return text + "0x0";
  if (kernel_backings_[backing] == 0) return absl::StrCat(text, "one not seen yet");
  return absl::StrCat(text, "0x", absl::Hex(kernel_backings_[backing]));
}

std::string TraceMachine::DescribeTask(int slot) const {
  const Task& task = scheduler_.task(slot);
  const char* function = task.function != nullptr ? task.function : "its call";
  if (calls_[slot].returned) return absl::StrCat("returns ", calls_[slot].result);
  if (task.pending == Pending::kSleep) return absl::StrCat("asleep in ", function);
  return absl::StrCat(task.pending == Pending::kLock ? "about to lock in " : "in ", function);
}

void TraceMachine::TaskMain(void* context, uint32_t slot) {
  auto& machine = *static_cast<TraceMachine*>(context);
  CallState& state = machine.calls_[slot];
  state.result = machine.Run(state.call);
  state.returned = true;
}

int TraceMachine::Run(const TraceCall& call) {
  switch (call.function) {
    case TracedFunction::kFileIoOpen:
      return fuse_file_io_open(inodes_[call.inode], open_files_[call.file]);
    case TracedFunction::kFileIoRelease:
      fuse_file_io_release(files_[call.file], inodes_[call.inode]);
      return 0;
    case TracedFunction::kCachedIoOpen:
      return fuse_file_cached_io_open(inodes_[call.inode], files_[call.file]);
    case TracedFunction::kUncachedIoStart:
      return fuse_inode_uncached_io_start(inodes_[call.inode],
                                          static_cast<FuseBacking<W>*>(nullptr));
    case TracedFunction::kUncachedIoEnd:
      fuse_inode_uncached_io_end(inodes_[call.inode]);
      return 0;
    case TracedFunction::kBackingOpen:
      return fuse_backing_open(*fc_, backing_file_, 0);
    case TracedFunction::kBackingClose:
      break;
  }
  return fuse_backing_close(*fc_, call.id);
}

int TraceMachine::BackingIndex(const FuseBacking<W>* fb) const {
  return fb == nullptr ? -1 : static_cast<int>(fb - fc_->backings.items);
}

}  // namespace iomode::conform
