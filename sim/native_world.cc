// SPDX-License-Identifier: GPL-2.0-only

#include "sim/native_world.h"

#include <cstdio>
#include <cstdlib>
#include <thread>

namespace iomode {
namespace {

// Spins some rounds, then lets others run: with more threads than processors the one that is waited
// for may not be running.
class Backoff {
 public:
  void Pause() {
    if (++rounds_ > kSpins) {
      std::this_thread::yield();
      return;
    }
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
  }

 private:
  static constexpr int kSpins = 40;
  int rounds_ = 0;
};

}  // namespace

void NativeSpinLock::LockSlowly() {
  Backoff backoff;
  do {
    while (locked.load(std::memory_order_relaxed) != 0) backoff.Pause();
  } while (!TryLock());
}

void NativeWaitQueue::WakeSleepers() {
  wakeups.fetch_add(1);
  wakeups.notify_all();
}

void NativeCompletion::Wait() {
  uint32_t s = 0;
  if (state.compare_exchange_strong(s, kAwaited) || s == kAwaited) state.wait(kAwaited);
}

void NativeRwSem::LockSharedSlowly() {
  while (!TryLockShared()) {
    uint32_t s = state.load();
    if (!(s & (kWriter | kWriterWaits))) continue;
    if ((s & kSleepers) || state.compare_exchange_strong(s, s | kSleepers))
      state.wait(s | kSleepers);
  }
}

void NativeRwSem::LockSlowly() {
  constexpr uint32_t kWait = kSleepers | kWriterWaits;
  while (!TryLock()) {
    uint32_t s = state.load();
    if (!(s & (kWriter | kReaders))) continue;
    if ((s & kWait) == kWait || state.compare_exchange_strong(s, s | kWait)) state.wait(s | kWait);
  }
}

void NativeRcu::Synchronize() {
  updating.Lock();
  Backoff backoff;
  const uint32_t old = phase.load();
  while (readers[1 - old].load() != 0) backoff.Pause();
  phase.store(1 - old);
  while (readers[old].load() != 0) backoff.Pause();
  updating.Unlock();
}

void NoProbe::Reports(const char* kind, const char* what, const void*) {
  std::fprintf(stderr, "%s: %s\n", kind, what);
  std::abort();
}

}  // namespace iomode
