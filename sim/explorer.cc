// SPDX-License-Identifier: GPL-2.0-only

#include "sim/explorer.h"

#include <algorithm>
#include <bit>
#include <random>

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

// How many walks are worth their time before a search is made again that has seen so many states.
int Explorer::WalksAfter(uint64_t states) const {
  if (!learns_ || CannotGoOn()) return kWalks;
  return static_cast<int>(std::clamp<uint64_t>(states / 32, 4, 4 * kLearnedWalks));
}

void Explorer::Search(Visited& visited, const std::function<void()>& search) {
  const ExploreStats before = stats_;
  bool again = false;
  if (learns_ && reduces_) walks_ = kLearnedWalks;
  do {
    stats_ = before;
    visited = Visited();
    reduction_.Begin();
    search();
    walks_ = WalksAfter(stats_.states - before.states);
    again = reduction_.stale() || CannotGoOn();
    learns_ &= !learned_.failed();
  } while (again && stats_.complete);
  walks_ = 0;
}

uint32_t Explorer::Random() {
  std::minstd_rand random(random_);
  return random_ = static_cast<uint32_t>(random());
}

// Lets tasks run at random until none can, so that the reduction learns what they access.
void Explorer::Walk() {
  Scheduler& s = machine_.scheduler();
  const ChangeLog::Mark start = mark();
  while (!CannotGoOn()) {
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
  GoBack(start);
  reduction_.Enter();
}

// Takes a transition.
Reduction::Noted Explorer::Step(int slot, int choice) {
  if (learns_) {
    const int16_t place = reduction_.place(slot);
    const LearnedTransitions::Transition* known = learned_.Find(slot, choice);
    if (known == nullptr) return {place, learned_.Learn(slot, choice, reduces_).accesses};
    Apply(*known);
    return {place, known->accesses};
  }
  Scheduler& s = machine_.scheduler();
  s.Resume(slot, choice);
  machine_.Finish(slot);
  log_.Note(slot);
  return reduces_ ? reduction_.Note(slot) : Reduction::Noted();
}

// Takes a transition that was learned.
void Explorer::Apply(const LearnedTransitions::Transition& known) {
  learned_.Apply(known);
  if (reduces_) reduction_.set_place(known.slot, known.place_after);
}

// Takes the frame's transition, if that leads to a state that was not entered before: whether it
// does.
bool Explorer::Take(Frame& frame, Visited& visited) {
  if (learns_) {
    const bool inserted = frame.choice == 0 && (frame.inserted >> frame.slot & 1);
    const LearnedTransitions::Transition* const known =
        inserted ? known_[known_.size() - tasks() + frame.slot]
                 : learned_.Find(frame.slot, frame.choice);
    if (known != nullptr) {
      frame.noted = {reduction_.place(frame.slot), known->accesses};
      const Hash128 key = learned_.KeyAfter(*known);
      if (inserted) {
        if (!(frame.fresh >> frame.slot & 1)) return false;
        pending_.Remove(key);
      } else if (!IsNew(key, visited)) {
        return false;
      }
      Apply(*known);
      return true;
    }
  }
  frame.noted = Step(frame.slot, frame.choice);
  return IsNew(key(), visited);
}

// Whether the state with this key was not entered before; it is now.
bool Explorer::IsNew(Hash128 key, Visited& visited) {
  if (visited.Insert(key)) return true;
  if (!pending_.MayHave(key) || !TakeOver(key, frames_.size())) return false;
  pending_.Remove(key);
  return true;
}

void Explorer::GoBack(const ChangeLog::Mark& mark) {
  if (learns_) {
    learned_.Undo(mark);
  } else {
    log_.Undo(mark);
  }
}

// Calls a check of the present state.
void Explorer::CallBack(const std::function<void()>& check) {
  const uint32_t kinds = machine_.finding_kinds();
  check();
  if (learns_) {
    learned_.NoteFindings(kinds);
  } else {
    log_.Note(-1);
  }
}

bool Explorer::HasToStop(const Visited& visited, const Snapshot& root, uint64_t max_states) {
  if (stats_.states >= max_states) {
    stats_.stopped = absl::StrCat("bound of ", max_states, " states");
  } else if (watch_ != nullptr && stats_.transitions % kWatchEvery == 0) {
    Progress progress = {stats_.states, frames_.size(), 0};
    if (watch_->Due()) {
      if (learns_) learned_.Materialize();
      progress.known = EstimateKnown(machine_, root, visited);
    }
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

// Looks up the transitions in `todo`, which the present state has, and has the processor fetch the
// places in `visited` that they lead to. Those that the state before had, too, are known from there
// unless the last transition changed what they read.
void Explorer::LookAhead(const Visited& visited, uint64_t enabled, uint64_t todo) {
  const LearnedTransitions::Transition* const taken = learned_.last();
  const size_t own = known_.size();
  known_.resize(own + tasks());
  for (; enabled != 0; enabled &= enabled - 1) {
    const int slot = std::countr_zero(enabled);
    const LearnedTransitions::Transition* known = nullptr;
    if (taken != nullptr && taken->slot != slot) known = known_[own - tasks() + slot];
    if (known != nullptr && !learned_.StaysNext(*known, *taken)) known = nullptr;
    if (todo >> slot & 1) {
      if (known == nullptr) known = learned_.Find(slot, 0);
      if (known != nullptr) visited.Prefetch(learned_.KeyAfter(*known));
    }
    known_[own + slot] = known;
  }
}

// Inserts the states that the frame's transitions lead to, as far as they are known: in their turn,
// each would wait for its place to come from memory. They are entered in their turn all the same,
// and those that the search comes to earlier on another way, then.
void Explorer::InsertAhead(Frame& frame, Visited& visited) {
  for (uint64_t rest = frame.todo; rest != 0; rest &= rest - 1) {
    const int slot = std::countr_zero(rest);
    const LearnedTransitions::Transition* const known = known_[known_.size() - tasks() + slot];
    if (known == nullptr) continue;
    const uint64_t bit = uint64_t{1} << slot;
    const Hash128 key = learned_.KeyAfter(*known);
    frame.inserted |= bit;
    if (visited.Insert(key)) {
      frame.fresh |= bit;
      pending_.Add(key);
    } else if (pending_.MayHave(key) && TakeOver(key, frames_.size() - 1)) {
      frame.fresh |= bit;
    }
  }
}

// Whether one of the first `frames` has inserted the state ahead and has not entered it yet: then
// it leaves that to the caller, who comes first.
bool Explorer::TakeOver(Hash128 key, size_t frames) {
  for (size_t i = 0; i < frames; i++) {
    Frame& frame = frames_[i];
    for (uint64_t rest = frame.fresh & frame.todo; rest != 0; rest &= rest - 1) {
      Hash128 its = frame.mark.key;
      its += known_[i * tasks() + std::countr_zero(rest)]->key_change;
      if (!(its == key)) continue;
      frame.fresh &= ~(rest & -rest);
      return true;
    }
  }
  return false;
}

// Makes a frame for the state that a transition with these accesses led to, unless there is nothing
// to do in it.
void Explorer::Enter(Visited& visited, int32_t accesses, const std::function<void()>& at_state) {
  stats_.states++;
  if (at_state) CallBack(at_state);
  const uint64_t enabled = Enabled();
  const uint64_t to_try = reduces_ ? reduction_.Choose(enabled) : enabled;
  sleep_sets_.Push(accesses);
  const uint64_t todo = to_try & ~sleep_sets_.tasks();
  if (enabled != 0 && todo == 0) {
    sleep_sets_.Pop();
    return;
  }
  if (learns_) LookAhead(visited, enabled, todo);
  frames_.push_back({mark(), -1, 0, {}, todo, 0, 0});
  if (learns_ && inserts_ahead_) InsertAhead(frames_.back(), visited);
}

void Explorer::Leave() {
  frames_.pop_back();
  sleep_sets_.Pop();
  if (learns_) known_.resize(known_.size() - tasks());
}

void Explorer::Begin(Snapshot& root) {
  ScheduledWorld::listener = &machine_;
  NoteRacyAccesses(reduces_);
  frames_.clear();
  known_.clear();
  pending_.Clear();
  sleep_sets_.Clear();
  if (learns_) {
    learned_.Begin();
  } else {
    log_.Begin();
  }
  if (learns_ || watch_ != nullptr) root.Save(machine_.scheduler());
  if (reduces_) reduction_.Enter();
  for (int i = 0; i < walks_; i++) Walk();
}

// Leaves the machine in the state that the search began in.
void Explorer::End(const Snapshot& root) {
  frames_.clear();
  if (learns_) root.Restore(machine_.scheduler());
}

void Explorer::Run(Visited& visited, uint64_t max_states, const std::function<void()>& at_rest,
                   const std::function<void()>& at_state) {
  Snapshot root;
  Begin(root);
  if (IsNew(key(), visited)) Enter(visited, -1, at_state);
  while (!frames_.empty()) {
    Frame& frame = frames_.back();
    const bool first = frame.slot < 0;
    if (!first) {
      GoBack(frame.mark);
      reduction_.set_place(frame.slot, frame.noted.place_before);
    }
    if (!Advance(frame)) {
      if (first) {
        stats_.rests++;
        if (learns_) learned_.Materialize();
        CallBack(at_rest);
      }
      Leave();
      continue;
    }
    if (reduction_.stale() || CannotGoOn() || HasToStop(visited, root, max_states)) {
      GoBack(frames_.front().mark);
      break;
    }
    stats_.transitions++;
    if (Take(frame, visited)) Enter(visited, frame.noted.accesses, at_state);
  }
  End(root);
}

}  // namespace iomode
