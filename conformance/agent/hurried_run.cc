// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/agent/hurried_run.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace iomode::agent {
namespace {

constexpr int kWaitUs = 2000;

// What has been issued and what has returned.
class Progress {
 public:
  explicit Progress(const Script& script)
      : script_(script),
        files_(script.files.size()),
        maps_(script.maps.size()),
        issued_(script.steps.size() + 1),
        replied_to_(script.steps.size() + 1) {}

  // The steps that can be issued now; they count as issued. `idle`: nothing goes on.
  std::vector<const Step*> TakeReady(bool idle) {
    // A step waits for all before it that use the same names, issued or not.
    std::vector<bool> files = files_, maps = maps_;
    std::vector<const Step*> ready;
    bool all_before = true;
    for (const Step& step : script_.steps) {
      if (issued_[step.number]) continue;
      const bool of_nobody = step.file < 0 && step.map < 0;
      const bool free = of_nobody ? all_before || idle : !Any(step, files, maps);
      Mark(step, true, files, maps);
      if (of_nobody) idle = false;
      all_before &= free;
      if (!free) continue;
      issued_[step.number] = true;
      Mark(step, true, files_, maps_);
      for (int target : step.targets) replied_to_[target] = true;
      ready.push_back(&step);
    }
    return ready;
  }
  void Return(int number) {
    Mark(script_.steps[number - 1], false, files_, maps_);
    returned_++;
  }
  // A reply may overtake the step that it is for, whose request is then not held.
  bool WasRepliedTo(int number) const { return replied_to_[number]; }
  bool done() const { return returned_ == script_.steps.size(); }

 private:
  using Names = std::vector<bool>;
  static bool Any(const Step& step, const Names& files, const Names& maps) {
    return (step.file >= 0 && files[step.file]) || (step.map >= 0 && maps[step.map]) ||
           (step.op == Op::kDup && files[step.source]);
  }
  static void Mark(const Step& step, bool busy, Names& files, Names& maps) {
    if (step.file >= 0) files[step.file] = busy;
    if (step.map >= 0) maps[step.map] = busy;
    if (step.op == Op::kDup) files[step.source] = busy;
  }

  const Script& script_;
  Names files_;  // in use by a step under way
  Names maps_;
  std::vector<bool> issued_;  // by step
  std::vector<bool> replied_to_;
  size_t returned_ = 0;
};

std::string Unreturned(const Script& script, const StepBook& book) {
  std::string list;
  for (const Step& step : script.steps) {
    const StepRun& run = book.at(step.number);
    if (!run.issued || run.done) continue;
    absl::StrAppend(&list, list.empty() ? "" : ", ", PrintStep(script, step));
  }
  return list;
}

}  // namespace

absl::Status RunHurriedly(const Script& script, std::chrono::milliseconds timeout, ScriptRun& run) {
  using Clock = std::chrono::steady_clock;
  Progress progress(script);
  Clock::time_point deadline = Clock::now() + timeout;
  bool idle = false;
  while (!progress.done()) {
    if (run.Cancelled()) return absl::CancelledError("interrupted");
    for (const Step* step : progress.TakeReady(idle)) {
      if (absl::Status issued = run.Issue(*step); !issued.ok()) return issued;
      if (progress.WasRepliedTo(step->number)) run.book().at(step->number).holding = false;
    }
    idle = !run.Pump();
    if (idle) {
      run.Wait(kWaitUs);
      idle = !run.Pump();
    }
    const std::vector<int> completed = run.TakeCompleted();
    for (int number : completed) progress.Return(number);
    if (!completed.empty()) deadline = Clock::now() + timeout;
    if (Clock::now() > deadline) {
      return absl::DeadlineExceededError(
          absl::StrCat("these have not returned: ", Unreturned(script, run.book())));
    }
  }
  return absl::OkStatus();
}

}  // namespace iomode::agent
