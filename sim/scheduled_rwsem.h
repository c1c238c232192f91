// SPDX-License-Identifier: GPL-2.0-only
//
// The ScheduledWorld's rw_semaphore, as kernel/locking/rwsem.c hands it over.
//
// Waiters queue in order. A release that frees the lock wakes the first waiter; if that is a
// reader, all queued readers get the lock at once, over the heads of queued writers. A woken
// writer competes for the lock with whoever comes by. A reader does not overtake a queue unless
// the lock is free.
//
// Used through ScheduledWorld only, in a task.

#ifndef SIM_SCHEDULED_RWSEM_H_
#define SIM_SCHEDULED_RWSEM_H_

#include <cerrno>
#include <cstdint>

#include "sim/scheduled_waiting.h"

namespace iomode {

struct ScheduledRwSem : ScheduledWaiting {
  struct RwSem {
    int16_t readers;
    uint8_t writer;  // slot + 1
    uint8_t head;    // slot + 1 of the first waiter
    uint8_t tail;
  };
  static void down_read(RwSem& sem) { LockRead(sem, false); }
  static void down_write(RwSem& sem) { LockWrite(sem, false); }
  static int down_read_killable(RwSem& sem) { return LockRead(sem, true) ? 0 : -EINTR; }
  static int down_write_killable(RwSem& sem) { return LockWrite(sem, true) ? 0 : -EINTR; }
  static bool down_read_trylock(RwSem& sem) {
    scheduler().Point(&sem);
    if (sem.writer != 0 || sem.head != 0) return false;
    sem.readers++;
    Trace("locks shared", &sem);
    return true;
  }
  static void up_read(RwSem& sem) {
    scheduler().Point(&sem);
    Trace("unlocks shared", &sem);
    if (sem.readers <= 0) listener->BadLock(&sem, "a lock is released that no reader holds");
    sem.readers--;
    if (sem.readers == 0) WakeFirst(sem);
  }
  static void up_write(RwSem& sem) {
    scheduler().Point(&sem);
    Trace("unlocks exclusive", &sem);
    RequireWriter(sem);
    sem.writer = 0;
    WakeFirst(sem);
  }
  static void downgrade_write(RwSem& sem) {
    scheduler().Point(&sem);
    RequireWriter(sem);
    Trace("downgrades", &sem);
    sem.writer = 0;
    sem.readers = 1;
    GrantReaders(sem);
  }

 private:
  static constexpr uint8_t kWantRead = 1;
  static constexpr uint8_t kWantWrite = 2;

  // Whether the lock was taken: a killable waiter gives up when its process was killed.
  static bool LockRead(RwSem& sem, bool killable) {
    MightSleep(&sem);
    scheduler().Point(&sem);
    if (sem.writer == 0 && (sem.head == 0 || sem.readers == 0)) {
      sem.readers++;
      if (sem.readers == 1) GrantReaders(sem);
      Trace("locks shared", &sem);
      return true;
    }
    Trace("queues for shared", &sem);
    Enqueue(sem, kWantRead);
    while (self().want != 0) {
      if (killable && fatal_signal_pending()) return GiveUp(sem);
      SleepFor(&sem, killable);
    }
    scheduler().Touch(&sem);
    Trace("was granted shared", &sem);
    return true;
  }
  static bool LockWrite(RwSem& sem, bool killable) {
    MightSleep(&sem);
    scheduler().Point(&sem);
    if (sem.writer == 0 && sem.readers == 0) {
      TakeWrite(sem);
      return true;
    }
    Trace("queues for exclusive", &sem);
    Enqueue(sem, kWantWrite);
    while (true) {
      SleepFor(&sem, killable);
      scheduler().Touch(&sem);
      self().fresh = false;
      if (sem.writer == 0 && sem.readers == 0) break;
      if (killable && fatal_signal_pending()) return GiveUp(sem);
    }
    Dequeue(sem, self());
    TakeWrite(sem);
    return true;
  }
  // rwsem_del_wake_waiter(): if this was the first waiter, those behind it may go on.
  static bool GiveUp(RwSem& sem) {
    const bool first = sem.head == scheduler().SlotOf(&self()) + 1;
    Trace("gives up waiting for", &sem);
    Dequeue(sem, self());
    if (first && sem.writer == 0) WakeFirst(sem);
    return false;
  }
  static void RequireWriter(const RwSem& sem) {
    if (sem.writer != scheduler().SlotOf(&self()) + 1)
      listener->BadLock(&sem, "a task releases a lock that it does not hold exclusively");
  }
  static void TakeWrite(RwSem& sem) {
    sem.writer = static_cast<uint8_t>(scheduler().SlotOf(&self()) + 1);
    Trace("locks exclusive", &sem);
  }
  static void Enqueue(RwSem& sem, uint8_t want) {
    Task& t = self();
    const uint8_t me = static_cast<uint8_t>(scheduler().SlotOf(&t) + 1);
    t.want = want;
    t.next = 0;
    if (sem.head == 0) {
      sem.head = me;
    } else {
      scheduler().task(sem.tail - 1).next = me;
    }
    sem.tail = me;
  }
  static void Dequeue(RwSem& sem, Task& task) {
    const uint8_t slot = static_cast<uint8_t>(scheduler().SlotOf(&task) + 1);
    uint8_t before = 0;
    for (uint8_t at = sem.head; at != slot; at = scheduler().task(at - 1).next) before = at;
    if (before == 0) {
      sem.head = task.next;
    } else {
      scheduler().task(before - 1).next = task.next;
    }
    if (sem.tail == slot) sem.tail = before;
    task.next = 0;
    task.want = 0;
  }
  static void WakeFirst(RwSem& sem) {
    if (sem.head == 0) return;
    if (scheduler().task(sem.head - 1).want == kWantWrite) {
      Wake(sem.head - 1);
    } else {
      GrantReaders(sem);
    }
  }
  // When a reader is first in the queue: gives the lock to all queued readers.
  static void GrantReaders(RwSem& sem) {
    if (sem.head == 0 || scheduler().task(sem.head - 1).want != kWantRead) return;
    for (uint8_t at = sem.head; at != 0;) {
      Task& t = scheduler().task(at - 1);
      const uint8_t next = t.next;
      if (t.want == kWantRead) {
        Dequeue(sem, t);
        sem.readers++;
        Wake(at - 1);
      }
      at = next;
    }
  }
};

}  // namespace iomode

#endif  // SIM_SCHEDULED_RWSEM_H_
