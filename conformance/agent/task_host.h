// SPDX-License-Identifier: GPL-2.0-only
//
// The agent's end of the processes that it starts: hosts of a script's tasks, processes that keep a
// CPU busy, and one that looks up the inodes. They share no descriptor of the server with the
// agent, die with it (PR_SET_PDEATHSIG), and are killed and waited for by their owner.
// Single-threaded.

#ifndef CONFORMANCE_AGENT_TASK_HOST_H_
#define CONFORMANCE_AGENT_TASK_HOST_H_

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "conformance/agent/descriptor.h"
#include "conformance/agent/task_protocol.h"

namespace iomode::agent {

// A child process.
class Child {
 public:
  // Forks and runs `body` in the child, which ends when it returns. There, all descriptors are
  // closed but standard error and those in `keep`, which become 0 and 1 in this order.
  static absl::StatusOr<Child> Start(const std::vector<int>& keep,
                                     const std::function<void()>& body);

  Child(Child&& other) noexcept : pid_(other.pid_) { other.pid_ = 0; }
  Child(const Child&) = delete;
  ~Child();  // kills, and waits for the end
  // Leaves the process to itself; the end of the agent will kill it.
  void Abandon() { pid_ = 0; }

  pid_t pid() const { return pid_; }
  void Kill();
  // True once the process has ended and is gone.
  bool Reap();

 private:
  explicit Child(pid_t pid) : pid_(pid) {}

  pid_t pid_ = 0;  // 0: gone
};

// A process that carries out steps.
class TaskHost {
 public:
  // `mount`: the FUSE mount. `with_aio`: some step will need aio. `cpu`: where its tasks run by
  // default; -1: anywhere.
  static absl::StatusOr<std::unique_ptr<TaskHost>> Start(int mount, bool with_aio, int cpu);

  pid_t pid() const { return pid_; }
  int control() const { return control_.get(); }
  int cpu() const { return cpu_; }
  bool killed() const { return killed_; }
  bool gone() const { return gone_; }
  // The process has closed its end, as it only does by ending.
  bool hung_up() const { return hung_up_; }

  // False when the process no longer listens.
  bool Send(const Command& command);
  // The next report, if there is one by now.
  std::optional<Report> Receive();
  // SIGKILL: 0 or -errno.
  int64_t Kill();
  // Notices the end of the process; true if it ended since the last call.
  bool Reap();
  // Gives up on a process that cannot be killed.
  void Abandon() { child_.Abandon(); }

 private:
  TaskHost(Child child, Descriptor control, int cpu)
      : child_(std::move(child)), pid_(child_.pid()), control_(std::move(control)), cpu_(cpu) {}

  Child child_;
  pid_t pid_;
  Descriptor control_;
  int cpu_;
  bool killed_ = false;
  bool hung_up_ = false;
  bool gone_ = false;
};

// Opens the first `count` inodes of the mount without touching them further (O_PATH), in a process
// of its own, so that the kernel has looked them up. `serve` must answer the requests that wait.
absl::StatusOr<std::vector<Descriptor>> OpenPaths(int mount, int count,
                                                  const std::function<void()>& serve);

// A process that does nothing but use `cpu`.
absl::StatusOr<Child> StartHog(int cpu);

}  // namespace iomode::agent

#endif  // CONFORMANCE_AGENT_TASK_HOST_H_
