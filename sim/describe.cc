// SPDX-License-Identifier: GPL-2.0-only
//
// What a Machine's addresses and values are called in stories and findings.

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sim/machine.h"

namespace iomode {
namespace {

std::string OpcodeName(int64_t opcode) {
  const char* name = FuseOpcodeName(static_cast<uint32_t>(opcode));
  return name != nullptr ? name : "a request";
}

}  // namespace

std::string Machine::TaskLabel(uint32_t user) const {
  if (user == kServerTask) return "the server";
  if (user == kWorkerTask) return "the dio worker";
  if (user == kTeardownTask) return "the end of the script";
  const Step& step = *programs_[user].step;
  return step.thread < 0 ? absl::StrCat("step ", step.number)
                         : absl::StrCat("P", step.thread, ".", step.number);
}

std::string Machine::TaskName(uint32_t user) const {
  if (user >= programs_.size()) return TaskLabel(user);
  const std::string text = PrintStep(script_, *programs_[user].step);
  return absl::StrCat(TaskLabel(user), " (", text.substr(text.find(' ') + 1), ")");
}

// By the name that the script gives it; while it is being opened or closed it has none.
std::string Machine::DescribeFile(const File<W>& file) const {
  for (const Program& p : programs_) {
    if (p.open >= 0 && fds_[p.open].file == &file)
      return absl::StrCat("file ", script_.files[p.step->file]);
  }
  return "a file";
}

std::string Machine::DescribeAddress(const void* address) const {
  const auto* at = static_cast<const uint8_t*>(address);
  const auto within = [at](const auto& object) {
    const auto* begin = reinterpret_cast<const uint8_t*>(&object);
    return at >= begin && at < begin + sizeof(object);
  };
  for (int i = 0; i < inode_count(); i++) {
    const FuseInode<W>& fi = inodes_[i];
    const std::string& name = script_.inodes[i];
    const auto field = [&name](const char* f) { return absl::StrCat(name, ".", f); };
    if (within(fi.lock)) return field("lock");
    if (within(fi.direct_io_waitq)) return field("direct_io_waitq");
    if (within(fi.iocachectr)) return field("iocachectr");
    if (within(fi.state)) return field("state");
    if (within(fi.fb)) return field("fb");
    if (within(fi.i_rwsem)) return field("i_rwsem");
    if (within(fi.i_size)) return field("i_size");
    if (within(fi.inval_mask)) return field("inval_mask");
    if (within(fi.size_unstable)) return field("FUSE_I_SIZE_UNSTABLE");
    if (within(fi.i_data.i_pages)) return field("i_pages");
    if (within(fi.i_data.page_wait)) return field("page waitqueue");
    if (within(fi.page_waitq)) return field("page_waitq");
  }
  if (within(fc_->lock)) return "fc->lock";
  if (within(fc_->connected)) return "connection";
  if (within(fc_->rcu)) return "RCU";
  if (within(fc_->attr_version)) return "fc->attr_version";
  if (within(fc_->backing_files_map)) return "backing_files_map";
  for (int i = 0; i < fc_->backings.capacity; i++) {
    if (!within(fc_->backings.items[i])) continue;
    for (size_t b = 0; b < script_.backings.size(); b++) {
      if (&backings_[b].inode == fc_->backings.items[i].file)
        return absl::StrCat("backing ", script_.backings[b]);
    }
    return "backing";
  }
  for (int i = 0; i < fc_->files.capacity; i++) {
    const File<W>& file = fc_->files.items[i];
    if (within(file) || (file.private_data != nullptr && within(*file.private_data)))
      return DescribeFile(file);
  }
  for (int i = 0; i < fc_->fuse_files.capacity; i++) {
    if (within(fc_->fuse_files.items[i])) return "a fuse_file";
  }
  for (int i = 0; i < fc_->reqs.capacity; i++) {
    const FuseReq<W>& req = fc_->reqs.items[i];
    if (within(req)) return absl::StrCat(OpcodeName(req.args.opcode), " of ", TaskLabel(req.task));
  }
  for (int i = 0; i < opens_; i++) {
    if (within(processes_[i].mmap_lock)) return "mmap_lock";
    if (within(processes_[i])) return "the process";
  }
  for (int slot = 0; slot < scheduler_->task_count(); slot++) {
    if (within(scheduler_->task(slot))) return TaskLabel(scheduler_->task(slot).user);
  }
  for (size_t i = 0; i < programs_.size(); i++) {
    if (within(steps_[i].aio_done))
      return absl::StrCat("the aio of ", TaskLabel(static_cast<uint32_t>(i)));
  }
  if (within(*server_)) return "the server's queue";
  return "memory";
}

std::string Machine::DescribeValue(const char* verb, const void* object, int64_t value) const {
  if (value == kNoValue) return "";
  const bool is_request = absl::StartsWith(verb, "sends") || absl::StartsWith(verb, "answers");
  if (is_request && value > 0) return OpcodeName(value);
  for (int i = 0; i < inode_count(); i++) {
    const FuseInode<W>& fi = inodes_[i];
    if (object == &fi.fb) return value == 0 ? "NULL" : DescribeAddress(fi.fb.value);
    if (object == &fi.state)
      return absl::StrCat("CACHE_IO_MODE=", (value >> FUSE_I_CACHE_IO_MODE) & 1);
  }
  return absl::StrCat(value);
}

void Machine::Trace(const char* verb, const void* object, int64_t value) {
  if (trace_ == nullptr || !scheduler_->in_task()) return;
  const Task& t = scheduler_->self();
  TraceEvent event = {scheduler_->SlotOf(&t),       t.user,
                      t.function ? t.function : "", verb,
                      DescribeAddress(object),      DescribeValue(verb, object, value)};
  const auto* step = static_cast<const StepState*>(object);
  if (step >= steps_ && step < steps_ + programs_.size() && object == &steps_[t.user])
    event.value = PrintResult(ResultOf(static_cast<int>(t.user)));
  trace_->push_back(std::move(event));
}

}  // namespace iomode
