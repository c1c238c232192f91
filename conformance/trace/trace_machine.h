// SPDX-License-Identifier: GPL-2.0-only
//
// The model's io-mode functions as a trace calls them: each call is a task under the Scheduler that
// runs the function and nothing else. What the kernel does around these functions the trace says.
//
// A section of fi->lock that a task has ended is *unconfirmed* until the trace tells of it. All of
// the kernel that changes an inode's mode is in such sections, so between two of them the trace
// leaves open only when tasks read without the lock, queue up and fall asleep.
//
// Used by one thread. Everything that can change lies in the scheduler's arena.

#ifndef CONFORMANCE_TRACE_TRACE_MACHINE_H_
#define CONFORMANCE_TRACE_TRACE_MACHINE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "conformance/trace/trace_event.h"
#include "model/fuse_i.h"
#include "model/revision.h"
#include "sim/scheduled_world.h"
#include "sim/scheduler.h"

namespace iomode::conform {

// How much there is of each, at a time; backings: altogether.
struct TraceSizes {
  int tasks = 1;
  int inodes = 1;
  int files = 1;
  int backings = 1;
};

// A call and its arguments as places in the machine.
struct TraceCall {
  TracedFunction function = TracedFunction::kFileIoOpen;
  int inode = -1;
  int file = -1;
  int id = 0;
};

// How a section left the inode. `task`: the slot.
struct SectionEnd {
  int16_t task = -1;  // -1: none is unconfirmed
  bool cache_bit = false;
  int32_t counter = 0;
  int16_t backing = -1;  // index; -1: none attached
  const char* function = nullptr;
};

class TraceMachine final : public WorldListener {
 public:
  using W = ScheduledWorld;

  // `rules` outlive it.
  TraceMachine(const Rules& rules, const TraceSizes& sizes);

  Scheduler& scheduler() { return scheduler_; }
  const Scheduler& scheduler() const { return scheduler_; }

  // --- What the trace does ---

  // A file's fuse_file as its open finds it.
  void InitFile(int file, int inode, uint32_t open_flags, int backing_id);
  void FreeFile(int file);
  // Starts a call as the task in a free slot.
  void Call(int slot, const TraceCall& call);
  // Ends the call of a task that has returned, and gives its result.
  int EndCall(int slot);

  // --- What tasks do ---

  // One transition. `locked`: the inode whose lock the task took or let go of in it, or -1.
  void Step(int slot, int* locked);
  bool Returned(int slot) const { return calls_[slot].returned; }
  bool Asleep(int slot) const { return scheduler_.task(slot).pending == Pending::kSleep; }
  // A section that has ended and that the trace has not told of.
  const SectionEnd& unconfirmed(int inode) const { return inodes_state_[inode].unconfirmed; }
  void Confirm(int inode) { inodes_state_[inode].unconfirmed = {}; }
  IoMode mode(int file) const { return files_[file].iomode; }

  // Which of the kernel's fuse_backings a backing of the model is; true if they can be the same.
  // The first that is asked for is noted.
  bool IsBacking(int backing, uint64_t kernel);

  // "iocachectr=-2 CACHE_IO_MODE=1 fb=0xffff888003a5e180".
  std::string DescribeInode(int inode) const;
  // "asleep in fuse_file_cached_io_open".
  std::string DescribeTask(int slot) const;

  // WorldListener: what the model has against what happens is not the trace's business.
  void Warn(const char*) override {}
  void FalseBusy(const char*) override {}
  void BadRefcount(const void*, const char*, bool) override {}
  void Leak(const void*, const char*) override {}
  void BadLock(const void*, const char*) override {}
  void Trace(const char* verb, const void* object, int64_t value) override;

 private:
  struct CallState {
    TraceCall call;
    int32_t result;
    bool returned;
  };
  struct InodeState {
    SectionEnd unconfirmed;
  };

  static void TaskMain(void* context, uint32_t slot);
  int Run(const TraceCall& call);
  int BackingIndex(const FuseBacking<W>* fb) const;

  TraceSizes sizes_;
  Scheduler scheduler_;
  int locked_ = -1;  // during Step
  // In the arena:
  FuseConn<W>* fc_;
  FuseInode<W>* inodes_;
  FuseFile<W>* files_;
  File<W>* open_files_;
  BackingInode* backing_file_;
  uint64_t* kernel_backings_;  // by index; 0: not seen yet
  CallState* calls_;           // by slot
  InodeState* inodes_state_;
};

}  // namespace iomode::conform

#endif  // CONFORMANCE_TRACE_TRACE_MACHINE_H_
