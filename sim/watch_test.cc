// SPDX-License-Identifier: GPL-2.0-only

#include "sim/watch.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "sim/estimate.h"
#include "sim/litmus.h"
#include "sim/script_parser.h"

namespace iomode {
namespace {

TEST(Watch, WithoutBoundsGoesOn) {
  Watch watch({});
  EXPECT_FALSE(watch.Stop({1, 1, 0}));
  EXPECT_FALSE(watch.stopped());
  EXPECT_EQ(watch.reason(), "");
}

TEST(Watch, StopsAtItsTimeAndStaysStopped) {
  Watch watch({.memory = 0, .seconds = 0.05});
  while (!watch.Stop({})) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(watch.reason(), "bound of 0.05 s");
  EXPECT_TRUE(watch.Stop({}));
}

TEST(Watch, StopsAtItsMemory) {
  const uint64_t bound = ((ResidentMemory() >> 20) + 64) << 20;
  Watch watch({.memory = bound, .seconds = 0});
  EXPECT_FALSE(watch.Stop({}));
  std::vector<char> much(96 << 20, 'x');
  EXPECT_TRUE(watch.Stop({}));
  EXPECT_EQ(watch.reason(), "bound of " + PrintBytes(bound));
  EXPECT_EQ(much[much.size() / 2], 'x');
}

TEST(Watch, ReportsOnceASecondWithTheRate) {
  std::vector<Watch::Report> reports;
  Watch watch({}, [&reports](const Watch::Report& report) { reports.push_back(report); });
  for (uint64_t states = 0; reports.empty(); states += 100) {
    EXPECT_FALSE(watch.Stop({states, 7, 0.5}));
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_GE(reports[0].seconds, 1);
  EXPECT_EQ(reports[0].progress.frontier, 7u);
  EXPECT_NEAR(reports[0].rate * reports[0].seconds, static_cast<double>(reports[0].progress.states),
              1);
  EXPECT_GT(reports[0].memory, 1u << 20);
  EXPECT_FALSE(watch.Due());
}

TEST(PrintBytes, TakesTheLargestWholeUnit) {
  EXPECT_EQ(PrintBytes(4ull << 30), "4 GiB");
  EXPECT_EQ(PrintBytes(1536 << 20), "1536 MiB");
  EXPECT_EQ(PrintBytes(1025), "1025 bytes");
}

TEST(EstimateKnown, IsNothingAtFirstAndAllAtTheEnd) {
  const absl::StatusOr<Script> script = ParseScript(
      "estimate", "inode A\nP0: open a A KEEP_CACHE\nP0: close a\nP1: open b A DIRECT_IO\n");
  ASSERT_TRUE(script.ok());
  Machine machine(*script, NewestRevision());
  machine.Start(0);
  machine.Start(2);
  Snapshot root;
  root.Save(machine.scheduler());
  const Hash128 before = machine.scheduler().Key();
  VisitedSet visited;
  EXPECT_EQ(EstimateKnown(machine, root, visited), 0);
  EXPECT_EQ(machine.scheduler().Key(), before);
  Explorer explorer(machine);
  explorer.Run(visited, 10, [] {});
  const double early = EstimateKnown(machine, root, visited);
  EXPECT_GT(early, 0);
  EXPECT_LT(early, 1);
  VisitedSet all;
  Explorer(machine).Run(all, 1'000'000, [] {});
  EXPECT_EQ(EstimateKnown(machine, root, all), 1);
}

// Last: it ends the Watches of this process.
TEST(WatchInterrupt, EndsEveryWatch) {
  Watch watch({});
  EXPECT_FALSE(watch.Stop({}));
  Watch::Interrupt();
  EXPECT_TRUE(watch.Stop({}));
  EXPECT_EQ(watch.reason(), "interrupted");
}

}  // namespace
}  // namespace iomode
