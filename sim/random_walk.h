// SPDX-License-Identifier: GPL-2.0-only
//
// Random interleavings, one transition at a time.

#ifndef SIM_RANDOM_WALK_H_
#define SIM_RANDOM_WALK_H_

#include <random>

#include "sim/machine.h"

namespace iomode {

// A task that can run, each as likely; -1 when none can.
inline int RandomSlot(const Scheduler& s, std::mt19937_64& random) {
  int enabled = 0;
  int slot = -1;
  for (int i = 0; i < s.task_count(); i++) {
    if (s.Enabled(i) && random() % static_cast<uint64_t>(++enabled) == 0) slot = i;
  }
  return slot;
}

// Runs the task to its next scheduling point; a value that it picks is any of its choices, and is
// returned.
inline int16_t ResumeAtRandom(Machine& machine, int slot, std::mt19937_64& random) {
  Scheduler& s = machine.scheduler();
  const bool chooses = s.task(slot).pending == Pending::kChoose;
  const int choice = chooses ? static_cast<int>(random() % s.task(slot).choices) : 0;
  s.Resume(slot, choice);
  machine.Finish(slot);
  return static_cast<int16_t>(choice);
}

// One transition of any task. False when none can run.
inline bool RandomStep(Machine& machine, std::mt19937_64& random) {
  const int slot = RandomSlot(machine.scheduler(), random);
  if (slot >= 0) ResumeAtRandom(machine, slot, random);
  return slot >= 0;
}

}  // namespace iomode

#endif  // SIM_RANDOM_WALK_H_
