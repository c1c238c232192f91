// SPDX-License-Identifier: GPL-2.0-only
//
// The ScheduledWorld's ways to wait: spin locks, wait queues, completions. A sleeper is disabled
// until another task wakes it; it never spins. Taking a spin lock moves right and releasing it
// moves left (Lipton 1975), so a section with at most one visible operation is one transition.
//
// Used through ScheduledWorld only, in a task.

#ifndef SIM_SCHEDULED_WAITING_H_
#define SIM_SCHEDULED_WAITING_H_

#include <bit>
#include <cstdint>

#include "sim/scheduled_operations.h"

namespace iomode {

struct ScheduledWaiting : ScheduledOperations {
  // --- Spin locks ---

  struct SpinLock {
    uint8_t owner;  // slot + 1 of the holder; 0: free
  };
  static void spin_lock(SpinLock& lock) {
    Task& t = self();
    scheduler().Touch(&lock);
    if (t.fresh && lock.owner == 0) {
      lock.owner = static_cast<uint8_t>(scheduler().SlotOf(&t) + 1);
    } else {
      scheduler().Suspend(Pending::kLock, &lock);
      scheduler().Touch(&lock);
    }
    t.locks++;
    t.fresh = true;
    Trace("locks", &lock);
  }
  static void spin_unlock(SpinLock& lock) {
    Trace("unlocks", &lock);
    scheduler().Touch(&lock);
    Task& t = self();
    if (RequireHeld(lock)) t.locks--;
    lock.owner = 0;
    t.fresh = false;
  }

  // The operation under way reads what the lock protects, without it.
  static void reads_unlocked(const SpinLock& lock) { scheduler().Touch(&lock, false); }

  // --- Sleeping ---

  struct WaitQueue {
    uint64_t sleepers;  // by slot; nobody here waits exclusively, so their order does not matter
  };

  // wait_event(): test; then enqueue, test again, sleep, until `condition()`.
  template <class Condition>
  static void wait_event(WaitQueue& queue, Condition condition) {
    MightSleep(&queue);
    if (condition()) return;
    Task& t = self();
    const uint64_t me = uint64_t{1} << scheduler().SlotOf(&t);
    while (true) {
      scheduler().Point(&queue);
      queue.sleepers |= me;
      t.wakeup = false;
      scheduler().Touch(&t);
      scheduler().Touch(&observed);
      Trace("queues on", &queue);
      if (condition()) break;
      scheduler().Touch(&t);
      scheduler().Touch(&observed);
      if (!t.wakeup) Sleep(&queue);
    }
    scheduler().Point(&queue);
    scheduler().Touch(&observed);
    queue.sleepers &= ~me;
    Trace("leaves", &queue);
  }
  static void wake_up(WaitQueue& queue) {
    scheduler().Point(&queue);
    scheduler().Touch(&observed);
    Trace("wakes all on", &queue);
    for (uint64_t rest = queue.sleepers; rest != 0; rest &= rest - 1) Wake(std::countr_zero(rest));
    queue.sleepers = 0;
  }

  // Sleeps until `condition()`, which is tested with `lock` held; the lock is held on return. The
  // kernel's own waits with this meaning (folio bits, completions) are taken to be right;
  // wake_up_locked is called under the lock.
  template <class Condition>
  static void wait_event_lock(WaitQueue& queue, SpinLock& lock, Condition condition) {
    RequireHeld(lock);
    const uint64_t me = uint64_t{1} << scheduler().SlotOf(&self());
    while (!condition()) {
      scheduler().Touch(&queue);
      queue.sleepers |= me;
      self().wakeup = false;
      spin_unlock(lock);
      Sleep(&queue);
      spin_lock(lock);
    }
  }
  static void wake_up_locked(WaitQueue& queue) {
    scheduler().Touch(&queue);
    for (uint64_t rest = queue.sleepers; rest != 0; rest &= rest - 1) Wake(std::countr_zero(rest));
    queue.sleepers = 0;
  }

  struct Completion {
    uint64_t sleepers;
    uint8_t done;
  };
  static void complete(Completion& c) {
    scheduler().Point(&c);
    complete_quietly(c);
  }
  // complete() as a part of the operation under way.
  static void complete_quietly(Completion& c) {
    scheduler().Touch(&c);
    Trace("completes", &c);
    c.done = 1;
    for (uint64_t rest = c.sleepers; rest != 0; rest &= rest - 1) Wake(std::countr_zero(rest));
    c.sleepers = 0;
  }
  static void wait_for_completion(Completion& c) {
    MightSleep(&c);
    scheduler().Touch(&c);
    while (!c.done) {
      c.sleepers |= uint64_t{1} << scheduler().SlotOf(&self());
      self().wakeup = false;
      Sleep(&c);
      scheduler().Touch(&c);
    }
  }

  // --- Tasks ---

  // Whether the running task's process was killed; whoever kills wakes killable sleepers.
  static bool fatal_signal_pending() { return listener->FatalSignalPending(); }
  // Sleeps until Wake(); for the code around the kernel (a server without work, an aio waiter).
  static void Sleep(const void* object) {
    Task& t = self();
    t.fresh = false;
    t.wakeup = false;
    Trace("sleeps on", object);
    scheduler().Touch(&t);
    scheduler().Suspend(Pending::kSleep, object);
    scheduler().Touch(&t);
    t.fresh = true;
  }
  static void Wake(int slot) {
    Task& t = scheduler().task(slot);
    Trace("wakes", &t);
    scheduler().Touch(&t);
    if (t.pending == Pending::kSleep) {
      t.pending = Pending::kRun;
    } else {
      t.wakeup = true;
    }
  }

 protected:
  static void SleepFor(const void* object, bool killable) {
    self().killable = killable;
    Sleep(object);
    self().killable = false;
  }
  static bool RequireHeld(const SpinLock& lock) {
    if (lock.owner == scheduler().SlotOf(&self()) + 1) return true;
    listener->BadLock(&lock, "a task releases a spin lock that it does not hold");
    return false;
  }
  // At the start of what may sleep, whether it does or not.
  static void MightSleep(const void* object) {
    if (self().locks != 0)
      listener->BadLock(object, "a task may sleep although it holds a spin lock");
  }
};

}  // namespace iomode

#endif  // SIM_SCHEDULED_WAITING_H_
