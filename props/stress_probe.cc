// SPDX-License-Identifier: GPL-2.0-only

#include "props/stress_probe.h"

#include <chrono>
#include <mutex>
#include <thread>
#include <utility>

namespace iomode {
namespace {

std::mutex reports_mutex;
std::vector<std::string>& Collected() {
  static auto* const reports = new std::vector<std::string>;
  return *reports;
}

}  // namespace

// Mostly lets another thread run; sometimes stays away for long enough that others do much.
void StressProbe::Delay() {
  const uint32_t how = self->random.Below(16);
  if (how < 12) {
    std::this_thread::yield();
  } else if (how < 15) {
    for (uint32_t i = self->random.Below(2000); i > 0; i--) {
      // Nothing, for a while; the fence keeps the compiler from dropping the loop.
      std::atomic_signal_fence(std::memory_order_seq_cst);
    }
  } else {
    std::this_thread::sleep_for(std::chrono::microseconds(10 + self->random.Below(100)));
  }
}

void StressProbe::Reports(const char* kind, const char* what, const void*) {
  const std::string function = self != nullptr ? self->function.load() : "the server";
  const std::lock_guard<std::mutex> lock(reports_mutex);
  Collected().push_back(std::string(kind) + ": " + what + " in " + function);
}

std::vector<std::string> StressProbe::TakeReports() {
  const std::lock_guard<std::mutex> lock(reports_mutex);
  return std::exchange(Collected(), {});
}

}  // namespace iomode
