// SPDX-License-Identifier: GPL-2.0-only
//
// Stress on real threads. Meant to run under the sanitizers, too: bazel test --config=tsan.
//
// By hand, with other numbers: --seed=7 --threads=16 --operations=20000 --rounds=10, each from a
// new seed on. A seed fixes what each thread does, not how the threads interleave.

#include "props/stress_run.h"
// The model comes before the system's headers.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "props/stress_watchdog.h"

namespace iomode {
namespace {

using W = StressWorld;

struct Flags {
  uint64_t seed = 1;
  int threads = 0;     // 0: as the test says
  int operations = 0;  // 0: as the test says
  int rounds = 1;
};
Flags& TheFlags() {
  static Flags flags;
  return flags;
}

// Runs `options` as the command line changes them, and checks that what matters did happen.
void RunAndCheck(StressOptions options, bool overlaps = false) {
  const Flags& flags = TheFlags();
  if (flags.threads != 0) options.threads = flags.threads;
  if (flags.operations != 0) options.operations = flags.operations;
  for (int round = 0; round < flags.rounds; round++) {
    options.seed = flags.seed + static_cast<uint64_t>(round);
    const std::string what = PrintStressOptions(options);
    std::printf("%s\n", what.c_str());
    std::fflush(stdout);
    const StressResult result = RunStress(options);
    EXPECT_TRUE(result.problems.empty()) << what << "\n" << absl::StrJoin(result.problems, "\n");
    std::printf("  %d lost wakeups, %d nowrites met, %d times a write found others in flight\n",
                static_cast<int>(result.lost_wakeups), static_cast<int>(result.met_nowrites),
                static_cast<int>(result.parallel_writes));
    if (overlaps) {
      EXPECT_GT(result.parallel_writes, 0) << "no two writes overlapped: " << what;
    }
    for (int k = 0; k < kStressKinds; k++) {
      const StressKind kind = static_cast<StressKind>(k);
      const bool backing = kind == StressKind::kBackingOpen || kind == StressKind::kBackingClose;
      if (backing && (options.caps & CONN_WRITEBACK_CACHE)) continue;
      EXPECT_GT(result.succeeded[k], 0) << StressKindName(kind) << " never succeeded: " << what;
    }
  }
}

TEST(NativeStressTest, TwoThreadsOnOneInode) {
  StressOptions options;
  options.threads = 2;
  options.operations = 10000;
  options.objects.inodes = 1;
  options.objects.slots = 4;
  RunAndCheck(options);
}

TEST(NativeStressTest, SlowServer) {
  StressOptions options;
  options.objects.inodes = 1;
  options.objects.slots = 6;
  options.objects.parallel_percent = 85;
  options.threads = 8;
  options.operations = 2000;
  options.server.threads = 3;
  options.server.hand_over_one_in = 2;
  options.server.max_latency = std::chrono::microseconds(500);
  RunAndCheck(options, true);
}

TEST(NativeStressTest, SixteenThreads) {
  StressOptions options;
  options.threads = 16;
  options.operations = 2000;
  options.server.hand_over_one_in = 4;
  RunAndCheck(options);
}

TEST(NativeStressTest, WritebackCache) {
  StressOptions options;
  options.caps |= CONN_WRITEBACK_CACHE | CONN_ATOMIC_O_TRUNC;
  options.operations = 4000;
  options.server.hand_over_one_in = 4;
  RunAndCheck(options);
}

TEST(NativeStressTest, SynchronousReads) {
  StressOptions options;
  options.caps = CONN_PASSTHROUGH | CONN_NO_ASYNC_READ | CONN_AUTO_INVAL_DATA |
                 CONN_DIRECT_IO_ALLOW_MMAP | CONN_ATOMIC_O_TRUNC;
  options.operations = 4000;
  RunAndCheck(options);
}

TEST(NativeStressTest, ErrorsAndNoMemory) {
  StressOptions options;
  options.operations = 4000;
  options.allocation_fails_one_in = 25;
  options.server.error_one_in = 25;
  options.server.hand_over_one_in = 4;
  RunAndCheck(options);
}

// All revisions whose own code has no bug that the run would report: no write that marks its file,
// and no false EBUSY.
TEST(NativeStressTest, EveryRevision) {
  int revisions = 0;
  for (const Revision& revision : Revisions()) {
    const Rules& rules = revision.rules;
    if (rules.parallel_write_marks_file || rules.null_backing_is_busy ||
        rules.passthrough != Passthrough::kFull)
      continue;
    revisions++;
    StressOptions options;
    options.revision = &revision;
    options.operations = 2000;
    options.objects.inodes = 1;
    options.server.hand_over_one_in = 4;
    RunAndCheck(options);
  }
  EXPECT_GT(revisions, 2);
}

TEST(StressSequenceTest, TheSeedFixesWhatAThreadDoes) {
  const StressObjects objects;
  StressSequence one(7, 3, objects);
  StressSequence same(7, 3, objects);
  StressSequence other(8, 3, objects);
  int different = 0;
  for (int i = 0; i < 1000; i++) {
    const std::string op = PrintStressOp(one.Next());
    EXPECT_EQ(op, PrintStressOp(same.Next()));
    different += op != PrintStressOp(other.Next());
  }
  EXPECT_GT(different, 900);
}

// A cached opener sleeps for a parallel write; a passthrough open attaches a backing meanwhile.
// Whether the sleeper is woken then is a rule of the revision.
void LoseAWakeup(const Revision& revision) {
  NativeKernel<W> kernel(revision.rules, NativeOptions());
  FuseInode<W>& fi = kernel.inode(0);
  ASSERT_EQ(kernel.BackingOpen(0), 1);
  ASSERT_EQ(fuse_inode_uncached_io_start(fi, static_cast<FuseBacking<W>*>(nullptr)), 0);
  StressThread state(1);
  File<W>* cached = nullptr;
  int result = 1;
  std::thread opener([&] {
    StressProbe::self = &state;
    result = kernel.Open(0, OPEN_READ, {}, &cached);
    state.finished = true;
  });
  while (state.sleeps_on != &fi.direct_io_waitq) std::this_thread::yield();
  File<W>* passthrough = nullptr;
  ASSERT_EQ(kernel.Open(0, OPEN_READ | OPEN_WRITE, {FOPEN_PASSTHROUGH, 0}, &passthrough), 0);
  fuse_inode_uncached_io_end(fi);
  if (revision.rules.attach_wakes_waiters) {
    opener.join();
    EXPECT_EQ(result, -EIO);
    vfs_close(kernel.conn(), passthrough);
  } else {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    EXPECT_FALSE(state.finished) << "woke up although nobody woke it";
    EXPECT_STREQ(state.function.load(), "fuse_file_cached_io_open");
    vfs_close(kernel.conn(), passthrough);
    opener.join();
    EXPECT_EQ(result, 0);
    vfs_close(kernel.conn(), cached);
  }
  kernel.Drain();
  EXPECT_EQ(kernel.CheckClosed(), std::vector<std::string>());
  EXPECT_EQ(kernel.TakeDown(), std::vector<std::string>());
  EXPECT_EQ(StressProbe::TakeReports(), std::vector<std::string>());
}

TEST(NativeLostWakeupTest, IsThereUnlessAttachingWakes) {
  int with = 0;
  for (const Revision& revision : Revisions()) {
    const Rules& rules = revision.rules;
    if (!rules.cached_open_waits || rules.passthrough != Passthrough::kFull) continue;
    SCOPED_TRACE(revision.name);
    LoseAWakeup(revision);
    with += !rules.attach_wakes_waiters;
  }
  EXPECT_GT(with, 0);
}

TEST(StressChecksTest, AForgottenReferenceIsFound) {
  NativeKernel<W> kernel(NewestRevision().rules, NativeOptions());
  ASSERT_EQ(fuse_inode_uncached_io_start(kernel.inode(0), static_cast<FuseBacking<W>*>(nullptr)),
            0);
  kernel.Drain();
  const std::vector<std::string> wrong = kernel.CheckClosed();
  ASSERT_EQ(wrong.size(), 1u);
  EXPECT_NE(wrong[0].find("an io-mode reference is left"), std::string::npos) << wrong[0];
  kernel.TakeDown();
  EXPECT_NE(absl::StrJoin(StressProbe::TakeReports(), "\n").find("warn: fi->iocachectr != 0"),
            std::string::npos);
}

TEST(StressWatchdogDeathTest, TellsWhoSleepsOnWhat) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto stall = [] {
    StressOptions options;
    options.stall_limit = std::chrono::seconds(1);
    StressMachine machine(options.revision->rules, NativeOptions(), options.objects);
    W::down_write(machine.kernel.inode(0).i_rwsem);
    std::deque<StressThread> threads;
    threads.emplace_back(1);
    std::thread reader([&] {
      StressProbe::self = &threads[0];
      const W::Function function("fuse_dio_lock");
      W::down_read(machine.kernel.inode(0).i_rwsem);
    });
    StressWatchdog(machine, options, threads).RunUntilFinished();
    reader.join();
  };
  EXPECT_EXIT(stall(), ::testing::ExitedWithCode(3),
              "inode 0: .* i_rwsem=X\n.*thread 0: operation 1 .* in fuse_dio_lock, asleep in "
              "down_read on inode 0: i_rwsem");
}

}  // namespace
}  // namespace iomode

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  iomode::Flags& flags = iomode::TheFlags();
  for (int i = 1; i < argc; i++) {
    absl::string_view text = argv[i];
    const bool good =
        (absl::ConsumePrefix(&text, "--seed=") && absl::SimpleAtoi(text, &flags.seed)) ||
        (absl::ConsumePrefix(&text, "--threads=") && absl::SimpleAtoi(text, &flags.threads)) ||
        (absl::ConsumePrefix(&text, "--operations=") &&
         absl::SimpleAtoi(text, &flags.operations)) ||
        (absl::ConsumePrefix(&text, "--rounds=") && absl::SimpleAtoi(text, &flags.rounds));
    if (!good) {
      std::fprintf(stderr, "%s: expected --seed=N, --threads=N, --operations=N or --rounds=N\n",
                   argv[i]);
      return 2;
    }
  }
  return RUN_ALL_TESTS();
}
