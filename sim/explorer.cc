// SPDX-License-Identifier: GPL-2.0-only

#include "sim/explorer.h"

#include "absl/strings/str_cat.h"
#include "sim/estimate.h"

namespace iomode {

std::string PrintStats(const ExploreStats& stats) {
  return absl::StrCat(stats.complete ? "all " : absl::StrCat("incomplete: ", stats.stopped, "; "),
                      stats.states, " states, ", stats.transitions, " transitions explored");
}

// Moves the frame to its next enabled transition; false when there is none left.
bool Explorer::Advance(Frame& frame) {
  Scheduler& s = machine_.scheduler();
  if (frame.slot >= 0 && s.task(frame.slot).pending == Pending::kChoose &&
      frame.choice + 1 < s.task(frame.slot).choices) {
    frame.choice++;
    return true;
  }
  frame.choice = 0;
  while (++frame.slot < s.task_count()) {
    if (s.Enabled(frame.slot)) return true;
  }
  return false;
}

bool Explorer::HasToStop(const Visited& visited, const Snapshot& root, uint64_t max_states) {
  if (stats_.states >= max_states) {
    stats_.stopped = absl::StrCat("bound of ", max_states, " states");
  } else if (watch_ != nullptr && stats_.transitions % kWatchEvery == 0) {
    Progress progress = {stats_.states, frames_.size(), 0};
    if (watch_->Due()) progress.known = EstimateKnown(machine_, root, visited);
    if (!watch_->Stop(progress)) return false;
    stats_.stopped = watch_->reason();
  } else {
    return false;
  }
  stats_.complete = false;
  return true;
}

std::vector<Move> Explorer::Path() const {
  std::vector<Move> path;
  // A state that has just been entered has no frame of its own yet, or one without a transition.
  for (const Frame& frame : frames_) {
    if (frame.slot >= 0 && frame.slot < machine_.scheduler().task_count())
      path.push_back({frame.slot, frame.choice});
  }
  return path;
}

void Explorer::Run(Visited& visited, uint64_t max_states, const std::function<void()>& at_rest,
                   const std::function<void()>& at_state) {
  Scheduler& s = machine_.scheduler();
  ScheduledWorld::listener = &machine_;
  frames_.clear();
  log_.Begin();
  Snapshot root;
  if (watch_ != nullptr) root.Save(s);
  const auto enter = [&]() {
    if (!visited.Insert(log_.key())) return;
    stats_.states++;
    if (at_state) {
      at_state();
      log_.Note(-1);
    }
    frames_.push_back({log_.mark(), -1, 0});
  };
  enter();
  while (!frames_.empty()) {
    Frame& frame = frames_.back();
    const bool first = frame.slot < 0;
    if (!first) log_.Undo(frame.mark);
    if (!Advance(frame)) {
      if (first) {
        stats_.rests++;
        at_rest();
        log_.Note(-1);
      }
      frames_.pop_back();
      continue;
    }
    if (HasToStop(visited, root, max_states)) {
      log_.Undo(frames_.front().mark);
      frames_.clear();
      return;
    }
    const int slot = frame.slot;
    s.Resume(slot, frame.choice);
    machine_.Finish(slot);
    log_.Note(slot);
    stats_.transitions++;
    enter();
  }
}

}  // namespace iomode
