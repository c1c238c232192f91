// SPDX-License-Identifier: GPL-2.0-only
//
// What /proc says about a task: whether it sleeps, where, and whether it ran since one looked last.
// Reading it never waits for the task.

#ifndef CONFORMANCE_AGENT_TASK_STATE_H_
#define CONFORMANCE_AGENT_TASK_STATE_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace iomode::agent {

struct TaskState {
  char state = '?';     // as in /proc/PID/stat: R, S, D, Z ...
  bool ending = false;  // in exit(): its last system call is over
  uint64_t runs = 0;    // how often it was given a CPU, see RunsCountArrivals()
  bool asleep() const { return state == 'S' || state == 'D'; }
  friend bool operator==(const TaskState&, const TaskState&) = default;
};

// Whether this kernel counts how often a task was given a CPU; else `runs` is how often it has left
// one, and a task that sleeps and one that has been woken since may have the same.
bool RunsCountArrivals();

// nullopt: there is no such task any more.
std::optional<TaskState> ReadTaskState(pid_t process, pid_t task);

// The kernel function that a sleeping task waits in; "" if it does not sleep.
std::string WaitChannel(pid_t process, pid_t task);

// The kernel functions of a task's stack, innermost first; needs root.
std::vector<std::string> KernelStack(pid_t process, pid_t task);

// What is in these files of a task's /proc directory. ParseStat reads "PID (NAME) STATE PPID PGRP
// SESSION TTY TPGID FLAGS ..." and leaves `runs` 0; nullopt: the task has ended, or that is no such
// text. How often the task was given a CPU is the third word of `schedstat`, if the kernel counts
// it; else the context switches in `status` tell as much. An unreadable text counts 0.
std::optional<TaskState> ParseStat(absl::string_view text);
uint64_t RunsOfSchedstat(absl::string_view text);
uint64_t RunsOfStatus(absl::string_view text);
std::vector<std::string> ParseStack(absl::string_view text);

// The threads of a process.
std::vector<pid_t> TasksOf(pid_t process);

}  // namespace iomode::agent

#endif  // CONFORMANCE_AGENT_TASK_STATE_H_
