// SPDX-License-Identifier: GPL-2.0-only

#include "sim/script_check.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "sim/script_words.h"

namespace iomode {
namespace {

enum class State : uint8_t {
  kNever,    // no step has opened it yet
  kUnknown,  // a step opens it; whether that succeeds is the run's business, claimed or not
  kClosed,
  kKilled,  // its process was killed
};

// What one name stands for at one moment.
struct Binding {
  State state = State::kNever;
  int step = 0;     // the step that gave it this state
  int process = 0;  // one for each open; a dup and a map share their file's
};

// Which files or maps the threads open and which they take away, to tell what a thread cannot know.
struct Touched {
  std::vector<int> opened, closed;  // index: name; value: thread + 1, or kMany
};

constexpr int kMany = -1;

bool OpensFile(Op op) { return op == Op::kOpen || op == Op::kDup; }

// Follows one sequence: the steps of a script, or its set-up and then one thread.
class Walk {
 public:
  Walk(const Script& script, Diagnostics& diagnostics)
      : script_(script),
        diagnostics_(diagnostics),
        files_(script.files.size()),
        maps_(script.maps.size()) {}

  bool Follow(const Step& step);

  // Before a thread: what other threads open or close is not known any more.
  void Forget(int thread, const Touched& files, const Touched& maps) {
    Forget(thread, files, files_);
    Forget(thread, maps, maps_);
  }

 private:
  struct Kind {
    absl::string_view noun, open, close, opened, closed;
  };
  static constexpr Kind kFile = {"file", "open", "close", "opened", "closed"};
  static constexpr Kind kMap = {"map", "mmap", "munmap", "mapped", "unmapped"};

  static void Forget(int thread, const Touched& touched, std::vector<Binding>& bindings) {
    for (size_t i = 0; i < bindings.size(); ++i) {
      for (int who : {touched.opened[i], touched.closed[i]}) {
        if (who != 0 && who != thread + 1) bindings[i].state = State::kUnknown;
      }
    }
  }

  bool Use(const Kind& kind, const std::vector<Binding>& bindings,
           const std::vector<std::string>& names, int index, Position pos);
  void Bind(std::vector<Binding>& bindings, int index, const Step& step, int process);
  void Kill(const Step& step);

  const Script& script_;
  Diagnostics& diagnostics_;
  std::vector<Binding> files_, maps_;
  int processes_ = 0;
};

bool Walk::Use(const Kind& kind, const std::vector<Binding>& bindings,
               const std::vector<std::string>& names, int index, Position pos) {
  const Binding& binding = bindings[index];
  const std::string& name = names[index];
  std::string subject = absl::StrCat(kind.noun, " \"", name, "\" ");
  std::string open = absl::StrCat("\"", kind.open, " ", name, "\" before this step");
  std::string at = binding.step > 0 ? absl::StrCat(" in step ", binding.step) : "";
  switch (binding.state) {
    case State::kUnknown:
      return true;
    case State::kNever:
      return diagnostics_.Fail(pos, absl::StrCat(subject, "was never ", kind.opened),
                               absl::StrCat("an ", open));
    case State::kClosed:
      return diagnostics_.Fail(pos, absl::StrCat(subject, "was ", kind.closed, at),
                               absl::StrCat("another ", open));
    case State::kKilled:
      return diagnostics_.Fail(pos, absl::StrCat(subject, "was killed", at),
                               absl::StrCat("another ", open));
  }
  return true;
}

void Walk::Bind(std::vector<Binding>& bindings, int index, const Step& step, int process) {
  const int number = step.thread < 0 ? step.number : 0;
  bindings[index] = {State::kUnknown, number, process};
}

void Walk::Kill(const Step& step) {
  int process = files_[step.file].process;
  int number = step.thread < 0 ? step.number : 0;
  for (std::vector<Binding>* bindings : {&files_, &maps_}) {
    for (Binding& binding : *bindings) {
      if (binding.state == State::kUnknown && binding.process == process) {
        binding = {State::kKilled, number, process};
      }
    }
  }
}

bool Walk::Follow(const Step& step) {
  int process = 0;
  bool is_map_step = step.map >= 0 && step.op != Op::kMmap;
  if (is_map_step && !Use(kMap, maps_, script_.maps, step.map, step.map_pos)) return false;
  int used = step.op == Op::kDup ? step.source : step.op == Op::kOpen ? -1 : step.file;
  Position used_pos = step.op == Op::kDup ? step.source_pos : step.file_pos;
  if (used >= 0) {
    if (!Use(kFile, files_, script_.files, used, used_pos)) return false;
    process = files_[used].process;
  } else if (step.op == Op::kOpen) {
    process = ++processes_;
  }
  if (OpensFile(step.op)) Bind(files_, step.file, step, process);
  if (step.op == Op::kMmap) Bind(maps_, step.map, step, process);
  int number = step.thread < 0 ? step.number : 0;
  if (step.op == Op::kClose) files_[step.file] = {State::kClosed, number, process};
  if (step.op == Op::kMunmap) maps_[step.map] = {State::kClosed, number, maps_[step.map].process};
  if (step.op == Op::kKill) Kill(step);
  return true;
}

void Touch(std::vector<int>& who, int index, int thread) {
  if (index < 0) return;
  who[index] = who[index] == 0 || who[index] == thread + 1 ? thread + 1 : kMany;
}

void TouchAll(const Script& script, Touched& files, Touched& maps) {
  files = {std::vector<int>(script.files.size()), std::vector<int>(script.files.size())};
  maps = {std::vector<int>(script.maps.size()), std::vector<int>(script.maps.size())};
  for (const std::vector<Step>& thread : script.threads) {
    for (const Step& step : thread) {
      if (OpensFile(step.op)) Touch(files.opened, step.file, step.thread);
      if (step.op == Op::kClose || step.op == Op::kKill)
        Touch(files.closed, step.file, step.thread);
      if (step.op == Op::kMmap) Touch(maps.opened, step.map, step.thread);
      if (step.op == Op::kMunmap) Touch(maps.closed, step.map, step.thread);
    }
  }
}

// Two threads that open the same name would leave it to chance which of the two files the name
// means.
bool CheckOpeners(const Script& script, const Touched& files, const Touched& maps,
                  Diagnostics& diagnostics) {
  for (const std::vector<Step>& thread : script.threads) {
    for (const Step& step : thread) {
      bool file = OpensFile(step.op) && files.opened[step.file] == kMany;
      bool map = step.op == Op::kMmap && maps.opened[step.map] == kMany;
      if (!file && !map) continue;
      const std::string& name = file ? script.files[step.file] : script.maps[step.map];
      return diagnostics.Fail(file ? step.file_pos : step.map_pos,
                              absl::StrCat("\"", name, "\" is opened by more than one thread"),
                              "a name of its own for each thread");
    }
  }
  return true;
}

}  // namespace

bool CheckNames(const Script& script, Diagnostics& diagnostics) {
  Walk setup(script, diagnostics);
  for (const Step& step : script.steps) {
    if (!setup.Follow(step)) return false;
  }
  Touched files, maps;
  TouchAll(script, files, maps);
  if (!CheckOpeners(script, files, maps, diagnostics)) return false;
  for (size_t t = 0; t < script.threads.size(); ++t) {
    Walk thread = setup;
    thread.Forget(static_cast<int>(t), files, maps);
    for (const Step& step : script.threads[t]) {
      if (!thread.Follow(step)) return false;
    }
  }
  return true;
}

}  // namespace iomode
