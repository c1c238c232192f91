// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/agent/script_run.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <thread>

#include "conformance/agent/provenance.h"
#include "conformance/agent/scheduling.h"

namespace iomode::agent {
namespace {

constexpr std::chrono::seconds kTeardownLimit(10);

Result ResultOf(int64_t value) {
  if (value < 0) return {Result::Kind::kErrno, -value, Via::kNone};
  return {Result::Kind::kValue, value, Via::kNone};
}

int OpenFlags(uint32_t flags) {
  const uint32_t access = flags & (OPEN_READ | OPEN_WRITE);
  int native = access == OPEN_READ ? O_RDONLY : access == OPEN_WRITE ? O_WRONLY : O_RDWR;
  if (flags & OPEN_DIRECT) native |= O_DIRECT;
  if (flags & OPEN_APPEND) native |= O_APPEND;
  if (flags & OPEN_TRUNC) native |= O_TRUNC;
  return native;
}

}  // namespace

ScriptRun::ScriptRun(const Script& script, const bool& cancelled)
    : script_(script),
      cancelled_(cancelled),
      book_(script),
      files_(script.files.size()),
      maps_(script.maps.size()) {
  book_.set_refresh([this] { ReceiveReports(); });
  uses_aio_ = std::any_of(script.steps.begin(), script.steps.end(),
                          [](const Step& step) { return IsAio(step.op); });
}

absl::StatusOr<std::unique_ptr<ScriptRun>> ScriptRun::Start(const Script& script, int control,
                                                            int tmpfs, const bool& cancelled) {
  std::unique_ptr<ScriptRun> run(new ScriptRun(script, cancelled));
  auto backings = BackingFiles::Create(tmpfs, static_cast<int>(script.backings.size()));
  if (!backings.ok()) return backings.status();
  run->backings_ = *std::move(backings);
  auto connection = FuseConnection::Open(control);
  if (!connection.ok()) return connection.status();
  run->connection_ = *std::move(connection);
  run->server_ =
      std::make_unique<FuseServer>(script, *run->connection_, *run->backings_, run->book_);
  const absl::Status negotiated = run->server_->Negotiate();
  if (!negotiated.ok()) return negotiated;
  auto paths = OpenPaths(run->connection_->mount(), static_cast<int>(script.inodes.size()),
                         [&run] { run->server_->Serve(); });
  if (!paths.ok()) return paths.status();
  run->paths_ = *std::move(paths);
  return run;
}

ScriptRun::~ScriptRun() {
  // Idle tasks would take long to end on a busy machine.
  for (int number = 1; number <= book_.current(); ++number) {
    const StepRun& run = book_.at(number);
    if (run.task != 0 && run.step->sched_idle && !run.host->killed()) MakeOrdinary(run.task, false);
  }
  // All are killed before the first is waited for: one may be stuck until another has closed its
  // files. Closing the device frees those that wait for the server.
  for (auto& host : hosts_) host->Kill();
  server_.reset();
  connection_.reset();
  const auto limit = std::chrono::steady_clock::now() + kTeardownLimit;
  for (auto& host : hosts_) {
    while (!host->gone() && !host->Reap()) {
      if (std::chrono::steady_clock::now() > limit) {
        fprintf(stderr, "process %d cannot be killed\n", host->pid());
        host->Abandon();
        break;
      }
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
  }
}

absl::Status ScriptRun::Issue(const Step& step) {
  EndFavours();
  StepRun& run = book_.at(step.number);
  book_.set_current(step.number);
  run.issued = true;
  run.holding = step.hold != Hold::kNone;
  if (const std::optional<int64_t> result = AgentStep(step)) {
    Finish(step.number, ResultOf(*result));
  } else if (step.op == Op::kOpen) {
    return Open(step);
  } else if (step.file >= 0) {
    OnFile(step);
  } else {
    OnMap(step);
  }
  return absl::OkStatus();
}

Command ScriptRun::CommandOf(const Step& step, const TaskHost& host) const {
  Command command;
  command.step = step.number;
  command.op = step.op;
  command.append = step.append;
  command.idle = step.sched_idle;
  command.cpu = step.cpu.value_or(host.cpu());
  command.source = SourceOfStep(step.number);
  command.off = step.off.value_or(0);
  command.len = step.op == Op::kTruncate ? step.argument : step.len.value_or(kPageSize);
  return command;
}

void ScriptRun::Send(const Step& step, TaskHost* host, const Command& command) {
  book_.at(step.number).host = host;
  book_.at(step.number).cpu = command.cpu;
  if (!host->Send(command)) Finish(step.number, ResultOf(-EBADF));
}

absl::Status ScriptRun::Open(const Step& step) {
  auto started = TaskHost::Start(connection_->mount(), uses_aio_, step.cpu.value_or(-1));
  if (!started.ok()) return started.status();
  hosts_.push_back(*std::move(started));
  TaskHost* host = hosts_.back().get();
  files_[step.file] = {host, -1, step.number};
  book_.at(step.number).inode = step.inode;
  book_.at(step.number).opened_by = step.number;
  Command command = CommandOf(step, *host);
  command.inode = step.inode;
  command.flags = OpenFlags(step.open_flags) | O_CLOEXEC;
  Send(step, host, command);
  return absl::OkStatus();
}

void ScriptRun::OnFile(const Step& step) {
  FileName& name = files_[step.op == Op::kDup ? step.source : step.file];
  if (name.fd < 0 || name.host->killed()) return Finish(step.number, ResultOf(-EBADF));
  StepRun& run = book_.at(step.number);
  run.opened_by = name.opened_by;
  run.inode = book_.at(name.opened_by).inode;
  Command command = CommandOf(step, *name.host);
  command.fd = name.fd;
  if (step.op == Op::kSetfl)
    command.flags = OpenFlags(step.open_flags & ~(OPEN_READ | OPEN_WRITE)) & ~O_ACCMODE;
  if (step.op == Op::kMmap) {
    const uint32_t access = book_.at(name.opened_by).step->open_flags;
    command.shared = step.shared;
    // A shared mapping is writable as far as its file is. Where the file cannot even be read, any
    // mapping is refused.
    command.writable =
        !step.read_only && (!step.shared || (access & OPEN_WRITE) || !(access & OPEN_READ));
  }
  TaskHost* host = name.host;
  if (step.op == Op::kClose) {
    if (step.hold == Hold::kRelease) book_.HoldRelease(name.opened_by, step.number);
    name.fd = -1;
  }
  Send(step, host, command);
}

void ScriptRun::OnMap(const Step& step) {
  MapName& name = maps_[step.map];
  if (name.address == 0 || name.host->killed()) {
    const int error = step.op == Op::kMunmap ? EINVAL : step.op == Op::kMsync ? ENOMEM : EFAULT;
    return Finish(step.number, ResultOf(-error));
  }
  StepRun& run = book_.at(step.number);
  run.opened_by = name.opened_by;
  run.inode = book_.at(name.opened_by).inode;
  Command command = CommandOf(step, *name.host);
  command.address = name.address;
  TaskHost* host = name.host;
  if (step.op == Op::kMunmap) name = {};
  Send(step, host, command);
}

std::vector<int> ScriptRun::TakeCompleted() {
  std::vector<int> completed = std::exchange(completed_, {});
  std::sort(completed.begin(), completed.end());
  return completed;
}

void ScriptRun::Finish(int number, const Result& result) {
  StepRun& run = book_.at(number);
  if (run.done) return;
  run.done = true;
  run.result = result;
  if (result.kind == Result::Kind::kValue) {
    run.result.via = DecideVia(script_, book_, run, *backings_);
  }
  completed_.push_back(number);
}

void ScriptRun::Finish(const Report& report) {
  StepRun& run = book_.at(report.step);
  const Step& step = *run.step;
  run.sources.assign(report.sources, report.sources + report.source_count);
  int64_t value = report.value;
  if (value >= 0 && (step.op == Op::kOpen || step.op == Op::kDup)) {
    FileName& name = files_[step.file];
    // An open that ends late must not take a name that was opened again meanwhile.
    if (step.op == Op::kDup || name.opened_by == step.number) {
      name = {run.host, static_cast<int>(value), run.opened_by};
    }
    value = 0;
  } else if (value >= 0 && step.op == Op::kMmap) {
    maps_[step.map] = {run.host, report.address, run.opened_by};
  }
  Finish(report.step, ResultOf(value));
}

bool ScriptRun::ReceiveReports() {
  bool any = false;
  for (auto& host : hosts_) {
    while (const std::optional<Report> report = host->Receive()) {
      any = true;
      if (report->kind == Report::Kind::kStarted) {
        book_.NoteTask(report->step, report->task);
      } else {
        Finish(*report);
      }
    }
  }
  return any;
}

// Steps whose process was killed end when their task does.
bool ScriptRun::NoticeEnds() {
  bool any = false;
  for (auto& host : hosts_) {
    if (host->killed() || host->hung_up()) any |= host->Reap();
  }
  for (int number = 1; number <= book_.current(); ++number) {
    const StepRun& run = book_.at(number);
    if (run.done || run.host == nullptr || !run.host->killed()) continue;
    if (!run.host->gone()) {
      if (run.task == 0) continue;
      const std::optional<TaskState> state = ReadTaskState(run.host->pid(), run.task);
      if (state.has_value() && !state->ending) continue;
    }
    // It may have ended by itself just before.
    ReceiveReports();
    if (!run.done) Finish(number, {Result::Kind::kKilled, 0, Via::kNone});
    any = true;
  }
  return any;
}

bool ScriptRun::Pump() {
  bool any = false;
  if (Poll(0)) {
    any |= ReceiveReports();
    any |= server_->Serve();
  }
  return NoticeEnds() || any;
}

bool ScriptRun::Poll(int microseconds) {
  polled_.clear();
  if (connection_->alive()) polled_.push_back({connection_->device(), POLLIN, 0});
  for (const auto& host : hosts_) {
    if (!host->killed()) polled_.push_back({host->control(), POLLIN, 0});
  }
  const timespec limit = {microseconds / 1000000, microseconds % 1000000 * 1000};
  return ppoll(polled_.data(), polled_.size(), &limit, nullptr) > 0;
}

void ScriptRun::Wait(int microseconds) { Poll(microseconds); }

std::optional<std::vector<TaskId>> ScriptRun::Tasks() {
  std::vector<TaskId> tasks;
  for (int number = 1; number <= book_.current(); ++number) {
    const StepRun& run = book_.at(number);
    if (run.done || run.host == nullptr || run.host->killed()) continue;
    if (run.task == 0) return std::nullopt;
    tasks.push_back({run.host->pid(), run.task});
  }
  for (const auto& host : hosts_) {
    if (!host->killed() || host->gone()) continue;
    for (pid_t task : TasksOf(host->pid())) {
      if (ReadTaskState(host->pid(), task).has_value()) tasks.push_back({host->pid(), task});
    }
  }
  return tasks;
}

bool ScriptRun::AioIsHeld(const TaskId& task) {
  for (int number = 1; number <= book_.current(); ++number) {
    const StepRun& run = book_.at(number);
    if (run.host == nullptr || run.host->pid() != task.process || !IsAio(run.step->op)) continue;
    // Any thread of a process that ends may be the one that takes its aio down.
    if (run.task != task.task && !run.host->killed()) continue;
    if (server_->HeldFor(number) != 0) return true;
  }
  return false;
}

}  // namespace iomode::agent
