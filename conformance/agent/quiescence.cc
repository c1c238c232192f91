// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/agent/quiescence.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace iomode::agent {
namespace {

constexpr int kShortestWaitUs = 20;
constexpr int kLongestWaitUs = 500;

// Kernel functions that a task of a script waits in until another task or the server wakes it.
// wchan leaves out the locking functions themselves, so a lock shows as the function that takes it.
bool WaitsForOthers(absl::string_view function) {
  constexpr absl::string_view kPrefixes[] = {"fuse_", "folio_wait", "rwsem_", "__fuse_"};
  constexpr absl::string_view kNames[] = {"request_wait_answer", "do_truncate", "wait_on_page_bit",
                                          "vfs_fallocate"};
  for (absl::string_view prefix : kPrefixes) {
    if (absl::StartsWith(function, prefix)) return true;
  }
  return std::find(std::begin(kNames), std::end(kNames), function) != std::end(kNames);
}

}  // namespace

TaskReader ReadProcTasks() {
  return {.state = [](const TaskId& id) { return ReadTaskState(id.process, id.task); },
          .channel = [](const TaskId& id) { return WaitChannel(id.process, id.task); },
          .counts_arrivals = RunsCountArrivals()};
}

absl::Status Quiescence::Settle(Scene& scene, Clock::time_point deadline) {
  int wait = kShortestWaitUs;
  Snapshot stable;
  Clock::time_point stable_since;
  while (true) {
    if (scene.Cancelled()) return absl::CancelledError("interrupted");
    if (scene.Pump()) {
      wait = kShortestWaitUs;
      continue;
    }
    const std::optional<Snapshot> before = Look(scene);
    if (before.has_value() && !scene.Pump() && before == Look(scene)) {
      const Clock::time_point now = Clock::now();
      if (*before != stable) {
        stable = *before;
        stable_since = now;
      }
      if (now - stable_since >= RestMustLast(scene, *before)) return absl::OkStatus();
    }
    if (Clock::now() > deadline) {
      return absl::DeadlineExceededError(absl::StrCat("no rest: ", running_));
    }
    scene.Wait(wait);
    wait = std::min(wait * 2, kLongestWaitUs);
  }
}

std::optional<Quiescence::Snapshot> Quiescence::Look(Scene& scene) {
  const std::optional<std::vector<TaskId>> tasks = scene.Tasks();
  if (!tasks.has_value()) {
    running_ = "a task that has not started";
    return std::nullopt;
  }
  Snapshot snapshot;
  for (const TaskId& id : *tasks) {
    const std::optional<TaskState> state = reader_.state(id);
    if (state.has_value() && state->asleep()) {
      snapshot[id] = {*state, PlaceOf(id, *state)};
      continue;
    }
    // A task that is gone is the scene's to notice.
    running_ = absl::StrCat("task ", id.task, state.has_value() ? " runs" : " has ended");
    return std::nullopt;
  }
  return snapshot;
}

Quiescence::Place Quiescence::PlaceOf(const TaskId& id, const TaskState& state) {
  auto found = known_.find(id);
  if (reader_.counts_arrivals && found != known_.end() && found->second.first == state.runs) {
    return found->second.second;
  }
  const std::string function = reader_.channel(id);
  if (function.empty()) return Place::kNone;
  Place place = Place::kOther;
  if (function == "read_events") {
    place = Place::kAioResult;
  } else if (function == "exit_aio") {
    place = Place::kAioTeardown;
  } else if (WaitsForOthers(function)) {
    place = Place::kKnown;
  }
  known_[id] = {state.runs, place};
  return place;
}

std::chrono::milliseconds Quiescence::RestMustLast(Scene& scene, const Snapshot& snapshot) {
  std::chrono::milliseconds longest(0);
  for (const auto& [id, seen] : snapshot) {
    const Place place = seen.second;
    const bool aio = place == Place::kAioResult || place == Place::kAioTeardown;
    if (place == Place::kKnown || (aio && scene.AioIsHeld(id))) continue;
    longest = std::max(
        longest, std::chrono::milliseconds(place == Place::kOther ? kStableMs : kKernelStableMs));
  }
  return longest;
}

}  // namespace iomode::agent
