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
  constexpr absl::string_view kNames[] = {"request_wait_answer", "do_truncate",   "read_events",
                                          "wait_on_page_bit",    "vfs_fallocate", "exit_aio"};
  for (absl::string_view prefix : kPrefixes) {
    if (absl::StartsWith(function, prefix)) return true;
  }
  return std::find(std::begin(kNames), std::end(kNames), function) != std::end(kNames);
}

}  // namespace

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
      if (AllInKnownPlaces(*before)) return absl::OkStatus();
      const Clock::time_point now = Clock::now();
      if (*before != stable) {
        stable = *before;
        stable_since = now;
      } else if (now - stable_since >= std::chrono::milliseconds(kStableMs)) {
        return absl::OkStatus();
      }
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
    const std::optional<TaskState> state = ReadTaskState(id.process, id.task);
    if (state.has_value() && state->asleep()) {
      snapshot[id] = *state;
      continue;
    }
    // A task that is gone is the scene's to notice.
    running_ = absl::StrCat("task ", id.task, state.has_value() ? " runs" : " has ended");
    return std::nullopt;
  }
  return snapshot;
}

bool Quiescence::SleepsInKnownPlace(const TaskId& id, const TaskState& state) {
  auto found = known_.find(id);
  if (found == known_.end() || found->second.first != state.runs) {
    const bool known = WaitsForOthers(WaitChannel(id.process, id.task));
    found = known_.insert_or_assign(id, std::make_pair(state.runs, known)).first;
  }
  return found->second.second;
}

bool Quiescence::AllInKnownPlaces(const Snapshot& snapshot) {
  return std::all_of(snapshot.begin(), snapshot.end(), [this](const auto& entry) {
    return SleepsInKnownPlace(entry.first, entry.second);
  });
}

}  // namespace iomode::agent
