// SPDX-License-Identifier: GPL-2.0-only

#include "sim/explorer.h"

#include <cstring>

namespace iomode {

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

void Explorer::SaveUndo(Frame& frame) {
  Scheduler& s = machine_.scheduler();
  const size_t shared = s.shared_used();
  const size_t stack = s.stack_bytes(frame.slot);
  undo_.resize(frame.undo_begin + shared + stack);
  std::memcpy(&undo_[frame.undo_begin], s.shared(), shared);
  s.Unpoison(s.stack_begin(frame.slot), stack);
  std::memcpy(&undo_[frame.undo_begin + shared], s.stack_begin(frame.slot), stack);
}

void Explorer::Undo(const Frame& frame) {
  Scheduler& s = machine_.scheduler();
  const size_t shared = s.shared_used();
  std::memcpy(s.shared(), &undo_[frame.undo_begin], shared);
  const size_t stack = s.stack_bytes(frame.slot);
  s.Unpoison(s.stack_begin(frame.slot) - 4096, stack + 4096);
  std::memcpy(const_cast<uint8_t*>(s.stack_begin(frame.slot)), &undo_[frame.undo_begin + shared],
              stack);
}

void Explorer::Run(Visited& visited, uint64_t max_states, const std::function<void()>& at_rest,
                   const std::function<void()>& at_state) {
  Scheduler& s = machine_.scheduler();
  ScheduledWorld::listener = &machine_;
  frames_.clear();
  undo_.clear();
  const auto enter = [&]() {
    if (!visited.insert(s.Key()).second) return;
    stats_.states++;
    if (at_state) at_state();
    frames_.push_back({undo_.size(), -1, 0});
  };
  enter();
  while (!frames_.empty()) {
    Frame& frame = frames_.back();
    const bool first = frame.slot < 0;
    if (!first) Undo(frame);
    if (!Advance(frame)) {
      if (first) {
        stats_.rests++;
        at_rest();
      }
      undo_.resize(frame.undo_begin);
      frames_.pop_back();
      continue;
    }
    if (stats_.states >= max_states) {
      stats_.complete = false;
      for (frames_.pop_back(); !frames_.empty(); frames_.pop_back()) Undo(frames_.back());
      return;
    }
    SaveUndo(frame);
    s.Resume(frame.slot, frame.choice);
    machine_.Finish(frame.slot);
    stats_.transitions++;
    enter();
  }
}

}  // namespace iomode
