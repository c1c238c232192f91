// SPDX-License-Identifier: GPL-2.0-only
//
// The World (model/world.h) whose tasks are fibers under the Scheduler: every visible operation is
// one scheduling point, a sleeper is disabled until it is woken, and all state lies in the
// scheduler's arena.
//
// What counts as one transition: a visible operation and all that follows it up to the next one.
// Taking a spin lock moves right and releasing it moves left (Lipton 1975), so a section with at
// most one visible operation is one transition. A Published variable is written under one spin lock
// only: reading it with that lock held is not visible.

#ifndef SIM_SCHEDULED_WORLD_H_
#define SIM_SCHEDULED_WORLD_H_

#include <bit>
#include <cerrno>
#include <cstdint>

#include "sim/scheduler.h"

namespace iomode {

// What the World reports to whoever runs it; the machine implements it.
class WorldListener {
 public:
  virtual ~WorldListener() = default;
  // A WARN_ON fired, in the running task. `what` is a constant.
  virtual void Warn(const char* what) = 0;
  // A parallel write was refused for no good reason.
  virtual void FalseBusy(const char* what) = 0;
  // A reference count was raised from or dropped below zero.
  virtual void BadRefcount(const void* count, const char* what, bool is_put) = 0;
  // The running task breaks a rule of a lock: releases what it does not hold, sleeps where it must
  // not.
  virtual void BadLock(const void* lock, const char* what) = 0;
  // A visible operation of the running task, for stories: `verb` on `object`, with the value read
  // or written, or kNoValue.
  static constexpr int64_t kNoValue = INT64_MIN;
  virtual void Trace(const char* verb, const void* object, int64_t value) = 0;
  // Whether the running task's process was killed.
  virtual bool FatalSignalPending() { return false; }
  // Whether allocation number n since the start fails.
  virtual bool AllocationFails() { return false; }
};

struct ScheduledWorld {
  // Stands in footprints for what Machine::CheckStarvation() looks at: the Published variables and
  // who sleeps in wait_event. All that changes any of it counts as dependent.
  static inline const char observed = 0;

  static inline thread_local WorldListener* listener = nullptr;
  static inline thread_local bool tracing = false;
  // Is told of each function of the model that is entered; null: nobody is. For set-up.
  static inline void (*entered)(const char* function) = nullptr;

  static Scheduler& scheduler() { return *Scheduler::current(); }
  static Task& self() { return scheduler().self(); }
  static uint32_t current() { return self().user; }

  static void Trace(const char* verb, const void* object, int64_t value = WorldListener::kNoValue) {
    if (tracing) listener->Trace(verb, object, value);
  }

  // Names the kernel function that the task is in, for findings and stories.
  class Function {
   public:
    explicit Function(const char* name) : outer_(self().function) {
      self().function = name;
      if (entered != nullptr) [[unlikely]] entered(name);
    }
    ~Function() { self().function = outer_; }
    Function(const Function&) = delete;
    Function& operator=(const Function&) = delete;

   private:
    const char* outer_;
  };

  // --- Variables ---

  template <class T>
  struct Atomic {
    static constexpr bool kPublished = false;
    T value;
  };
  template <class T>
  struct Published {
    static constexpr bool kPublished = true;
    T value;
  };

  template <class T>
  static T READ_ONCE(const Atomic<T>& v) {
    scheduler().Point(&v, false);
    Trace("reads", &v, AsNumber(v.value));
    return v.value;
  }
  template <class T>
  static T READ_ONCE(const Published<T>& v) {
    if (self().locks == 0) {
      scheduler().Point(&v, false);
    } else {
      scheduler().Touch(&v, false);
    }
    Trace("reads", &v, AsNumber(v.value));
    return v.value;
  }
  template <class Var, class T>
  static void WRITE_ONCE(Var& v, T value) {
    PointToWrite(v);
    v.value = value;
    Trace("writes", &v, AsNumber(v.value));
  }
  template <class Var, class T>
  static auto xchg(Var& v, T value) {
    PointToWrite(v);
    auto old = v.value;
    v.value = value;
    Trace("exchanges", &v, AsNumber(v.value));
    return old;
  }
  template <class Var>
  static bool test_bit(int bit, const Var& v) {
    return (READ_ONCE(v) >> bit) & 1;
  }
  template <class Var>
  static void set_bit(int bit, Var& v) {
    PointToWrite(v);
    v.value |= static_cast<uint8_t>(1u << bit);
    Trace("sets bit in", &v, AsNumber(v.value));
  }
  template <class Var>
  static void set_bits(Var& v, uint8_t mask) {
    PointToWrite(v);
    v.value |= mask;
    Trace("sets bits in", &v, AsNumber(v.value));
  }
  // Adds one and returns the sum.
  template <class Var>
  static auto increment(Var& v) {
    PointToWrite(v);
    v.value++;
    Trace("increments", &v, AsNumber(v.value));
    return v.value;
  }
  template <class Var>
  static void clear_bit(int bit, Var& v) {
    PointToWrite(v);
    v.value &= static_cast<uint8_t>(~(1u << bit));
    Trace("clears bit in", &v, AsNumber(v.value));
  }

  // --- Reference counts ---

  using Refcount = Atomic<int16_t>;
  static void refcount_set(Refcount& r, int n) { r.value = static_cast<int16_t>(n); }
  static void refcount_inc(Refcount& r) {
    scheduler().Point(&r);
    if (r.value <= 0)
      listener->BadRefcount(&r, "a reference is taken to an object whose last one was dropped",
                            false);
    r.value++;
    Trace("takes a reference to", &r, r.value);
  }
  static bool refcount_inc_not_zero(Refcount& r) {
    scheduler().Point(&r);
    if (r.value > 0) r.value++;
    Trace("takes a reference, if any is left, to", &r, r.value);
    return r.value > 0;
  }
  static bool refcount_dec_and_test(Refcount& r) {
    scheduler().Point(&r);
    if (r.value <= 0) listener->BadRefcount(&r, "a reference is dropped that nobody holds", true);
    r.value--;
    Trace("drops a reference to", &r, r.value);
    return r.value == 0;
  }
  static int refcount_read(const Refcount& r) {
    scheduler().Touch(&r, false);
    return r.value;
  }

  // --- Memory ---
  //
  // Fixed pools in the arena, so that addresses are a function of what is alive.

  template <class T>
  struct Pool {
    T* items;
    int16_t capacity;
    uint8_t by_slot;  // 0: a task takes the item that Task::item says first; n: n times its slot

    // A zeroed item, or nullptr when all are in use. Tasks start looking at different places, so
    // that it seldom matters who comes first.
    T* alloc() {
      const Task& t = self();
      const int start = by_slot ? by_slot * scheduler().SlotOf(&t) : t.item;
      for (int i = 0; i < capacity; i++) {
        T& item = items[(start + i) % capacity];
        scheduler().Touch(&item, !item.live);
        if (item.live) continue;
        item.live = true;
        return &item;
      }
      return nullptr;
    }
    void free(T* item) {
      if (!item->live) listener->BadRefcount(item, "an object is freed that is free already", true);
      scheduler().Touch(item);
      *item = T();
    }
    template <class F>
    void for_each(F f) {
      for (int i = 0; i < capacity; i++) {
        if (Scheduler::current() != nullptr) scheduler().Touch(&items[i], false);
        f(items[i]);
      }
    }
  };

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

  // --- rw_semaphore, as kernel/locking/rwsem.c hands it over ---
  //
  // Waiters queue in order. A release that frees the lock wakes the first waiter; if that is a
  // reader, all queued readers get the lock at once, over the heads of queued writers. A woken
  // writer competes for the lock with whoever comes by. A reader does not overtake a queue unless
  // the lock is free.

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
  // Whether the running task's process was killed; whoever kills wakes killable sleepers.
  static bool fatal_signal_pending() { return listener->FatalSignalPending(); }
  static bool allocation_fails() { return listener->AllocationFails(); }
  // A value below n, for whoever drives the scheduler to pick.
  static int choose(int n) {
    if (n == 1) return 0;
    self().choices = static_cast<uint8_t>(n);
    scheduler().Suspend(Pending::kChoose, nullptr);
    return self().choice;
  }
  // A visible operation on `object` that the caller carries out itself.
  static void operation(const char* verb, const void* object,
                        int64_t value = WorldListener::kNoValue) {
    scheduler().Point(object);
    Trace(verb, object, value);
  }
  // The same for one that only reads `object`.
  static void reading_operation(const char* verb, const void* object, int64_t value = 0) {
    scheduler().Point(object, false);
    Trace(verb, object, value);
  }
  // The operation under way reads what the lock protects, without it.
  static void reads_unlocked(const SpinLock& lock) { scheduler().Touch(&lock, false); }
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

 private:
  static constexpr uint8_t kWantRead = 1;
  static constexpr uint8_t kWantWrite = 2;

  template <class T>
  static int64_t AsNumber(T value) {
    if constexpr (std::is_pointer_v<T>) {
      return reinterpret_cast<int64_t>(value);
    } else {
      return static_cast<int64_t>(value);
    }
  }

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
  static void RequireWriter(const RwSem& sem) {
    if (sem.writer != scheduler().SlotOf(&self()) + 1)
      listener->BadLock(&sem, "a task releases a lock that it does not hold exclusively");
  }
  // At the start of what may sleep, whether it does or not.
  static void MightSleep(const void* object) {
    if (self().locks != 0)
      listener->BadLock(object, "a task may sleep although it holds a spin lock");
  }

  template <class Var>
  static void PointToWrite(Var& v) {
    scheduler().Point(&v);
    if constexpr (Var::kPublished) scheduler().Touch(&observed);
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

#endif  // SIM_SCHEDULED_WORLD_H_
