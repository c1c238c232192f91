// SPDX-License-Identifier: GPL-2.0-only

#include "sim/watch.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>

#include "absl/strings/str_cat.h"

namespace iomode {
namespace {

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free);

double SteadySeconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

uint64_t ResidentMemory() {
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  unsigned long total = 0;
  unsigned long resident = 0;
  const int fields = std::fscanf(file, "%lu %lu", &total, &resident);
  std::fclose(file);
  return fields == 2 ? resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) : 0;
}

std::string PrintBytes(uint64_t bytes) {
  constexpr const char* kUnits[] = {" bytes", " KiB", " MiB", " GiB", " TiB"};
  int unit = 0;
  while (unit < 4 && bytes >= 1024 && bytes % 1024 == 0) {
    bytes /= 1024;
    unit++;
  }
  return absl::StrCat(bytes, kUnits[unit]);
}

Watch::Watch(const Limits& limits, std::function<void(const Report&)> show)
    : limits_(limits), show_(std::move(show)), begin_(SteadySeconds()) {}

double Watch::Seconds() const { return SteadySeconds() - begin_; }

void Watch::Interrupt() { interrupted.store(true, std::memory_order_relaxed); }

bool Watch::Stop(const Progress& progress) {
  if (stopped()) return true;
  const double now = Seconds();
  if (interrupted.load(std::memory_order_relaxed)) {
    reason_ = "interrupted";
  } else if (limits_.seconds > 0 && now >= limits_.seconds) {
    reason_ = absl::StrCat("bound of ", limits_.seconds, " s");
  } else if (limits_.memory > 0 && ResidentMemory() >= limits_.memory) {
    reason_ = absl::StrCat("bound of ", PrintBytes(limits_.memory));
  } else if (show_ && now >= shown_at_ + 1) {
    Show(progress, now);
  }
  return stopped();
}

void Watch::Show(const Progress& progress, double now) {
  // A new search begins at zero again.
  if (progress.states < shown_states_) shown_states_ = 0;
  const double rate = static_cast<double>(progress.states - shown_states_) / (now - shown_at_);
  show_({progress, now, rate, ResidentMemory()});
  shown_at_ = now;
  shown_states_ = progress.states;
}

}  // namespace iomode
