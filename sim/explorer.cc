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
  if (frame.slot >= 0) {
    const Task& task = machine_.scheduler().task(frame.slot);
    if (task.pending == Pending::kChoose) {
      if (frame.choice + 1 < task.choices) {
        frame.choice++;
        return true;
      }
    } else {
      sleep_sets_.Add(frame.slot, frame.noted.accesses);
    }
  }
  if (frame.todo == 0) return false;
  frame.choice = 0;
  frame.slot = static_cast<int16_t>(std::countr_zero(frame.todo));
  frame.todo &= frame.todo - 1;
  return true;
}

uint64_t Explorer::Enabled() const {
  const Scheduler& s = machine_.scheduler();
  uint64_t enabled = 0;
  for (int slot = 0; slot < s.task_count(); slot++) enabled |= uint64_t{s.Enabled(slot)} << slot;
  return enabled;
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

// std::minstd_rand, whose header takes long to compile.
uint32_t Explorer::Random() {
  random_ = static_cast<uint32_t>(uint64_t{random_} * 48271 % 2147483647);
  return random_;
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
    const int slot = slots[Random() % enabled];
    const int choices = s.task(slot).pending == Pending::kChoose ? s.task(slot).choices : 1;
    Step(slot, static_cast<int>(Random() % choices));
  }
  log_.Undo(start);
  reduction_.Enter();
}

// Resumes a task and takes note of what that changed.
Reduction::Noted Explorer::Step(int slot, int choice) {
  Scheduler& s = machine_.scheduler();
  s.footprint().Clear();
  s.Resume(slot, choice);
  machine_.Finish(slot);
  log_.Note(slot);
  return reduces_ ? reduction_.Note(slot) : Reduction::Noted();
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

// Makes a frame for the state that a transition with these accesses led to, unless it was entered
// before or there is nothing to do in it.
void Explorer::Enter(Visited& visited, int32_t accesses, const std::function<void()>& at_state) {
  if (!visited.Insert(log_.key())) return;
  stats_.states++;
  if (at_state) {
    at_state();
    log_.Note(-1);
  }
  const uint64_t enabled = Enabled();
  const uint64_t to_try = reduces_ ? reduction_.Choose(enabled) : enabled;
  sleep_sets_.Push(accesses);
  const uint64_t todo = to_try & ~sleep_sets_.tasks();
  if (enabled != 0 && todo == 0) {
    sleep_sets_.Pop();
  } else {
    frames_.push_back({log_.mark(), -1, 0, {}, todo});
  }
}

void Explorer::Run(Visited& visited, uint64_t max_states, const std::function<void()>& at_rest,
                   const std::function<void()>& at_state) {
  ScheduledWorld::listener = &machine_;
  NoteRacyAccesses(reduces_);
  frames_.clear();
  sleep_sets_.Clear();
  log_.Begin();
  Snapshot root;
  if (watch_ != nullptr) root.Save(machine_.scheduler());
  if (reduces_) reduction_.Enter();
  for (int i = 0; i < walks_; i++) Walk();
  Enter(visited, -1, at_state);
  while (!frames_.empty()) {
    Frame& frame = frames_.back();
    const bool first = frame.slot < 0;
    if (!first) {
      log_.Undo(frame.mark);
      reduction_.Undo(frame.slot, frame.noted.place_before);
    }
    if (!Advance(frame)) {
      if (first) {
        stats_.rests++;
        at_rest();
        log_.Note(-1);
      }
      frames_.pop_back();
      sleep_sets_.Pop();
      continue;
    }
    if (reduction_.stale() || HasToStop(visited, root, max_states)) {
      log_.Undo(frames_.front().mark);
      frames_.clear();
      return;
    }
    const int slot = frame.slot;
    frame.noted = Step(slot, frame.choice);
    stats_.transitions++;
    Enter(visited, frame.noted.accesses, at_state);
  }
}

}  // namespace iomode
