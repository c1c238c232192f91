// SPDX-License-Identifier: GPL-2.0-only

#include "sim/explorer.h"

#include <bit>

#include "absl/strings/str_cat.h"
#include "sim/estimate.h"

namespace iomode {

std::string PrintStats(const ExploreStats& stats) {
  return absl::StrCat(
      stats.complete ? "" : absl::StrCat("incomplete: ", stats.stopped, "; "),
      stats.shard.IsWhole() ? "" : absl::StrCat("part ", PrintShard(stats.shard), ": "),
      stats.complete ? "all " : "", stats.states, " states, ", stats.transitions,
      " transitions explored");
}

// Moves the frame to its next transition; false when there is none left.
bool Explorer::Advance(Frame& frame) {
  Scheduler& s = machine_.scheduler();
  if (frame.slot >= 0 && s.task(frame.slot).pending == Pending::kChoose &&
      frame.choice + 1 < s.task(frame.slot).choices) {
    frame.choice++;
    return true;
  }
  if (frame.todo == 0) return false;
  frame.choice = 0;
  frame.slot = static_cast<int16_t>(std::countr_zero(frame.todo));
  frame.todo &= frame.todo - 1;
  return true;
}

uint64_t Explorer::ToTry() {
  Scheduler& s = machine_.scheduler();
  uint64_t enabled = 0;
  for (int slot = 0; slot < s.task_count(); slot++) enabled |= uint64_t{s.Enabled(slot)} << slot;
  return reduces_ ? reduction_.Choose(enabled) : enabled;
}

void Explorer::Search(Visited& visited, const std::function<void()>& search) {
  const ExploreStats before = stats_;
  do {
    stats_ = before;
    visited = Visited();
    reduction_.Begin();
    search();
    walks_ = kWalks;
  } while (reduction_.stale() && stats_.complete);
  walks_ = 0;
}

// Lets tasks run at random until none can, so that the reduction learns what they access.
void Explorer::Walk() {
  Scheduler& s = machine_.scheduler();
  const ChangeLog::Mark start = log_.mark();
  while (true) {
    int slots[64];
    int enabled = 0;
    for (int slot = 0; slot < s.task_count(); slot++) {
      if (s.Enabled(slot)) slots[enabled++] = slot;
    }
    if (enabled == 0) break;
    const int slot = slots[random_() % enabled];
    const int choices = s.task(slot).pending == Pending::kChoose ? s.task(slot).choices : 1;
    Step(slot, static_cast<int>(random_() % choices));
  }
  log_.Undo(start);
  reduction_.Enter();
}

// Resumes a task and takes note of what that changed. Returns where the task stood before, for the
// reduction.
int Explorer::Step(int slot, int choice) {
  Scheduler& s = machine_.scheduler();
  s.footprint().Clear();
  s.Resume(slot, choice);
  machine_.Finish(slot);
  log_.Note(slot);
  return reduces_ ? reduction_.Note(slot) : -1;
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
  ScheduledWorld::listener = &machine_;
  NoteRacyAccesses(reduces_);
  frames_.clear();
  log_.Begin();
  Snapshot root;
  if (watch_ != nullptr) root.Save(machine_.scheduler());
  if (reduces_) reduction_.Enter();
  for (int i = 0; i < walks_; i++) Walk();
  const auto enter = [&]() {
    if (!visited.Insert(log_.key())) return;
    stats_.states++;
    if (at_state) {
      at_state();
      log_.Note(-1);
    }
    frames_.push_back({log_.mark(), -1, 0, -1, ToTry()});
  };
  enter();
  while (!frames_.empty()) {
    Frame& frame = frames_.back();
    const bool first = frame.slot < 0;
    if (!first) {
      log_.Undo(frame.mark);
      reduction_.Undo(frame.slot, frame.place);
    }
    if (!Advance(frame)) {
      if (first) {
        stats_.rests++;
        at_rest();
        log_.Note(-1);
      }
      frames_.pop_back();
      continue;
    }
    if (reduction_.stale() || HasToStop(visited, root, max_states)) {
      log_.Undo(frames_.front().mark);
      frames_.clear();
      return;
    }
    const int slot = frame.slot;
    frame.place = static_cast<int16_t>(Step(slot, frame.choice));
    stats_.transitions++;
    enter();
  }
}

}  // namespace iomode
