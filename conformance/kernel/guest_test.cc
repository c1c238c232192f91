// SPDX-License-Identifier: GPL-2.0-only
//
// What goes into a guest and what comes out of it, without one.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "conformance/kernel/cpio.h"
#include "conformance/kernel/guest_stream.h"
#include "conformance/kernel/kernel_config.h"
#include "conformance/kernel/scratch_folder.h"

namespace iomode::conform {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(GuestStreamTest, TakesLinesAsTheyCome) {
  const ScratchFolder folder = *ScratchFolder::Make();
  const std::string path = folder.path() + "/results";
  KernelRuns runs;
  runs.outcomes.resize(2);
  GuestStream stream(path, &runs);
  stream.Read();
  EXPECT_FALSE(stream.up());

  AgentOutcome outcome;
  outcome.out = "1: wait 1 -> 0\n";
  outcome.kernel_log = {"WARNING: \"odd\""};
  outcome.step_us = {7, 90};
  const std::string first =
      absl::StrCat("{\"release\":\"6.12.1\"}\n{\"begin\":0}\n", ToJsonLine(0, outcome), "\n");
  const std::string second = "{\"begin\":1}\n{\"end\":true}\n";
  ASSERT_TRUE(WriteWholeFile(path, first.substr(0, first.size() - 5)).ok());
  stream.Read();
  EXPECT_TRUE(stream.up());
  EXPECT_EQ(stream.running(), 0);
  EXPECT_EQ(stream.done(), 0u);

  ASSERT_TRUE(WriteWholeFile(path, absl::StrCat(first, second)).ok());
  stream.Read();
  EXPECT_EQ(stream.done(), 1u);
  EXPECT_EQ(stream.running(), 1);
  EXPECT_TRUE(stream.ended());
  ASSERT_TRUE(runs.outcomes[0].has_value());
  EXPECT_EQ(runs.outcomes[0]->out, outcome.out);
  EXPECT_EQ(runs.outcomes[0]->kernel_log, outcome.kernel_log);
  EXPECT_EQ(runs.outcomes[0]->step_us, outcome.step_us);
  EXPECT_GT(runs.start_seconds, 0);
  EXPECT_FALSE(runs.outcomes[1].has_value());
}

TEST(GuestStreamTest, GarbageIsNoOutcome) {
  const ScratchFolder folder = *ScratchFolder::Make();
  const std::string path = folder.path() + "/results";
  KernelRuns runs;
  runs.outcomes.resize(1);
  GuestStream stream(path, &runs);
  ASSERT_TRUE(WriteWholeFile(path, "{\"script\":0}\n{\"script\":7,\"exit\":0}\nhello\n\n").ok());
  stream.Read();
  EXPECT_FALSE(runs.outcomes[0].has_value());
  EXPECT_EQ(stream.done(), 0u);
}

TEST(KernelComplaintTest, KnowsWhatIsWrong) {
  for (const char* line :
       {"WARNING: CPU: 0 PID: 1 at fs/fuse/iomode.c:20 fuse_file_io_release+0x1/0x2",
        "BUG: KASAN: slab-use-after-free in fuse_backing_put+0x1/0x2",
        "WARNING: possible circular locking dependency detected",
        "Kernel panic - not syncing: Fatal exception"}) {
    EXPECT_TRUE(IsKernelComplaint(line)) << line;
  }
  EXPECT_FALSE(IsKernelComplaint("fuse: init (API version 7.41)"));
}

TEST(CpioTest, NewcLayout) {
  CpioArchive archive;
  archive.AddFile("init", "#!", true);
  const std::string bytes = archive.Finish();
  EXPECT_EQ(bytes.size() % 4, 0u);
  EXPECT_EQ(bytes.substr(0, 6), "070701");
  EXPECT_EQ(bytes.substr(14, 8), "000081ED");  // mode 0100755
  EXPECT_EQ(bytes.substr(54, 8), "00000002");  // size
  EXPECT_EQ(bytes.substr(94, 8), "00000005");  // length of "init" and its end
  EXPECT_EQ(bytes.substr(110, 5), std::string("init\0", 5));
  EXPECT_EQ(bytes.substr(116, 2), "#!");  // on a multiple of 4
  EXPECT_THAT(bytes, HasSubstr("TRAILER!!!"));
}

TEST(KernelConfigTest, AFragmentWins) {
  const std::string lines = ConfigLines("CONFIG_KASAN=y\n# CONFIG_NET is not set\nnot a line\n");
  EXPECT_THAT(lines, HasSubstr("CONFIG_FUSE_PASSTHROUGH=y\n"));
  EXPECT_THAT(lines, HasSubstr("CONFIG_KASAN=y\n"));
  EXPECT_THAT(lines, HasSubstr("CONFIG_NET=n\n"));
}

TEST(KernelConfigTest, WhatCannotBeHadIsNamed) {
  EXPECT_THAT(MissingOptions("CONFIG_A=y\nCONFIG_B=y\nCONFIG_C=n\nCONFIG_D=5\n",
                             "CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_D=6\n"),
              ElementsAre("CONFIG_B=y", "CONFIG_D=5"));
}

}  // namespace
}  // namespace iomode::conform
