// SPDX-License-Identifier: GPL-2.0-only
//
// A Probe of the Native world (sim/native_world.h) for stress runs: delays threads at random at
// their scheduling points, makes allocations fail, collects reports, and knows at any time who
// sleeps on what.
//
// A thread that has no StressThread (the server's) is neither delayed nor known.

#ifndef PROPS_STRESS_PROBE_H_
#define PROPS_STRESS_PROBE_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "sim/native_world.h"

namespace iomode {

// SplitMix64: small, and the same everywhere.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t Next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  uint32_t Below(uint32_t n) { return static_cast<uint32_t>(Next() >> 32) % n; }
  bool OneIn(uint32_t n) { return n != 0 && Below(n) == 0; }

 private:
  uint64_t state_;
};

// What one thread does. Its thread writes, the watchdog reads.
struct StressThread {
  explicit StressThread(uint64_t seed) : random(seed) {}

  std::atomic<int64_t> operation = 0;  // how many it has finished
  std::atomic<bool> finished = false;
  std::atomic<const char*> function = "";  // innermost kernel function
  std::atomic<const char*> sleeps_in = nullptr;
  std::atomic<const void*> sleeps_on = nullptr;
  std::atomic<uint64_t> sleeps = 0;  // how many sleeps it began

  // The thread's own:
  Random random;  // of delays and failures only: no influence on what the thread does
  uint32_t delay_one_in = 0;
  uint32_t allocation_fails_one_in = 0;
};

class StressProbe {
 public:
  static constexpr bool kCountsObjects = true;

  // Whom the calling thread's calls are noted for; nullptr: nobody.
  static inline thread_local StressThread* self = nullptr;

  static void Point() {
    if (self != nullptr && self->random.OneIn(self->delay_one_in)) Delay();
  }
  static void Sleeps(const char* in, const void* object) {
    if (self == nullptr) return;
    self->sleeps.fetch_add(1);
    self->sleeps_on = object;
    self->sleeps_in = in;
  }
  static void Wakes() {
    if (self == nullptr) return;
    self->sleeps_in = nullptr;
    self->sleeps_on = nullptr;
  }
  static bool AllocationFails() {
    return self != nullptr && self->random.OneIn(self->allocation_fails_one_in);
  }
  static void Reports(const char* kind, const char* what, const void* object);
  // All reports since the last call: "warn: WHAT in FUNCTION".
  static std::vector<std::string> TakeReports();

  class Function {
   public:
    explicit Function(const char* name) {
      if (self != nullptr) outer_ = self->function.exchange(name, std::memory_order_relaxed);
    }
    ~Function() {
      if (self != nullptr) self->function.store(outer_, std::memory_order_relaxed);
    }
    Function(const Function&) = delete;
    Function& operator=(const Function&) = delete;

   private:
    const char* outer_ = "";
  };

 private:
  static void Delay();
};

using StressWorld = BasicNativeWorld<StressProbe>;

}  // namespace iomode

#endif  // PROPS_STRESS_PROBE_H_
