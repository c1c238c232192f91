// SPDX-License-Identifier: GPL-2.0-only
//
// Biases the scheduler so that tasks that are woken together run in the order in which they were
// woken. Without the privilege it changes nothing. Only for tasks that a script has bound to a CPU:
// it asks for one outcome of a race there.

#ifndef CONFORMANCE_AGENT_SCHEDULING_H_
#define CONFORMANCE_AGENT_SCHEDULING_H_

#include <sched.h>
#include <sys/types.h>

#include <vector>

namespace iomode::agent {

// While it lives the caller has CPU `cpu` to itself, so that tasks bound to it do not run yet when
// they are woken; then they run in the order of `tasks`, before any other task there.
class RunInOrder {
 public:
  RunInOrder(int cpu, const std::vector<pid_t>& tasks);
  ~RunInOrder();
  RunInOrder(const RunInOrder&) = delete;
  RunInOrder& operator=(const RunInOrder&) = delete;

 private:
  bool changed_ = false;
  cpu_set_t before_;
};

// Gives the caller and the processes that it will start precedence over the rest of the machine, so
// that steps do not wait for others' work; among themselves nothing changes. Without the privilege
// it does nothing.
void TakePrecedence();

// Makes a task that RunInOrder has favoured an ordinary one again; `idle`: SCHED_IDLE.
void MakeOrdinary(pid_t task, bool idle);

}  // namespace iomode::agent

#endif  // CONFORMANCE_AGENT_SCHEDULING_H_
