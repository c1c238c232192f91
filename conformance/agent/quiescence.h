// SPDX-License-Identifier: GPL-2.0-only
//
// Tells when nothing more can happen in a run without a new step: every task that is still at work
// sleeps, and the server has nothing to read and nothing to answer but what it holds back.
//
// Rest is established from facts: all tasks are seen asleep, then nothing is found to serve, then
// all tasks are seen asleep again without one of them having run in between. That proves rest as
// long as tasks are woken by each other or by the server only. A task is asleep when /proc says so
// and says where: a task that has been woken and looks at what it waits for has the state of a
// sleeper, too, but sleeps nowhere. Where it sleeps need not be asked again while it has not been
// given a CPU; a kernel that counts only how often it has left one (no /proc/PID/schedstat) does
// not tell that. So where a task sleeps in a place that is not known to be of that kind (it may
// wait for a timer or a kernel thread), rest must last for kStableMs as well. A task that waits for
// its aio, or for that of its process to be taken down, is waiting for the server only if that
// holds a request of the aio; else for kernel threads, and the taking down for an RCU grace period
// too, which may take long. A task that sleeps nowhere is about to sleep, or woken and about to
// run, on a CPU that may stand still under a guest. For both, rest must last for kKernelStableMs;
// seldom is that how it ends.

#ifndef CONFORMANCE_AGENT_QUIESCENCE_H_
#define CONFORMANCE_AGENT_QUIESCENCE_H_

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "conformance/agent/task_state.h"

namespace iomode::agent {

inline constexpr int kStableMs = 20;
inline constexpr int kKernelStableMs = 1000;

struct TaskId {
  pid_t process = 0;
  pid_t task = 0;
  friend auto operator<=>(const TaskId&, const TaskId&) = default;
};

// What a run consists of, as far as rest is concerned.
class Scene {
 public:
  virtual ~Scene() = default;
  // Takes in and answers everything that waits; true if there was anything.
  virtual bool Pump() = 0;
  // Waits until there is something to pump, or for `microseconds`.
  virtual void Wait(int microseconds) = 0;
  // The tasks at work; nullopt while one of them is not known yet.
  virtual std::optional<std::vector<TaskId>> Tasks() = 0;
  // Whether the server holds a request of the aio that this task waits for.
  virtual bool AioIsHeld(const TaskId& task) = 0;
  // Whether the whole run is to end early.
  virtual bool Cancelled() = 0;
};

// What /proc says of tasks.
struct TaskReader {
  std::function<std::optional<TaskState>(const TaskId&)> state;
  std::function<std::string(const TaskId&)> channel;  // WaitChannel
  bool counts_arrivals;  // TaskState::runs changes when a task is given a CPU
};
TaskReader ReadProcTasks();

class Quiescence {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Quiescence(TaskReader reader = ReadProcTasks()) : reader_(std::move(reader)) {}

  // Pumps until rest. DeadlineExceeded, which names a task that still runs, if that takes beyond
  // `deadline`; Cancelled.
  absl::Status Settle(Scene& scene, Clock::time_point deadline);

 private:
  // What a task sleeps in.
  enum class Place : uint8_t { kKnown, kAioResult, kAioTeardown, kNone, kOther };
  using Snapshot = std::map<TaskId, std::pair<TaskState, Place>>;

  // The tasks if all of them sleep.
  std::optional<Snapshot> Look(Scene& scene);
  Place PlaceOf(const TaskId& id, const TaskState& state);
  std::chrono::milliseconds RestMustLast(Scene& scene, const Snapshot& snapshot);

  TaskReader reader_;
  // Where a task slept when it had run so many times.
  std::map<TaskId, std::pair<uint64_t, Place>> known_;
  std::string running_;  // a task that kept the last look from seeing rest
};

}  // namespace iomode::agent

#endif  // CONFORMANCE_AGENT_QUIESCENCE_H_
