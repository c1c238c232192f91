// SPDX-License-Identifier: GPL-2.0-only

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sim/story_formats.h"

namespace iomode {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kStepMicroseconds = 1000;

class ChromeTrace {
 public:
  explicit ChromeTrace(const Story& story) : story_(story) {}

  Json Make() {
    Metadata("process_name", 0, absl::StrCat(story_.script, " at ", story_.revision));
    for (const StoryStep& step : story_.steps) Thread(LaneOf(step.task));
    for (size_t thread = 0; thread < threads_.size(); thread++) Slices(threads_[thread]);
    for (size_t i = 0; i < story_.steps.size(); i++) {
      Wakeups(i);
      Counters(i);
      Findings(i);
    }
    return {{"traceEvents", std::move(events_)},
            {"displayTimeUnit", "ms"},
            {"otherData", {{"replay", story_.token}}}};
  }

 private:
  // The number of a thread's track.
  int Thread(const std::string& name) {
    const auto at = std::find(threads_.begin(), threads_.end(), name);
    if (at != threads_.end()) return static_cast<int>(at - threads_.begin()) + 1;
    threads_.push_back(name);
    const int tid = static_cast<int>(threads_.size());
    Metadata("thread_name", tid, name);
    return tid;
  }

  void Metadata(const char* what, int tid, const std::string& name) {
    events_.push_back(
        {{"ph", "M"}, {"pid", 1}, {"tid", tid}, {"name", what}, {"args", {{"name", name}}}});
  }

  static int64_t Time(size_t step) { return static_cast<int64_t>(step) * kStepMicroseconds; }

  void Slice(int tid, int64_t begin, int64_t end, const std::string& name, Json args) {
    events_.push_back({{"ph", "X"},
                       {"pid", 1},
                       {"tid", tid},
                       {"ts", begin},
                       {"dur", end - begin},
                       {"name", name},
                       {"args", std::move(args)}});
  }

  static std::string Function(const StoryStep& step) {
    return step.events.empty() ? "" : step.events.front().function;
  }

  static const StoryEvent* SleepOf(const StoryStep& step) {
    const bool sleeps = !step.events.empty() && step.events.back().verb == "sleeps on";
    return sleeps ? &step.events.back() : nullptr;
  }

  // Of one thread: a slice for neighbouring steps in one kernel function, in it one for each step
  // and each sleep. Slices of a track are nested or apart.
  void Slices(const std::string& thread) {
    const int tid = Thread(thread);
    std::vector<size_t> steps;
    for (size_t i = 0; i < story_.steps.size(); i++) {
      if (LaneOf(story_.steps[i].task) == thread) steps.push_back(i);
    }
    // When the step is over, and the sleep that it ends in.
    const auto end_of = [&](size_t at) {
      if (SleepOf(story_.steps[steps[at]]) == nullptr) return Time(steps[at] + 1);
      return Time(at + 1 < steps.size() ? steps[at + 1] : story_.steps.size() + 1);
    };
    for (size_t at = 0; at < steps.size();) {
      const std::string function = Function(story_.steps[steps[at]]);
      size_t end = at + 1;
      while (end < steps.size() && Function(story_.steps[steps[end]]) == function) end++;
      if (!function.empty()) Slice(tid, Time(steps[at]), end_of(end - 1), function, Json::object());
      for (; at < end; at++) StepSlices(tid, steps[at], end_of(at));
    }
  }

  void StepSlices(int tid, size_t index, int64_t end) {
    const StoryStep& step = story_.steps[index];
    std::vector<std::string> words;
    for (const StoryEvent& event : step.events) words.push_back(PrintEvent(event));
    Json changes = Json::array();
    for (const StateChange& change : step.changes) changes.push_back(PrintChange(change));
    Slice(tid, Time(index), Time(index + 1), words.empty() ? "goes on" : absl::StrJoin(words, "; "),
          {{"step", index + 1}, {"task", step.task}, {"changes", std::move(changes)}});
    if (const StoryEvent* sleep = SleepOf(step); sleep != nullptr)
      Slice(tid, Time(index + 1), end, absl::StrCat("sleeps on ", sleep->object), Json::object());
  }

  // An arrow from the step that wakes to the next step of who is woken.
  void Wakeups(size_t index) {
    for (const StoryEvent& event : story_.steps[index].events) {
      if (event.verb != "wakes") continue;
      size_t next = index + 1;
      while (next < story_.steps.size() && story_.steps[next].task != event.object) next++;
      if (next == story_.steps.size()) continue;
      flows_++;
      const auto flow = [this](const char* ph, int tid, int64_t ts) {
        Json json = {{"ph", ph},     {"pid", 1},        {"tid", tid},     {"ts", ts},
                     {"id", flows_}, {"name", "wakes"}, {"cat", "wakeup"}};
        if (ph[0] == 'f') json["bp"] = "e";
        events_.push_back(std::move(json));
      };
      flow("s", Thread(LaneOf(story_.steps[index].task)), Time(index) + kStepMicroseconds / 2);
      flow("f", Thread(LaneOf(event.object)), Time(next) + kStepMicroseconds / 2);
    }
  }

  void Counters(size_t index) {
    for (const StateChange& change : story_.steps[index].changes) {
      int64_t value = 0;
      if (!absl::SimpleAtoi(change.to, &value)) continue;
      events_.push_back({{"ph", "C"},
                         {"pid", 1},
                         {"ts", Time(index + 1)},
                         {"name", absl::StrCat(change.inode, ".", change.field)},
                         {"args", {{"value", value}}}});
    }
  }

  void Findings(size_t index) {
    for (const Finding& finding : story_.steps[index].findings) {
      events_.push_back({{"ph", "i"},
                         {"pid", 1},
                         {"tid", Thread(LaneOf(story_.steps[index].task))},
                         {"ts", Time(index + 1)},
                         {"s", "g"},
                         {"name", PrintFinding(finding)}});
    }
  }

  const Story& story_;
  Json events_ = Json::array();
  std::vector<std::string> threads_;
  int flows_ = 0;
};

}  // namespace

std::string StoryChromeTrace(const Counterexample& example) {
  return ChromeTrace(example.story).Make().dump(1) + "\n";
}

}  // namespace iomode
