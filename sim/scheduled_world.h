// SPDX-License-Identifier: GPL-2.0-only
//
// The World (model/world.h) whose tasks are fibers under the Scheduler: every visible operation is
// one scheduling point, a sleeper is disabled until it is woken, and all state lies in the
// scheduler's arena.
//
// What counts as one transition: a visible operation and all that follows it up to the next one.

#ifndef SIM_SCHEDULED_WORLD_H_
#define SIM_SCHEDULED_WORLD_H_

#include <cstdint>

#include "sim/scheduled_rwsem.h"

namespace iomode {

struct ScheduledWorld : ScheduledRwSem {
  // --- RCU ---

  struct RcuState {
    uint8_t readers;
  };
  static void rcu_read_lock(RcuState& rcu) {
    scheduler().Point(&rcu);
    Trace("begins to read under", &rcu);
    rcu.readers++;
  }
  // Whether this was the last reader, so that what waits for a grace period can go.
  static bool rcu_read_unlock(RcuState& rcu) {
    scheduler().Point(&rcu);
    if (rcu.readers == 0) listener->BadLock(&rcu, "an RCU reader leaves that did not enter");
    Trace("ends to read under", &rcu);
    return --rcu.readers == 0;
  }
  static bool rcu_idle(const RcuState& rcu) {
    scheduler().Touch(&rcu, false);
    return rcu.readers == 0;
  }

  // --- The rest ---

  static bool WARN_ON(bool condition, const char* what) {
    if (condition) listener->Warn(what);
    return condition;
  }
  static void FALSE_BUSY(bool condition, const char* what) {
    if (condition) listener->FalseBusy(what);
  }
  static bool allocation_fails() { return listener->AllocationFails(); }
  // A value below n, for whoever drives the scheduler to pick.
  static int choose(int n) {
    if (n == 1) return 0;
    self().choices = static_cast<uint8_t>(n);
    scheduler().Suspend(Pending::kChoose, nullptr);
    return self().choice;
  }
};

}  // namespace iomode

#endif  // SIM_SCHEDULED_WORLD_H_
