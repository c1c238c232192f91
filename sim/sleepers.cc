// SPDX-License-Identifier: GPL-2.0-only

#include "sim/sleepers.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace iomode {
namespace {

using W = ScheduledWorld;

std::string HolderOf(const Machine& machine, const W::RwSem& sem) {
  if (sem.writer != 0) return machine.TaskName(machine.scheduler().task(sem.writer - 1).user);
  if (sem.readers == 0) return "nobody";
  return absl::StrCat(sem.readers, sem.readers == 1 ? " parallel write" : " parallel writes");
}

// Who holds an uncached reference of the inode: files, then writes.
std::string UncachedHolders(const Machine& machine, const FuseInode<W>& fi) {
  std::vector<std::string> holders;
  const auto& files = machine.conn().files;
  for (int i = 0; i < files.capacity; i++) {
    const File<W>& file = files.items[i];
    if (!file.live || file.inode != &fi || file.private_data == nullptr) continue;
    if (file.private_data->iomode == IOM_UNCACHED)
      holders.push_back(machine.DescribeAddress(&file));
  }
  if (fi.i_rwsem.readers > 0) holders.push_back(HolderOf(machine, fi.i_rwsem));
  return holders.empty() ? "nobody" : absl::StrJoin(holders, ", ");
}

void DescribeModeWait(const Machine& machine, const FuseInode<W>& fi, Sleeper& sleeper) {
  const bool come = fi.iocachectr.value >= 0 || fi.fb.value != nullptr;
  sleeper.waits_for =
      absl::StrCat("iocachectr >= 0 or a backing attached (!fuse_is_io_cache_wait), which is ",
                   come ? "so now" : "not so yet");
  sleeper.wakes =
      fi.iocachectr.value >= 0
          ? "nothing that is under way: fuse_inode_uncached_io_end has been and gone"
          : absl::StrCat(
                "fuse_inode_uncached_io_end, when the last uncached reference is dropped; held by ",
                UncachedHolders(machine, fi));
}

bool DescribeSemaphore(const Machine& machine, const void* object, const W::RwSem& sem,
                       Sleeper& sleeper) {
  if (object != &sem) return false;
  sleeper.waits_for = "the lock";
  sleeper.wakes = absl::StrCat("the unlock by its holder: ", HolderOf(machine, sem));
  return true;
}

void Describe(const Machine& machine, const void* object, Sleeper& sleeper) {
  for (int i = 0; i < machine.inode_count(); i++) {
    const FuseInode<W>& fi = machine.inode(i);
    if (object == &fi.direct_io_waitq) return DescribeModeWait(machine, fi, sleeper);
    if (DescribeSemaphore(machine, object, fi.i_rwsem, sleeper)) return;
    if (object == &fi.i_data.page_wait || object == &fi.page_waitq) {
      sleeper.waits_for = "a page that is locked or under writeback";
      sleeper.wakes = "the end of the READ or WRITE that the page is in";
      return;
    }
  }
  const auto& reqs = machine.conn().reqs;
  for (int i = 0; i < reqs.capacity; i++) {
    const FuseReq<W>& req = reqs.items[i];
    if (object != &req.done) continue;
    sleeper.waits_for = "the server's answer";
    sleeper.wakes = req.held ? "a reply: the server holds the request" : "the server";
    return;
  }
  sleeper.waits_for = "what it sleeps on";
  sleeper.wakes = "whoever has it";
}

bool IsScripts(const Machine& machine, int slot) {
  return machine.scheduler().live(slot) &&
         machine.scheduler().task(slot).user < Machine::kWorkerTask;
}

}  // namespace

std::vector<Sleeper> SleepersOf(const Machine& machine) {
  std::vector<Sleeper> sleepers;
  const Scheduler& s = machine.scheduler();
  for (int slot = 0; slot < s.task_count(); slot++) {
    const Task& task = s.task(slot);
    if (!IsScripts(machine, slot) || task.pending != Pending::kSleep) continue;
    Sleeper sleeper = {machine.TaskName(task.user), task.function ? task.function : "",
                       machine.DescribeAddress(task.object), "", ""};
    Describe(machine, task.object, sleeper);
    sleepers.push_back(std::move(sleeper));
  }
  return sleepers;
}

std::vector<std::string> RunnableTasks(const Machine& machine) {
  std::vector<std::string> tasks;
  const Scheduler& s = machine.scheduler();
  for (int slot = 0; slot < s.task_count(); slot++) {
    if (IsScripts(machine, slot) && s.task(slot).pending != Pending::kSleep)
      tasks.push_back(machine.TaskName(s.task(slot).user));
  }
  return tasks;
}

}  // namespace iomode
