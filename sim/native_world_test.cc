// SPDX-License-Identifier: GPL-2.0-only
//
// The Native world's locks and sleeps between threads.

#include "sim/native_world.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <vector>

namespace iomode {
namespace {

using W = NativeWorld;

void SleepShortly() { std::this_thread::sleep_for(std::chrono::milliseconds(20)); }

TEST(NativeWorldTest, SpinLockExcludes) {
  W::SpinLock lock = {};
  int64_t count = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; t++) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20000; i++) {
        W::spin_lock(lock);
        count++;
        W::spin_unlock(lock);
      }
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(count, 80000);
}

TEST(NativeWorldTest, RwSemExcludesWritersAndStarvesNobody) {
  W::RwSem sem = {};
  int64_t count = 0;
  std::atomic<int> inside = 0;
  std::atomic<int> together = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; t++) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 5000; i++) {
        if (t % 2 == 0) {
          W::down_write(sem);
          count++;
          if (i % 3 == 0) {
            W::downgrade_write(sem);
            W::up_read(sem);
          } else {
            W::up_write(sem);
          }
        } else {
          W::down_read(sem);
          const int64_t seen = count;
          if (inside.fetch_add(1) > 0) together++;
          std::this_thread::yield();
          EXPECT_EQ(count, seen);
          inside--;
          W::up_read(sem);
        }
      }
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(count, 10000);
  EXPECT_GT(together, 0) << "readers never overlapped";
  EXPECT_EQ(sem.state.load(), 0u);
}

TEST(NativeWorldTest, AWaitingWriterKeepsNewReadersOut) {
  W::RwSem sem = {};
  W::down_read(sem);
  std::thread writer([&] {
    W::down_write(sem);
    W::up_write(sem);
  });
  while (sem.TryLockShared()) {
    sem.UnlockShared();
    std::this_thread::yield();
  }
  W::up_read(sem);
  writer.join();
  EXPECT_TRUE(sem.TryLockShared());
}

TEST(NativeWorldTest, ASleeperNeedsAWakeup) {
  W::WaitQueue queue = {};
  std::atomic<bool> condition = false;
  std::atomic<bool> awake = false;
  std::thread sleeper([&] {
    W::wait_event(queue, [&] { return condition.load(); });
    awake = true;
  });
  while (queue.sleepers == 0) std::this_thread::yield();
  SleepShortly();
  condition = true;
  SleepShortly();
  EXPECT_FALSE(awake) << "woke up although nobody woke it";
  W::wake_up(queue);
  sleeper.join();
  EXPECT_EQ(queue.sleepers, 0u);
}

TEST(NativeWorldTest, NoWakeupIsLostBetweenTestAndSleep) {
  W::WaitQueue queue = {};
  std::atomic<int> turn = 0;
  const auto play = [&](int me) {
    for (int i = 0; i < 20000; i++) {
      W::wait_event(queue, [&] { return turn.load(std::memory_order_acquire) == me; });
      turn.store(1 - me, std::memory_order_release);
      W::wake_up(queue);
    }
  };
  std::thread other([&] { play(1); });
  play(0);
  other.join();
}

TEST(NativeWorldTest, AGracePeriodWaitsForReaders) {
  W::RcuState rcu = {};
  std::atomic<bool> over = false;
  W::rcu_read_lock(rcu);
  std::thread updater([&] {
    EXPECT_TRUE(W::rcu_idle(rcu));
    over = true;
  });
  SleepShortly();
  EXPECT_FALSE(over);
  EXPECT_FALSE(W::rcu_read_unlock(rcu));
  updater.join();
}

TEST(NativeWorldDeathTest, ReportsUseAfterPut) {
  W::Refcount count = {};
  EXPECT_DEATH(W::refcount_inc(count), "use-after-put: a reference is taken");
}

}  // namespace
}  // namespace iomode
