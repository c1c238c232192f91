// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/agent/recorder.h"

#include <unistd.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "conformance/agent/detached_mount.h"
#include "conformance/agent/hurried_run.h"
#include "conformance/agent/scheduling.h"
#include "conformance/agent/script_run.h"
#include "conformance/agent/state_lines.h"

namespace iomode::agent {
namespace {

bool cancelled = false;

using Comments = std::map<int, std::vector<std::string>>;  // by step

// A copy of `script` without results and state lines.
Script Stripped(const Script& script) {
  Script stripped = script;
  for (Step& step : stripped.steps) {
    step.has_result = false;
    step.result.clear();
    step.completions.clear();
  }
  std::erase_if(stripped.lines, [](const Line& line) {
    return line.kind == Line::Kind::kBlank && IsStateLine(line.comment);
  });
  return stripped;
}

void AddComments(Script& script, const Comments& comments) {
  std::vector<Line> lines;
  for (const Line& line : script.lines) {
    lines.push_back(line);
    if (line.kind != Line::Kind::kStep) continue;
    auto found = comments.find(script.steps[line.index].number);
    if (found == comments.end()) continue;
    for (const std::string& comment : found->second) {
      Line added;
      added.comment = comment;
      lines.push_back(added);
    }
  }
  script.lines = std::move(lines);
}

// Writes down how `step` and the earlier ones that completed during it ended.
void NoteResults(Step& step, const std::vector<int>& completed, const StepBook& book) {
  const StepRun& own = book.at(step.number);
  Result blocked;
  blocked.kind = Result::Kind::kBlocked;
  step.has_result = true;
  step.result = {own.done ? own.result : blocked};
  for (int number : completed) {
    if (number == step.number) continue;
    Completion completion;
    completion.step = number;
    completion.results = {book.at(number).result};
    step.completions.push_back(completion);
  }
}

absl::StatusOr<std::vector<std::string>> StateLines(const Script& script, ScriptRun& run,
                                                    const std::vector<int>& completed,
                                                    KernelState& kernel) {
  std::vector<std::string> lines;
  for (const RequestRecord& request : run.server().TakeLog()) {
    lines.push_back(RequestLine(script, request));
  }
  for (int number : completed) {
    std::string line = DataLine(script, run.book().at(number));
    if (!line.empty()) lines.push_back(std::move(line));
  }
  for (std::string& line : BlockedLines(run.book(), run.server())) lines.push_back(std::move(line));
  std::vector<int> paths;
  for (const Descriptor& path : run.paths()) paths.push_back(path.get());
  const auto states = kernel.Read(paths);
  if (!states.ok()) return states.status();
  for (size_t i = 0; i < states->size(); ++i) {
    lines.push_back(InodeLine(script, static_cast<int>(i), (*states)[i], run.backings()));
  }
  return lines;
}

absl::Status AtStep(const absl::Status& status, const Step& step) {
  return absl::Status(status.code(), absl::StrCat("step ", step.number, ": ", status.message()));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Recorder>> Recorder::Open(const RecorderOptions& options) {
  if (geteuid() != 0) return absl::FailedPreconditionError("running scripts needs root");
  TakePrecedence();
  std::unique_ptr<Recorder> recorder(new Recorder);
  recorder->options_ = options;
  auto control = MountDetached("fusectl", {});
  if (!control.ok()) return control.status();
  recorder->control_ = *std::move(control);
  auto tmpfs = MountDetached("tmpfs", {});
  if (!tmpfs.ok()) return tmpfs.status();
  recorder->tmpfs_ = *std::move(tmpfs);
  if (options.state) {
    auto kernel_state = OpenKernelState();
    if (!kernel_state.ok()) return kernel_state.status();
    recorder->kernel_state_ = *std::move(kernel_state);
  }
  // A run without steps tells whether this kernel has what every script needs.
  const auto probe = recorder->Record(Script());
  if (!probe.ok()) return probe.status();
  return recorder;
}

absl::StatusOr<Script> Recorder::Record(const Script& script) {
  Script recorded = Stripped(script);
  auto run = ScriptRun::Start(recorded, control_.get(), tmpfs_.get(), cancelled);
  if (!run.ok()) return run.status();
  Quiescence quiescence;
  Comments comments;
  for (Step& step : recorded.steps) {
    const Quiescence::Clock::time_point begin = Quiescence::Clock::now();
    absl::Status status = (*run)->Issue(step);
    if (!status.ok()) return AtStep(status, step);
    status = quiescence.Settle(**run, Quiescence::Clock::now() + options_.timeout);
    if (!status.ok()) return AtStep(status, step);
    if (step.op != Op::kWait) {
      step_times_.push_back(
          std::chrono::duration_cast<std::chrono::microseconds>(Quiescence::Clock::now() - begin));
    }
    const std::vector<int> completed = (*run)->TakeCompleted();
    NoteResults(step, completed, (*run)->book());
    if (kernel_state_ == nullptr) continue;
    auto lines = StateLines(recorded, **run, completed, *kernel_state_);
    if (!lines.ok()) return AtStep(lines.status(), step);
    comments[step.number] = *std::move(lines);
  }
  run->reset();
  AddComments(recorded, comments);
  return recorded;
}

absl::Status Recorder::Hurry(const Script& script) {
  auto run = ScriptRun::Start(script, control_.get(), tmpfs_.get(), cancelled);
  if (!run.ok()) return run.status();
  return RunHurriedly(script, options_.timeout, **run);
}

void Recorder::Cancel() { cancelled = true; }

}  // namespace iomode::agent
