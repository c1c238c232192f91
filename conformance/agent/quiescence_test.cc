// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/agent/quiescence.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace iomode::agent {
namespace {

using std::chrono::milliseconds;

// A scene of one thread of this process, which sleeps or turns until told to end.
class OneTask : public Scene {
 public:
  explicit OneTask(bool turns) : thread_([this, turns] { Run(turns); }) {
    while (task_ == 0) usleep(100);
  }
  ~OneTask() override {
    end_ = true;
    thread_.join();
  }

  bool Pump() override {
    ++pumps;
    if (work == 0) return false;
    --work;
    return true;
  }
  void Wait(int microseconds) override { usleep(static_cast<useconds_t>(microseconds)); }
  std::optional<std::vector<TaskId>> Tasks() override {
    if (unknown) return std::nullopt;
    return std::vector<TaskId>{{getpid(), task_}};
  }
  bool AioIsHeld(const TaskId&) override { return false; }
  bool Cancelled() override { return cancelled; }

  int work = 0;  // how often there is still something to pump
  int pumps = 0;
  bool unknown = false;
  bool cancelled = false;

 private:
  void Run(bool turns) {
    task_ = gettid();
    while (!end_) {
      if (!turns) usleep(400000);
    }
  }

  std::atomic<pid_t> task_ = 0;
  std::atomic<bool> end_ = false;
  std::thread thread_;
};

absl::Status SettleWithin(Scene& scene, milliseconds limit) {
  return Quiescence().Settle(scene, Quiescence::Clock::now() + limit);
}

// One task in a kernel made up here.
class MadeUp : public Scene {
 public:
  bool Pump() override { return false; }
  void Wait(int) override {
    if (waits > 0 && --waits == 0) state = {'S', false, state.runs + 1};
  }
  std::optional<std::vector<TaskId>> Tasks() override { return std::vector<TaskId>{{1, 1}}; }
  bool AioIsHeld(const TaskId&) override { return false; }
  bool Cancelled() override { return false; }
  TaskReader Reader(bool counts_arrivals) {
    return {.state = [this](const TaskId&) { return state; },
            .channel = [this](const TaskId&) { return waits > 0 ? "" : "request_wait_answer"; },
            .counts_arrivals = counts_arrivals};
  }

  TaskState state = {'D', false, 1};
  int waits = 0;  // until it sleeps again; meanwhile it is on a CPU, with a sleeper's state
};

// Woken, it looks at its condition; that it has run is counted only when it leaves the CPU.
TEST(Quiescence, ATaskThatLooksAtItsConditionIsNotAsleep) {
  MadeUp scene;
  Quiescence quiescence(scene.Reader(false));
  const auto soon = Quiescence::Clock::now() + std::chrono::seconds(10);
  ASSERT_TRUE(quiescence.Settle(scene, soon).ok());
  scene.waits = 3;
  ASSERT_TRUE(quiescence.Settle(scene, soon).ok());
  EXPECT_EQ(scene.state.runs, 2u);
}

// It was given a CPU since the first look, so what it sleeps in now is no answer.
TEST(Quiescence, WhereItSleepsBelongsToTheSameLook) {
  MadeUp scene;
  scene.waits = 3;
  Quiescence quiescence(scene.Reader(true));
  ASSERT_TRUE(quiescence.Settle(scene, Quiescence::Clock::now() + std::chrono::seconds(10)).ok());
  EXPECT_EQ(scene.state.runs, 2u);
}

TEST(Quiescence, PumpsEverythingFirst) {
  OneTask scene(false);
  scene.work = 5;
  EXPECT_TRUE(SettleWithin(scene, milliseconds(10000)).ok());
  EXPECT_EQ(scene.work, 0);
}

TEST(Quiescence, AnUnclearSleepMustLast) {
  OneTask scene(false);
  const auto start = Quiescence::Clock::now();
  EXPECT_TRUE(SettleWithin(scene, milliseconds(10000)).ok());
  EXPECT_GE(Quiescence::Clock::now() - start, milliseconds(kStableMs));
}

TEST(Quiescence, ARunningTaskIsNamed) {
  OneTask scene(true);
  const absl::Status status = SettleWithin(scene, milliseconds(100));
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_NE(status.message().find(" runs"), absl::string_view::npos) << status;
}

TEST(Quiescence, WaitsForATaskThatIsNotKnownYet) {
  OneTask scene(false);
  scene.unknown = true;
  const absl::Status status = SettleWithin(scene, milliseconds(100));
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_NE(status.message().find("not started"), absl::string_view::npos) << status;
}

TEST(Quiescence, CanBeCancelled) {
  OneTask scene(true);
  scene.cancelled = true;
  EXPECT_EQ(SettleWithin(scene, milliseconds(10000)).code(), absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace iomode::agent
