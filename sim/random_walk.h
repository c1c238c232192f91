// SPDX-License-Identifier: GPL-2.0-only
//
// One transition of a random interleaving.

#ifndef SIM_RANDOM_WALK_H_
#define SIM_RANDOM_WALK_H_

#include <random>
#include <vector>

#include "sim/machine.h"

namespace iomode {

// Runs one task to its next scheduling point; each that can run is as likely, and so is each of its
// choices. False when none can.
template <class Random>
bool RandomStep(Machine& machine, Random& random) {
  Scheduler& s = machine.scheduler();
  int enabled = 0;
  int slot = -1;
  for (int i = 0; i < s.task_count(); i++) {
    if (s.Enabled(i) && random() % ++enabled == 0) slot = i;
  }
  if (slot < 0) return false;
  const int choices = s.task(slot).pending == Pending::kChoose ? s.task(slot).choices : 1;
  s.Resume(slot, static_cast<int>(random() % choices));
  machine.Finish(slot);
  return true;
}

}  // namespace iomode

#endif  // SIM_RANDOM_WALK_H_
