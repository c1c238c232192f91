// SPDX-License-Identifier: GPL-2.0-only
//
// What is known about each step of the script that is being run: which task makes it, what the
// server saw of it, and its result. Written by the recorder and the server, read by whoever
// reports. Single-threaded.

#ifndef CONFORMANCE_AGENT_STEP_BOOK_H_
#define CONFORMANCE_AGENT_STEP_BOOK_H_

#include <sys/types.h>

#include <functional>
#include <unordered_map>
#include <vector>

#include "conformance/agent/payload.h"
#include "sim/script.h"

namespace iomode::agent {

class TaskHost;

inline bool IsAio(Op op) { return op == Op::kAioRead || op == Op::kAioWrite; }

struct StepRun {
  const Step* step = nullptr;
  int inode = -1;            // the script's, or -1
  int opened_by = 0;         // the open step of the file that this step is about
  TaskHost* host = nullptr;  // null: the agent carries out the step itself
  pid_t task = 0;            // thread id; 0 until it has started
  int cpu = -1;              // the only one that the task may use; -1: any
  bool issued = false;
  bool done = false;
  bool holding = false;         // the server holds the request that the step is about
  bool reached_server = false;  // a READ or WRITE of the step's task did
  Result result;                // valid once done
  std::vector<Source> sources;  // whose bytes it met
};

class StepBook {
 public:
  explicit StepBook(const Script& script) : runs_(script.steps.size() + 1) {
    for (const Step& step : script.steps) runs_[step.number].step = &step;
  }

  // Steps count from 1.
  StepRun& at(int number) { return runs_[number]; }
  const StepRun& at(int number) const { return runs_[number]; }
  int size() const { return static_cast<int>(runs_.size()) - 1; }

  // The number of the latest issued step, 0 before the first.
  int current() const { return current_; }
  void set_current(int number) { current_ = number; }

  void NoteTask(int number, pid_t task) {
    runs_[number].task = task;
    tasks_[task] = number;
  }

  // The step whose task this is; 0: none. `refresh` (take in what the processes have said) runs
  // before giving up.
  int StepOfTask(pid_t task) const {
    auto found = tasks_.find(task);
    if (found == tasks_.end() && refresh_) {
      refresh_();
      found = tasks_.find(task);
    }
    return found == tasks_.end() ? 0 : found->second;
  }
  void set_refresh(std::function<void()> refresh) { refresh_ = std::move(refresh); }

  // The close step that wants the RELEASE of the file opened by step `open` held; 0: none.
  int ReleaseHolder(int open) const {
    auto found = release_holders_.find(open);
    return found == release_holders_.end() ? 0 : found->second;
  }
  void HoldRelease(int open, int close) { release_holders_[open] = close; }

 private:
  std::vector<StepRun> runs_;
  int current_ = 0;
  std::unordered_map<pid_t, int> tasks_;
  std::unordered_map<int, int> release_holders_;
  std::function<void()> refresh_;
};

}  // namespace iomode::agent

#endif  // CONFORMANCE_AGENT_STEP_BOOK_H_
