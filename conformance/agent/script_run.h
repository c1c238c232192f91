// SPDX-License-Identifier: GPL-2.0-only
//
// One run of one script: its mount, server, backing files and processes, and what its names stand
// for. Whatever it started is gone when it is destroyed. Single-threaded.

#ifndef CONFORMANCE_AGENT_SCRIPT_RUN_H_
#define CONFORMANCE_AGENT_SCRIPT_RUN_H_

#include <poll.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "conformance/agent/backing_files.h"
#include "conformance/agent/fuse_connection.h"
#include "conformance/agent/fuse_server.h"
#include "conformance/agent/quiescence.h"
#include "conformance/agent/step_book.h"
#include "conformance/agent/task_host.h"
#include "sim/script.h"

namespace iomode::agent {

class ScriptRun : public Scene {
 public:
  // `script` outlives the run. `control`, `tmpfs`: roots of a fusectl and a tmpfs mount.
  static absl::StatusOr<std::unique_ptr<ScriptRun>> Start(const Script& script, int control,
                                                          int tmpfs, const bool& cancelled);
  ~ScriptRun() override;

  // Issues a step; what becomes of it shows in the book, after rest.
  absl::Status Issue(const Step& step);
  // The steps that have completed since the last call, ascending.
  std::vector<int> TakeCompleted();

  StepBook& book() { return book_; }
  FuseServer& server() { return *server_; }
  BackingFiles& backings() { return *backings_; }
  // O_PATH descriptors of the inodes.
  const std::vector<Descriptor>& paths() const { return paths_; }

  // Scene.
  bool Pump() override;
  void Wait(int microseconds) override;
  std::optional<std::vector<TaskId>> Tasks() override;
  bool AioIsHeld(const TaskId& task) override;
  bool Cancelled() override { return cancelled_; }

 private:
  // What a file's name stands for.
  struct FileName {
    TaskHost* host = nullptr;  // of the latest open, even if that has not ended
    int fd = -1;               // -1: not open
    int opened_by = 0;         // step
  };
  struct MapName {
    TaskHost* host = nullptr;
    uint64_t address = 0;  // 0: not mapped
    int opened_by = 0;     // the open step of its file
  };

  ScriptRun(const Script& script, const bool& cancelled);

  // agent_steps.cc: what the agent does itself.
  std::optional<int64_t> AgentStep(const Step& step);
  int64_t Reply(const Step& step);
  std::vector<pid_t> TasksOfSteps(const std::vector<int>& steps) const;
  void EndFavours();
  int64_t Kill(const Step& step);
  int64_t Interrupt(const Step& step);
  int64_t Hog(const Step& step);
  int64_t PassTime(int64_t milliseconds);

  // Hands a step to the process of its file or mapping.
  absl::Status Open(const Step& step);
  void OnFile(const Step& step);
  void OnMap(const Step& step);
  Command CommandOf(const Step& step, const TaskHost& host) const;
  void Send(const Step& step, TaskHost* host, const Command& command);

  // Whether the device or a process that was not killed has anything to say, by now or within
  // `microseconds`.
  bool Poll(int microseconds);
  bool ReceiveReports();
  bool NoticeEnds();
  void Finish(const Report& report);
  void Finish(int number, const Result& result);

  const Script& script_;
  const bool& cancelled_;
  StepBook book_;
  std::unique_ptr<BackingFiles> backings_;
  std::vector<std::unique_ptr<TaskHost>> hosts_;
  std::vector<Child> hogs_;
  std::vector<Descriptor> paths_;
  std::unique_ptr<FuseConnection> connection_;
  std::unique_ptr<FuseServer> server_;
  std::vector<FileName> files_;
  std::vector<MapName> maps_;
  std::vector<int> completed_;
  std::vector<pollfd> polled_;  // the device, then the processes that were not killed
  std::vector<int> favoured_;   // steps that the current reply lets run in its order
  bool uses_aio_ = false;
};

}  // namespace iomode::agent

#endif  // CONFORMANCE_AGENT_SCRIPT_RUN_H_
