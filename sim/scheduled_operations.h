// SPDX-License-Identifier: GPL-2.0-only
//
// The ScheduledWorld's visible operations that never wait: on variables, reference counts and
// pools. Each is one scheduling point. A Published variable is written under one spin lock only:
// reading it with that lock held is not visible.
//
// Used through ScheduledWorld only, in a task or while a machine is set up.

#ifndef SIM_SCHEDULED_OPERATIONS_H_
#define SIM_SCHEDULED_OPERATIONS_H_

#include <cstdint>
#include <type_traits>

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
  // An object is freed that owns `what`, a constant.
  virtual void Leak(const void* object, const char* what) = 0;
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

// Its variables are defined in a source file: sim/machine.cc and its like are compiled without weak
// symbols (sim/BUILD.bazel), and would have inline ones of their own.
struct ScheduledOperations {
  // Stands in footprints for what Machine::CheckStarvation() looks at: the Published variables and
  // who sleeps in wait_event. All that changes any of it counts as dependent.
  static const char observed;

  static constinit thread_local WorldListener* listener;
  static constinit thread_local bool tracing;
  // Is told of each function of the model that is entered; null: nobody is. For set-up.
  static void (*entered)(const char* function);

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
      if (entered != nullptr) [[unlikely]]
        entered(name);
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
      if constexpr (requires { item->owned(); }) {
        if (item->owned() != nullptr) listener->Leak(item, item->owned());
      }
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

  // --- Other operations ---

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

 protected:
  template <class T>
  static int64_t AsNumber(T value) {
    if constexpr (std::is_pointer_v<T>) {
      return reinterpret_cast<int64_t>(value);
    } else {
      return static_cast<int64_t>(value);
    }
  }

  template <class Var>
  static void PointToWrite(Var& v) {
    scheduler().Point(&v);
    if constexpr (Var::kPublished) scheduler().Touch(&observed);
  }
};

}  // namespace iomode

#endif  // SIM_SCHEDULED_OPERATIONS_H_
