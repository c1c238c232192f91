// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/agent/scheduling.h"

#include <sys/resource.h>

#include <algorithm>

namespace iomode::agent {
namespace {

constexpr int kOwnPriority = 50;
constexpr int kHighestNice = -20;

void SetPolicy(pid_t task, int policy, int priority) {
  const sched_param parameters = {.sched_priority = priority};
  sched_setscheduler(task, policy, &parameters);
}

}  // namespace

RunInOrder::RunInOrder(int cpu, const std::vector<pid_t>& tasks) {
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(cpu, &only);
  changed_ = sched_getaffinity(0, sizeof before_, &before_) == 0 &&
             sched_setaffinity(0, sizeof only, &only) == 0;
  SetPolicy(0, SCHED_FIFO, kOwnPriority);
  int priority = kOwnPriority;
  for (pid_t task : tasks) {
    priority = std::max(priority - 1, 1);
    SetPolicy(task, SCHED_FIFO, priority);
  }
}

RunInOrder::~RunInOrder() {
  SetPolicy(0, SCHED_OTHER, 0);
  if (changed_) sched_setaffinity(0, sizeof before_, &before_);
}

void TakePrecedence() { setpriority(PRIO_PROCESS, 0, kHighestNice); }

void MakeOrdinary(pid_t task, bool idle) { SetPolicy(task, idle ? SCHED_IDLE : SCHED_OTHER, 0); }

}  // namespace iomode::agent
