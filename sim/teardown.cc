// SPDX-License-Identifier: GPL-2.0-only

#include "sim/teardown.h"

namespace iomode {
namespace {

constexpr int kRounds = 8;

// Whether a task of the script or of the end is left, asleep.
bool AnyoneLeft(Machine& machine) {
  Scheduler& s = machine.scheduler();
  for (int slot = 0; slot < s.task_count(); slot++) {
    const uint32_t user = s.task(slot).user;
    if (s.live(slot) && user != Machine::kServerTask && user != Machine::kWorkerTask) return true;
  }
  return false;
}

}  // namespace

int Teardown::Next(Machine& machine) {
  Scheduler& s = machine.scheduler();
  while (true) {
    if (!in_round_) {
      // What was asleep in its open may be open only now: hence the rounds.
      if (closed_ || rounds_ == kRounds) break;
      machine.StartTeardown();
      rounds_++;
      slot_ = 0;
      ran_ = false;
      in_round_ = true;
    }
    while (slot_ < s.task_count()) {
      const int slot = slot_++;
      if (!s.Enabled(slot)) continue;
      ran_ = true;
      return slot;
    }
    in_round_ = ran_;
    slot_ = 0;
    ran_ = false;
    if (!in_round_) closed_ = !AnyoneLeft(machine) && !machine.AnythingOpen();
  }
  if (closed_) {
    machine.CheckAllFreed();
  } else {
    machine.CheckNobodyLeft();
  }
  return -1;
}

}  // namespace iomode
