// SPDX-License-Identifier: GPL-2.0-only
//
// The World (model/world.h) of real threads: std::atomic, spin locks, and sleeping by
// std::atomic::wait. No lock stands around the model; what runs in parallel in the kernel does
// here.
//
// A Probe sees what threads do. NoProbe is empty and costs nothing; a test's probe may delay
// threads at the scheduling points, make allocations fail, and note who sleeps on what:
//
//   static void Point();                                before each visible operation
//   static void Sleeps(const char* on, const void* object), Wakes();   around each sleep
//   static bool AllocationFails();
//   static void Reports(const char* kind, const char* what, const void* object);
//   class Function;                                      as World::Function
//   static constexpr bool kCountsObjects;                whether Pool::live() counts
//
// Order: loads acquire, stores release, read-modify-writes are full barriers, as on x86.

#ifndef SIM_NATIVE_WORLD_H_
#define SIM_NATIVE_WORLD_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

namespace iomode {

// Test and set; a thread that finds it taken spins for a while, then yields.
struct NativeSpinLock {
  std::atomic<uint8_t> locked;

  bool TryLock() { return locked.exchange(1, std::memory_order_acquire) == 0; }
  void Lock() {
    if (!TryLock()) LockSlowly();
  }
  void Unlock() { locked.store(0, std::memory_order_release); }

 private:
  void LockSlowly();
};

// Sleepers wait for `wakeups` to change. Whoever makes a condition true touches `sleepers` by a
// read-modify-write, and so does who is about to test it: one of them sees the other.
struct NativeWaitQueue {
  std::atomic<uint32_t> sleepers;
  std::atomic<uint32_t> wakeups;

  // Enqueues; the result is for Sleep(). Test the condition in between, then Sleep() and Leave().
  uint32_t Enter() {
    sleepers.fetch_add(1);
    return wakeups.load();
  }
  void Sleep(uint32_t ticket) { wakeups.wait(ticket); }
  void Leave() { sleepers.fetch_sub(1); }
  // In place at each of its callers, as the check of a spin lock is.
  [[gnu::always_inline]] void Wake() {
    if (sleepers.fetch_add(0) != 0) WakeSleepers();
  }
  void WakeSleepers();
};

struct NativeCompletion {
  std::atomic<uint32_t> state;

  bool IsDone() const { return state.load(std::memory_order_acquire) == kDone; }
  void Complete() {
    // Once the state is set the waiter may free this: notify_all() uses the address only.
    if (state.exchange(kDone) == kAwaited) state.notify_all();
  }
  void Wait();

 private:
  static constexpr uint32_t kAwaited = 1;
  static constexpr uint32_t kDone = 2;
};

// A count of readers, and bits. Whoever sleeps has set kSleepers before, and a writer also
// kWriterWaits, which keeps new readers out. up_write clears all bits and wakes all, so that
// readers and writers take turns.
struct NativeRwSem {
  std::atomic<uint32_t> state;

  bool TryLockShared() {
    uint32_t s = state.load(std::memory_order_relaxed);
    while (!(s & (kWriter | kWriterWaits))) {
      if (state.compare_exchange_weak(s, s + 1, std::memory_order_acquire)) return true;
    }
    return false;
  }
  void UnlockShared() {
    const uint32_t left = state.fetch_sub(1) - 1;
    if ((left & kWriterWaits) && (left & kReaders) == 0) state.notify_all();
  }
  bool TryLock() {
    uint32_t s = state.load(std::memory_order_relaxed);
    while (!(s & (kWriter | kReaders))) {
      if (state.compare_exchange_weak(s, s | kWriter, std::memory_order_acquire)) return true;
    }
    return false;
  }
  void Unlock() {
    if (state.exchange(0) & kSleepers) state.notify_all();
  }
  void Downgrade() {
    if (state.exchange(1) & kSleepers) state.notify_all();
  }
  void LockSharedSlowly();
  void LockSlowly();

  static constexpr uint32_t kWriter = 1u << 31;
  static constexpr uint32_t kWriterWaits = 1u << 30;
  static constexpr uint32_t kSleepers = 1u << 29;
  static constexpr uint32_t kReaders = kSleepers - 1;
};

// Two counts of readers; a grace period moves new readers to the other one and waits for the old
// one, as SRCU does.
struct NativeRcu {
  std::atomic<uint32_t> readers[2];
  std::atomic<uint32_t> phase;
  NativeSpinLock updating;

  void ReadLock() {
    held_ = phase.load();
    readers[held_].fetch_add(1);
  }
  void ReadUnlock() { readers[held_].fetch_sub(1); }
  // Waits until all who read now have left. Readers are short, so this spins.
  void Synchronize();

 private:
  static inline thread_local uint32_t held_;
};

struct NoProbe {
  static constexpr bool kCountsObjects = false;
  static void Point() {}
  static void Sleeps(const char*, const void*) {}
  static void Wakes() {}
  static bool AllocationFails() { return false; }
  // Prints the report and aborts.
  [[noreturn]] static void Reports(const char* kind, const char* what, const void* object);
  struct Function {
    explicit Function(const char*) {}
    ~Function() {}
  };
};

template <class Probe>
struct BasicNativeWorld {
  // --- Tasks ---

  // To be set by each thread before it calls the model.
  static inline thread_local uint32_t task = 0;
  static uint32_t current() { return task; }

  using Function = typename Probe::Function;

  // --- Variables ---

  template <class T>
  struct Atomic {
    std::atomic<T> value;
  };
  template <class T>
  struct Published {
    std::atomic<T> value;
  };
  template <class Var>
  using ValueOf = decltype(Var::value.load());

  template <class Var>
  static ValueOf<Var> READ_ONCE(const Var& v) {
    Probe::Point();
    return v.value.load(std::memory_order_acquire);
  }
  template <class Var, class T>
  static void WRITE_ONCE(Var& v, T value) {
    Probe::Point();
    v.value.store(value, std::memory_order_release);
  }
  template <class Var, class T>
  static ValueOf<Var> xchg(Var& v, T value) {
    Probe::Point();
    return v.value.exchange(value);
  }
  template <class Var>
  static bool test_bit(int bit, const Var& v) {
    return (READ_ONCE(v) >> bit) & 1;
  }
  template <class Var>
  static void set_bit(int bit, Var& v) {
    set_bits(v, static_cast<uint8_t>(1u << bit));
  }
  template <class Var>
  static void clear_bit(int bit, Var& v) {
    Probe::Point();
    v.value.fetch_and(static_cast<uint8_t>(~(1u << bit)));
  }
  template <class Var>
  static void set_bits(Var& v, uint8_t mask) {
    Probe::Point();
    v.value.fetch_or(mask);
  }
  template <class Var>
  static ValueOf<Var> increment(Var& v) {
    Probe::Point();
    return static_cast<ValueOf<Var>>(v.value.fetch_add(1) + 1);
  }
  static void operation(const char*, const void*, int64_t = 0) { Probe::Point(); }
  static void reading_operation(const char*, const void*, int64_t = 0) { Probe::Point(); }
  static void reads_unlocked(const NativeSpinLock&) {}

  // --- Reference counts ---

  using Refcount = Atomic<int32_t>;
  static void refcount_set(Refcount& r, int n) { r.value.store(n, std::memory_order_release); }
  static void refcount_inc(Refcount& r) {
    Probe::Point();
    if (r.value.fetch_add(1, std::memory_order_relaxed) <= 0)
      Probe::Reports("use-after-put",
                     "a reference is taken to an object whose last one was dropped", &r);
  }
  static bool refcount_inc_not_zero(Refcount& r) {
    Probe::Point();
    int32_t n = r.value.load(std::memory_order_relaxed);
    while (n > 0) {
      if (r.value.compare_exchange_weak(n, n + 1, std::memory_order_acq_rel)) return true;
    }
    return false;
  }
  static bool refcount_dec_and_test(Refcount& r) {
    Probe::Point();
    const int32_t before = r.value.fetch_sub(1, std::memory_order_acq_rel);
    if (before <= 0)
      Probe::Reports("use-after-put", "a reference is dropped that nobody holds", &r);
    return before == 1;
  }
  static int refcount_read(const Refcount& r) { return r.value.load(std::memory_order_acquire); }

  // --- Memory ---
  //
  // The heap, so that AddressSanitizer sees every use after free. for_each() visits what Show()
  // listed.

  template <class T>
  struct Pool {
    T* alloc() {
      if constexpr (Probe::kCountsObjects) live_.fetch_add(1, std::memory_order_relaxed);
      T* item = new T();
      item->live = true;
      return item;
    }
    void free(T* item) {
      if constexpr (Probe::kCountsObjects) live_.fetch_sub(1, std::memory_order_relaxed);
      delete item;
    }
    template <class F>
    void for_each(F f) {
      const std::lock_guard<std::mutex> lock(mutex_);
      for (T* item : shown_) f(*item);
    }

    // The item's fields stay as they are until Hide() has returned.
    void Show(T* item) {
      const std::lock_guard<std::mutex> lock(mutex_);
      shown_.push_back(item);
    }
    void Hide(T* item) {
      const std::lock_guard<std::mutex> lock(mutex_);
      shown_.erase(std::find(shown_.begin(), shown_.end(), item));
    }
    // How many were allocated and not freed. Exact when no thread is in the model.
    int64_t live() const { return live_.load(std::memory_order_relaxed); }

   private:
    std::atomic<int64_t> live_ = 0;
    std::mutex mutex_;
    std::vector<T*> shown_;
  };
  static bool fatal_signal_pending() { return false; }
  static int choose(int) { return 0; }
  static bool allocation_fails() { return Probe::AllocationFails(); }

  // --- Spin locks ---

  using SpinLock = NativeSpinLock;
  static void spin_lock(SpinLock& lock) {
    Probe::Point();
    lock.Lock();
  }
  static void spin_unlock(SpinLock& lock) { lock.Unlock(); }

  // --- Sleeping ---

  using WaitQueue = NativeWaitQueue;
  template <class Condition>
  static void wait_event(WaitQueue& queue, Condition condition) {
    if (condition()) return;
    for (bool ready = false; !ready;) {
      const uint32_t ticket = queue.Enter();
      Probe::Point();
      ready = condition();
      if (!ready) {
        Probe::Sleeps("wait_event", &queue);
        queue.Sleep(ticket);
        Probe::Wakes();
      }
      queue.Leave();
    }
  }
  static void wake_up(WaitQueue& queue) {
    Probe::Point();
    queue.Wake();
  }
  template <class Condition>
  static void wait_event_lock(WaitQueue& queue, SpinLock& lock, Condition condition) {
    while (!condition()) {
      const uint32_t ticket = queue.Enter();
      lock.Unlock();
      Probe::Sleeps("wait_event_lock", &queue);
      queue.Sleep(ticket);
      Probe::Wakes();
      queue.Leave();
      spin_lock(lock);
    }
  }
  static void wake_up_locked(WaitQueue& queue) { queue.Wake(); }

  using Completion = NativeCompletion;
  static void complete(Completion& c) {
    Probe::Point();
    c.Complete();
  }
  static void wait_for_completion(Completion& c) {
    if (c.IsDone()) return;
    Probe::Sleeps("wait_for_completion", &c);
    c.Wait();
    Probe::Wakes();
  }

  // --- rw_semaphore ---

  using RwSem = NativeRwSem;
  static void down_read(RwSem& sem) {
    Probe::Point();
    if (sem.TryLockShared()) return;
    Probe::Sleeps("down_read", &sem);
    sem.LockSharedSlowly();
    Probe::Wakes();
  }
  static void down_write(RwSem& sem) {
    Probe::Point();
    if (sem.TryLock()) return;
    Probe::Sleeps("down_write", &sem);
    sem.LockSlowly();
    Probe::Wakes();
  }
  static bool down_read_trylock(RwSem& sem) {
    Probe::Point();
    return sem.TryLockShared();
  }
  // Nobody is killed here.
  static int down_read_killable(RwSem& sem) {
    down_read(sem);
    return 0;
  }
  static int down_write_killable(RwSem& sem) {
    down_write(sem);
    return 0;
  }
  static void up_read(RwSem& sem) {
    Probe::Point();
    sem.UnlockShared();
  }
  static void up_write(RwSem& sem) {
    Probe::Point();
    sem.Unlock();
  }
  static void downgrade_write(RwSem& sem) {
    Probe::Point();
    sem.Downgrade();
  }

  // --- RCU ---

  using RcuState = NativeRcu;
  static void rcu_read_lock(RcuState& rcu) { rcu.ReadLock(); }
  static bool rcu_read_unlock(RcuState& rcu) {
    rcu.ReadUnlock();
    return false;
  }
  static bool rcu_idle(RcuState& rcu) {
    rcu.Synchronize();
    return true;
  }

  // --- Reports ---

  static bool WARN_ON(bool condition, const char* what) {
    if (condition) Probe::Reports("warn", what, nullptr);
    return condition;
  }
  static void FALSE_BUSY(bool condition, const char* what) {
    if (condition) Probe::Reports("false-busy", what, nullptr);
  }
};

using NativeWorld = BasicNativeWorld<NoProbe>;

}  // namespace iomode

#endif  // SIM_NATIVE_WORLD_H_
