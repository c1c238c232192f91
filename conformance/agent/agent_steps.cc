// SPDX-License-Identifier: GPL-2.0-only
//
// The steps that the agent carries out itself, in place of a process of the script.

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "conformance/agent/scheduling.h"
#include "conformance/agent/script_run.h"

namespace iomode::agent {

// The result, or nullopt for a step that is a task's.
std::optional<int64_t> ScriptRun::AgentStep(const Step& step) {
  switch (step.op) {
    case Op::kBackingOpen:
      return server_->OpenBacking(step.backing, static_cast<uint32_t>(step.argument));
    case Op::kBackingClose:
      return server_->CloseBacking(step);
    case Op::kReply:
      return Reply(step);
    case Op::kKill:
      return Kill(step);
    case Op::kIntr:
      return Interrupt(step);
    case Op::kAbort:
      return server_->Abort();
    case Op::kWait:
      return PassTime(step.argument);
    case Op::kHog:
      return Hog(step);
    case Op::kUnhog:
      hogs_.clear();
      return 0;
    default:
      return std::nullopt;
  }
}

int64_t ScriptRun::Reply(const Step& step) {
  // Requests that have not been read yet count as having reached the server.
  Pump();
  int cpu = -1;
  for (int target : step.targets) {
    const StepRun& run = book_.at(target);
    if (run.cpu < 0 || run.done) continue;
    cpu = run.cpu;
    favoured_.push_back(target);
  }
  std::optional<RunInOrder> order;
  if (favoured_.size() > 1) order.emplace(cpu, TasksOfSteps(favoured_));
  return server_->Reply(step.targets, step.error) ? 0 : -ENOENT;
}

std::vector<pid_t> ScriptRun::TasksOfSteps(const std::vector<int>& steps) const {
  std::vector<pid_t> tasks;
  for (int number : steps) tasks.push_back(book_.at(number).task);
  return tasks;
}

void ScriptRun::EndFavours() {
  if (favoured_.size() > 1) {
    for (int number : favoured_)
      MakeOrdinary(book_.at(number).task, book_.at(number).step->sched_idle);
  }
  favoured_.clear();
}

int64_t ScriptRun::Kill(const Step& step) {
  TaskHost* host = files_[step.file].host;
  return host == nullptr ? -ESRCH : host->Kill();
}

int64_t ScriptRun::Interrupt(const Step& step) {
  const StepRun& run = book_.at(static_cast<int>(step.argument));
  if (run.task == 0 || run.host->gone()) return -ESRCH;
  return syscall(SYS_tgkill, run.host->pid(), run.task, SIGUSR1) == 0 ? 0 : -errno;
}

int64_t ScriptRun::Hog(const Step& step) {
  absl::StatusOr<Child> hog = StartHog(static_cast<int>(step.argument));
  if (!hog.ok()) return -EAGAIN;
  hogs_.push_back(*std::move(hog));
  return 0;
}

int64_t ScriptRun::PassTime(int64_t milliseconds) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point end = Clock::now() + std::chrono::milliseconds(milliseconds);
  while (!cancelled_) {
    const auto left = std::chrono::duration_cast<std::chrono::microseconds>(end - Clock::now());
    if (left.count() <= 0) break;
    if (!Pump()) Wait(static_cast<int>(std::min<int64_t>(left.count(), 100000)));
  }
  return 0;
}

}  // namespace iomode::agent
