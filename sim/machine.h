// SPDX-License-Identifier: GPL-2.0-only
//
// One machine: the model's kernel at one revision, a simulated server and the tasks that carry out
// a script's steps, all of it in one Scheduler. The machine does what it is told to, one step's
// task after the other; which task runs next is up to whoever drives it.
//
// The server keeps 65,536 bytes an inode, grown by writes and cut by SETATTR. It answers a request
// that is waited for at once, within the operation that sends it, unless the step says `hold`:
// nobody can tell that from an answer before the sender's next operation. Background requests are
// answered by the server's own task.
//
// Used by one thread. Everything that can change lies in the arena; the Machine object itself is
// constant while it runs, but for findings and traces.

#ifndef SIM_MACHINE_H_
#define SIM_MACHINE_H_

#include <cerrno>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "model/fuse_i.h"
#include "model/revision.h"
#include "model/vfs.h"
#include "sim/findings.h"
#include "sim/scheduled_world.h"
#include "sim/scheduler.h"
#include "sim/script.h"

namespace iomode {

// What goes wrong, once each, for those who ask what happens then. Counted from the machine's start
// along each interleaving; 0: never.
struct Faults {
  int16_t allocation = 0;  // this one of the allocations that may fail does
  int16_t request = 0;     // the server answers this request with `error`; RELEASEs do not count
  int16_t error = EIO;
};

class Machine final : public WorldListener, public FuseServer<ScheduledWorld> {
 public:
  using W = ScheduledWorld;

  // One step of a program, with the number of its task: sequential steps first, then the threads'
  // in order.
  struct Program {
    const Step* step;
    int thread;     // -1: a sequential step
    int open = -1;  // the n-th open or dup: its descriptor
    int map = -1;   // the n-th mmap
  };

  // The outcome of a step, in the arena.
  struct StepState {
    enum Kind : uint8_t { kNotStarted, kRunning, kValue, kErrno, kKilled, kReported };
    int64_t value;
    int64_t aio_result;
    W::Completion aio_done;
    int16_t process;  // whose task carries it out, index + 1; 0: none
    Kind kind;
    Via via;
    bool aio_waiting;
    bool released;        // a reply named it: nothing of it is held any more
    bool reached_server;  // a READ or WRITE of its own did
  };

  // A descriptor that an open or dup step made.
  struct Fd {
    File<W>* file;
    int16_t process;  // index of the process + 1
  };
  struct Process {
    W::RwSem mmap_lock;
    int16_t running;  // its steps under way
    bool killed;
    bool exited;
  };
  struct ServerState {
    FuseReq<W>* queue;  // background requests to answer
    FuseReq<W>* held;
    FuseIoPriv<W>* dio_done;  // for the worker
    uint8_t task;             // slot + 1 of the server's task
    uint8_t worker;           // slot + 1 of the task that ends asynchronous direct writes; 0: none
    bool dead;
  };
  struct ServerInode {
    int64_t size;
    uint16_t* bytes;  // by page: the step that wrote it
  };
  struct BackingName {
    BackingInode inode;
    int32_t id;  // newest id, 0: never registered
  };

  // `script` and `revision` outlive the machine.
  Machine(const Script& script, const Revision& revision);

  // Before the first task is started.
  void Inject(const Faults& faults) { *faults_ = faults; }
  // Whether a fault has not come yet on the way to the present state.
  bool FaultIsPending() const { return faults_->allocation > 0 || faults_->request > 0; }

  // From now on, machines at `revision` run this code in place of the model's; nullptr: the model's
  // again. For set-up, before several threads make machines.
  static void SetOps(const Revision& revision, const IomodeOps<W>* ops);

  const Script& script() const { return script_; }
  const Revision& revision() const { return revision_; }
  Scheduler& scheduler() { return *scheduler_; }
  const Scheduler& scheduler() const { return *scheduler_; }
  // Whether footprints (sim/scheduler.h) tell all that the script's steps access, so that a search
  // may leave interleavings out.
  bool Reducible() const;
  // Whether an AccessRecorder sees all that tasks access: the machine is compiled for it, and runs
  // no other code than the model's.
  bool ReportsAccesses() const;
  const std::vector<Program>& programs() const { return programs_; }

  // Starts the task of program `index`; it stands before its first operation.
  void Start(int index);
  // Starts what ends a script: all held requests are answered, all files closed, all mappings
  // undone.
  void StartTeardown();
  // Reaps finished tasks. To be called after each Resume.
  void Finish(int slot);

  StepState& step_state(int index) { return steps_[index]; }
  const StepState& step_state(int index) const { return steps_[index]; }
  Result ResultOf(int index) const;
  bool blocked(int index) const { return steps_[index].kind == StepState::kRunning; }
  // Whether the step has completed and its result was not taken yet.
  bool completed(int index) const {
    return steps_[index].kind >= StepState::kValue && steps_[index].kind <= StepState::kKilled;
  }
  // Forgets a result, so that states that differ in nothing else are equal.
  void TakeResult(int index);

  // For the op-level graph, in which an operation can be started again:
  // Makes a completed step one that was never started.
  void ForgetStep(int index) { steps_[index] = StepState(); }
  // At rest: puts back what only counts, or belongs to what is closed, and cannot be seen any more;
  // unless `sees_attributes`, which attributes are stale; and who wrote bytes that all agree on.
  void ForgetHistory(bool sees_attributes);
  // Whether a descriptor or a mapping is left.
  bool AnythingOpen() const;
  bool FileIsOpen(int name) const { return names_[name] != 0; }
  // Open, or being opened.
  bool FileInUse(int name) const;
  // The server holds a request of the step.
  bool IsHeld(int index) const;
  // The step is blocked, and no reply has named it.
  bool CanBeReleased(int index) const { return blocked(index) && !steps_[index].released; }
  bool MapIsMade(int name) const { return map_names_[name] != 0; }
  bool BackingWasOpened(int name) const { return backings_[name].id != 0; }
  bool BackingIsOpen(int name) const;

  // The `--state` lines: "A: iocachectr=-2 CACHE_IO_MODE=1 fb=B1(refs=2) waiters=1 i_rwsem=S1".
  std::vector<std::string> StateLines() const;
  std::string InodeState(int inode) const;
  // Task::user in words: "step 4 (open c A KEEP_CACHE)", "P0.1 (write w)", "the server"; and the
  // same without the brackets.
  std::string TaskName(uint32_t user) const;
  std::string TaskLabel(uint32_t user) const;

  // Checks that hold whenever no task can run. Findings go to findings().
  void CheckAtRest();
  // Whether a cached opener sleeps that new parallel writes could keep asleep for ever; holds in
  // every state.
  void CheckStarvation() {
    for (int i = 0; i < inode_count(); i++) {
      if (inodes_[i].direct_io_waitq.sleepers != 0) CheckStarvationOf(i);
    }
  }
  // Checks that hold when everything is closed and no task is left.
  void CheckAllFreed();
  // Everything is closed and answered, and tasks of the script are left all the same: who.
  void CheckNobodyLeft();

  // All findings of all interleavings so far, and, as bits of FindingKind, those on the way to the
  // present state.
  const std::set<Finding>& findings() const { return findings_; }
  uint32_t finding_kinds() const { return *finding_kinds_; }
  // Where they lie; nothing else is in that lane.
  const void* finding_kinds_at() const { return finding_kinds_; }
  // The findings so far, which are forgotten.
  std::set<Finding> TakeFindings() { return std::exchange(findings_, {}); }

  FuseConn<W>& conn() { return *fc_; }
  const FuseConn<W>& conn() const { return *fc_; }
  FuseInode<W>& inode(int i) { return inodes_[i]; }
  const FuseInode<W>& inode(int i) const { return inodes_[i]; }
  int inode_count() const { return static_cast<int>(script_.inodes.size()); }

  // "A.iocachectr" for an address in the arena, for stories.
  std::string DescribeAddress(const void* address) const;
  // The value of a traced operation: "-1", "CACHE_IO_MODE=1", "backing B1", "WRITE".
  std::string DescribeValue(const char* verb, const void* object, int64_t value) const;

  // WorldListener:
  void Warn(const char* what) override;
  void FalseBusy(const char* what) override;
  bool FatalSignalPending() override;
  bool AllocationFails() override;
  void BadRefcount(const void* count, const char* what, bool is_put) override;
  void Leak(const void* object, const char* what) override;
  void BadLock(const void* lock, const char* what) override;
  void Trace(const char* verb, const void* object, int64_t value) override;

  // FuseServer:
  void Receive(FuseConn<W>& fc, FuseReq<W>& req) override;
  void QueueDioDone(FuseConn<W>& fc, FuseIoPriv<W>& io) override;

  // One traced operation, in words: who, in which kernel function, did what to what; `value`: what
  // was read or written, "" where there is none.
  struct TraceEvent {
    int slot;
    uint32_t user;
    std::string function;
    std::string verb;
    std::string object;
    std::string value;
  };
  // Where the operations go that are traced while ScheduledWorld::tracing is set; may be nullptr.
  void set_trace(std::vector<TraceEvent>* trace) { trace_ = trace; }

  static constexpr uint32_t kServerTask = 0xffff;
  static constexpr uint32_t kWorkerTask = 0xfffd;
  static constexpr uint32_t kTeardownTask = 0xfffe;

 private:
  static void TaskMain(void* context, uint32_t user);
  void ServerMain();
  void WorkerMain();
  void TeardownMain();
  void StepMain(int index);

  bool MayBeStored(uint16_t writer) const;
  void ForgetWriters(int inode);

  void BuildPrograms();
  void BuildKernel();

  // Steps, in steps.cc: what a step's task does. Each returns the system call's result and sets
  // *via.
  int64_t DoStep(int index, Via* via);
  int64_t DoBackingOpen(const Step& step);
  int64_t DoBackingClose(const Step& step);
  int64_t DoOpen(int index);
  int64_t DoClose(int index);
  int64_t DoDup(int index);
  int64_t DoReadWrite(int index, Via* via);
  int64_t DoAio(int index, Via* via);
  int64_t DoSpliceRead(int index, Via* via);
  int64_t DoMmap(int index);
  int64_t DoMunmap(const Step& step);
  int64_t DoAccess(int index, Via* via);
  int64_t DoReply(const Step& step);
  int64_t DoKill(const Step& step);
  int64_t DoAbort();
  int64_t DoOther(int index);
  void ExitProcess(int process);

  // The server, in server.cc.
  bool Holds(const FuseReq<W>& req) const;
  void Answer(FuseReq<W>& req, int error);
  void TouchAnswered(const FuseReq<W>& req);
  void AnswerOpen(FuseReq<W>& req);
  void AnswerRead(FuseReq<W>& req);
  void AnswerWrite(FuseReq<W>& req);
  int64_t SizeForServer(int inode);
  BackingInode* BackingOfPassthrough(int inode);
  bool AnswerHeld(int step, int error);
  // Whether a step's hold is about writes of dirty pages, too.
  static bool HoldsWriteback(const Step& step);
  void AddPageFinding(const char* rule, const FuseInode<W>& fi, int64_t page);
  bool KeepsBytes(const FuseReq<W>& req) const;
  void KeepBytes(const FuseReq<W>& req);
  uint16_t* HeldBytes(const FuseReq<W>& req);

  // The process that makes a step's system call, or -1.
  int ProcessOf(const Step& step) const;
  File<W>* FileOf(const Step& step);
  Kiocb<W> MakeKiocb(int index, File<W>* file);
  Via ReadVia(int index, const Kiocb<W>& iocb, bool passthrough, int64_t result);
  std::string DescribeFile(const File<W>& file) const;
  void AddFinding(FindingKind kind, std::string rule, std::string object);
  void AddFindingFor(int slot, FindingKind kind, std::string rule, std::string object);

  // The checks, in checks.cc.
  void CheckStarvationOf(int inode);
  void CheckInode(int inode);
  void CheckBackings();
  void CheckSleepers();
  void CheckPageCount(int inode);
  void CheckStalePages(int inode);

  const Script& script_;
  const Revision& revision_;
  std::vector<Program> programs_;
  int opens_ = 0;
  int maps_ = 0;
  std::unique_ptr<Scheduler> scheduler_;
  std::set<Finding> findings_;
  std::vector<TraceEvent>* trace_ = nullptr;

  // In the arena:
  uint32_t* finding_kinds_ = nullptr;
  Faults* faults_ = nullptr;  // counted down
  FuseConn<W>* fc_ = nullptr;
  FuseInode<W>* inodes_ = nullptr;
  ServerState* server_ = nullptr;
  ServerInode* server_inodes_ = nullptr;
  int16_t* release_holders_ = nullptr;  // by fuse_file: the close that holds its RELEASE, step + 1
  BackingName* backings_ = nullptr;
  uint16_t* held_bytes_ = nullptr;  // by request and page: KeepsBytes()
  StepState* steps_ = nullptr;
  Fd* fds_ = nullptr;             // by open or dup step
  Process* processes_ = nullptr;  // by open step
  int16_t* names_ = nullptr;      // file name -> descriptor + 1
  int16_t* owners_ = nullptr;     // file name -> process + 1, from the start of its open
  Vma<W>* vmas_ = nullptr;        // by mmap step
  uint8_t* cows_ = nullptr;
  int16_t* map_names_ = nullptr;  // map name -> mmap step + 1
  int16_t* map_process_ = nullptr;
};

}  // namespace iomode

#endif  // SIM_MACHINE_H_
