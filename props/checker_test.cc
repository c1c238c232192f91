// SPDX-License-Identifier: GPL-2.0-only
//
// The checker checked: classic little programs written against the scheduled world itself, each
// broken and fixed. The bug must be found in the one and not in the other; by naive enumeration of
// schedules, and by a search that saves, restores and merges states.

#include <algorithm>
#include <set>
#include <vector>

#include "props/naive_enumerator.h"
#include "props/property.h"
#include "sim/scheduled_world.h"

namespace iomode {
namespace {

using W = ScheduledWorld;

// What all programs share; in the arena.
struct Shared {
  W::Atomic<int> value;
  W::Atomic<int> flag[2];
  W::Atomic<int> turn;
  W::SpinLock lock[2];
  W::RwSem sem;
  W::WaitQueue queue;
  W::Refcount count;
  int inside;     // tasks in the critical section
  bool violated;  // what the program promises does not hold
};

using Body = void (*)(Shared&, int task);

// `tasks` tasks that run one body.
class Program : public Subject, public WorldListener {
 public:
  Program(Body body, int tasks) : body_(body), scheduler_(1 << 12, tasks) {
    shared_ = scheduler_.Allocate<Shared>();
    W::refcount_set(shared_->count, 1);
    W::listener = this;
    for (int i = 0; i < tasks; i++) scheduler_.Spawn(&Main, this, static_cast<uint32_t>(i));
  }
  ~Program() override { W::listener = nullptr; }

  Scheduler& scheduler() override { return scheduler_; }
  void Resumed(int slot) override {
    if (scheduler_.task(slot).pending == Pending::kDone) scheduler_.Reap(slot);
  }
  const Shared& shared() const { return *shared_; }
  bool stuck() {
    bool any = false;
    for (int i = 0; i < scheduler_.task_count(); i++) any |= scheduler_.live(i);
    return any;
  }

  void Warn(const char*) override { shared_->violated = true; }
  void FalseBusy(const char*) override { shared_->violated = true; }
  void BadRefcount(const void*, const char*, bool) override { shared_->violated = true; }
  void Leak(const void*, const char*) override { shared_->violated = true; }
  void BadLock(const void*, const char*) override { shared_->violated = true; }
  void Trace(const char*, const void*, int64_t) override {}

 private:
  static void Main(void* self, uint32_t task) {
    auto* program = static_cast<Program*>(self);
    program->body_(*program->shared_, static_cast<int>(task));
  }

  Body body_;
  Scheduler scheduler_;
  Shared* shared_;
};

// How a program can end.
struct Ends {
  std::set<int> values;  // of Shared::value
  bool stuck = false;
  bool violated = false;
  uint64_t count = 0;  // schedules or states

  void Note(Program& program) {
    values.insert(program.shared().value.value);
    stuck |= program.stuck();
    violated |= program.shared().violated;
  }
  bool Contains(const Ends& other) const {
    return std::includes(values.begin(), values.end(), other.values.begin(), other.values.end()) &&
           stuck >= other.stuck && violated >= other.violated;
  }
};

Ends BySchedules(Body body, int tasks, bool* complete) {
  Ends ends;
  const NaiveStats stats = EnumerateSchedules(
      [=] { return std::make_unique<Program>(body, tasks); },
      [&ends](Subject& subject) { ends.Note(static_cast<Program&>(subject)); }, 10'000);
  *complete = stats.complete;
  ends.count = stats.schedules;
  return ends;
}

Ends ByStates(Body body, int tasks) {
  Ends ends;
  Program program(body, tasks);
  Scheduler& scheduler = program.scheduler();
  std::set<std::pair<uint64_t, uint64_t>> seen;
  std::vector<Snapshot> open(1);
  open.back().Save(scheduler);
  while (!open.empty()) {
    const Snapshot state = std::move(open.back());
    open.pop_back();
    state.Restore(scheduler);
    const Hash128 key = scheduler.Key();
    if (!seen.insert({key.lo, key.hi}).second) continue;
    bool rest = true;
    for (int slot = 0; slot < tasks; slot++) {
      state.Restore(scheduler);
      if (!scheduler.Enabled(slot)) continue;
      rest = false;
      scheduler.Resume(slot);
      program.Resumed(slot);
      open.emplace_back();
      open.back().Save(scheduler);
    }
    if (rest) ends.Note(program);
  }
  ends.count = seen.size();
  return ends;
}

Ends AllEnds(Body body, int tasks = 2) {
  bool complete = false;
  const Ends naive = BySchedules(body, tasks, &complete);
  const Ends merged = ByStates(body, tasks);
  EXPECT_GT(naive.count, 1u) << "the program has one schedule only";
  EXPECT_TRUE(merged.Contains(naive)) << "merging states loses ends";
  if (complete) {
    EXPECT_TRUE(naive.Contains(merged)) << "merging states invents ends";
  }
  return merged;
}

TEST(LostUpdate, FoundWithoutALock) {
  const Ends ends = AllEnds([](Shared& s, int) {
    const int old = W::READ_ONCE(s.value);
    W::WRITE_ONCE(s.value, old + 1);
  });
  EXPECT_EQ(ends.values, (std::set<int>{1, 2}));
}

TEST(LostUpdate, NotFoundWithALock) {
  const Ends ends = AllEnds([](Shared& s, int) {
    W::spin_lock(s.lock[0]);
    const int old = W::READ_ONCE(s.value);
    W::WRITE_ONCE(s.value, old + 1);
    W::spin_unlock(s.lock[0]);
  });
  EXPECT_EQ(ends.values, std::set<int>{2});
  EXPECT_FALSE(ends.stuck);
}

TEST(LostUpdate, NotFoundWithAtomicIncrement) {
  EXPECT_EQ(AllEnds([](Shared& s, int) { W::increment(s.value); }, 3).values, std::set<int>{3});
}

TEST(LostUpdate, FoundWhenReadUnderOneLockAndWrittenUnderTheNext) {
  const Ends ends = AllEnds([](Shared& s, int) {
    W::spin_lock(s.lock[0]);
    const int old = W::READ_ONCE(s.value);
    W::spin_unlock(s.lock[0]);
    W::spin_lock(s.lock[0]);
    W::WRITE_ONCE(s.value, old + 1);
    W::spin_unlock(s.lock[0]);
  });
  EXPECT_EQ(ends.values, (std::set<int>{1, 2}));
}

void LockBoth(Shared& s, int first) {
  W::spin_lock(s.lock[first]);
  W::increment(s.value);
  W::spin_lock(s.lock[1 - first]);
  W::increment(s.value);
  W::spin_unlock(s.lock[1 - first]);
  W::spin_unlock(s.lock[first]);
}

TEST(Lock, ReleasedByWhoDoesNotHoldItIsFound) {
  EXPECT_TRUE(AllEnds([](Shared& s, int task) {
                if (task == 0) W::spin_lock(s.lock[0]);
                W::spin_unlock(s.lock[0]);
              }).violated);
  EXPECT_TRUE(AllEnds([](Shared& s, int task) {
                if (task == 0) W::down_write(s.sem);
                W::up_write(s.sem);
              }).violated);
  EXPECT_TRUE(AllEnds([](Shared& s, int) { W::up_read(s.sem); }).violated);
}

TEST(Lock, SleepUnderASpinLockIsFound) {
  const Ends ends = AllEnds([](Shared& s, int) {
    W::spin_lock(s.lock[0]);
    W::down_read(s.sem);
    W::up_read(s.sem);
    W::spin_unlock(s.lock[0]);
  });
  EXPECT_TRUE(ends.violated);
}

TEST(LockOrder, DeadlockFoundWhenItDiffers) {
  EXPECT_TRUE(AllEnds([](Shared& s, int task) { LockBoth(s, task); }).stuck);
}

TEST(LockOrder, NoDeadlockWhenItIsTheSame) {
  const Ends ends = AllEnds([](Shared& s, int) { LockBoth(s, 0); });
  EXPECT_FALSE(ends.stuck);
  EXPECT_EQ(ends.values, std::set<int>{4});
}

void SetAndWake(Shared& s) {
  W::WRITE_ONCE(s.flag[0], 1);
  W::wake_up(s.queue);
}

// Tests, then queues and sleeps without a second test.
TEST(LostWakeup, FoundWhenTheSleeperDoesNotTestAgain) {
  const Ends ends = AllEnds([](Shared& s, int task) {
    if (task == 1) return SetAndWake(s);
    if (W::READ_ONCE(s.flag[0])) return;
    W::operation("queues on", &s.queue);
    s.queue.sleepers |= uint64_t{1} << W::scheduler().SlotOf(&W::self());
    W::Sleep(&s.queue);
  });
  EXPECT_TRUE(ends.stuck);
}

TEST(LostWakeup, FoundWhenTheWakerWakesTooEarly) {
  const Ends ends = AllEnds([](Shared& s, int task) {
    if (task == 0) return W::wait_event(s.queue, [&s] { return W::READ_ONCE(s.flag[0]) != 0; });
    W::wake_up(s.queue);
    W::WRITE_ONCE(s.flag[0], 1);
  });
  EXPECT_TRUE(ends.stuck);
}

TEST(LostWakeup, NotFoundWithWaitEvent) {
  const Ends ends = AllEnds(
      [](Shared& s, int task) {
        if (task == 2) return SetAndWake(s);
        W::wait_event(s.queue, [&s] { return W::READ_ONCE(s.flag[0]) != 0; });
      },
      3);
  EXPECT_FALSE(ends.stuck);
}

// Mutual exclusion; instead of spinning, a task that has to wait sleeps until a flag or the turn
// changes.
void CriticalSection(Shared& s) {
  W::operation("enters", &s.inside);
  if (++s.inside > 1) s.violated = true;
  W::operation("leaves", &s.inside);
  s.inside--;
}

void Await(Shared& s, int me, bool with_turn) {
  W::wait_event(s.queue, [&s, me, with_turn] {
    return W::READ_ONCE(s.flag[1 - me]) == 0 || (with_turn && W::READ_ONCE(s.turn) == me);
  });
}

void Announce(Shared& s, W::Atomic<int>& what, int value) {
  W::WRITE_ONCE(what, value);
  W::wake_up(s.queue);
}

TEST(Peterson, Excludes) {
  const Ends ends = AllEnds([](Shared& s, int me) {
    Announce(s, s.flag[me], 1);
    Announce(s, s.turn, 1 - me);
    Await(s, me, true);
    CriticalSection(s);
    Announce(s, s.flag[me], 0);
  });
  EXPECT_FALSE(ends.violated);
  EXPECT_FALSE(ends.stuck);
}

TEST(Peterson, TwoInsideFoundWhenTheTurnIsGivenBeforeTheFlagIsSet) {
  const Ends ends = AllEnds([](Shared& s, int me) {
    Announce(s, s.turn, 1 - me);
    Announce(s, s.flag[me], 1);
    Await(s, me, true);
    CriticalSection(s);
    Announce(s, s.flag[me], 0);
  });
  EXPECT_TRUE(ends.violated);
}

TEST(Peterson, DeadlockFoundWithoutTheTurn) {
  const Ends ends = AllEnds([](Shared& s, int me) {
    Announce(s, s.flag[me], 1);
    Await(s, me, false);
    CriticalSection(s);
    Announce(s, s.flag[me], 0);
  });
  EXPECT_TRUE(ends.stuck);
  EXPECT_FALSE(ends.violated);
}

TEST(RwSem, WriterExcludesEverybody) {
  const Ends ends = AllEnds(
      [](Shared& s, int task) {
        if (task == 0) {
          W::down_read(s.sem);
          if (s.inside != 0) s.violated = true;
          W::up_read(s.sem);
        } else {
          W::down_write(s.sem);
          CriticalSection(s);
          W::up_write(s.sem);
        }
      },
      3);
  EXPECT_FALSE(ends.violated);
  EXPECT_FALSE(ends.stuck);
}

TEST(RwSem, ReadersThatWriteAreFound) {
  const Ends ends = AllEnds([](Shared& s, int) {
    W::down_read(s.sem);
    CriticalSection(s);
    W::up_read(s.sem);
  });
  EXPECT_TRUE(ends.violated);
  EXPECT_FALSE(ends.stuck);
}

TEST(RwSem, UpgradeDeadlocks) {
  const Ends ends = AllEnds([](Shared& s, int) {
    W::down_read(s.sem);
    W::down_write(s.sem);
    W::up_write(s.sem);
    W::up_read(s.sem);
  });
  EXPECT_TRUE(ends.stuck);
}

// Task 0 drops the only reference while task 1 takes one of its own.
TEST(Refcount, UseAfterPutFoundWithAPlainGet) {
  const Ends ends = AllEnds([](Shared& s, int task) {
    if (task == 1) W::refcount_inc(s.count);
    W::refcount_dec_and_test(s.count);
  });
  EXPECT_TRUE(ends.violated);
}

TEST(Refcount, NothingFoundWithIncNotZero) {
  const Ends ends = AllEnds([](Shared& s, int task) {
    if (task == 1 && !W::refcount_inc_not_zero(s.count)) return;
    W::refcount_dec_and_test(s.count);
  });
  EXPECT_FALSE(ends.violated);
}

TEST(Choose, EveryValueIsTried) {
  const Ends ends = [] {
    Ends all;
    EnumerateSchedules(
        [] {
          return std::make_unique<Program>(
              [](Shared& s, int) { W::WRITE_ONCE(s.value, W::choose(4)); }, 1);
        },
        [&all](Subject& subject) { all.Note(static_cast<Program&>(subject)); }, 100);
    return all;
  }();
  EXPECT_EQ(ends.values, (std::set<int>{0, 1, 2, 3}));
}

}  // namespace
}  // namespace iomode
