// SPDX-License-Identifier: GPL-2.0-only
//
// The whole command on the running kernel. Skipped, with the command's own reason, where it cannot
// run scripts there.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conformance/kernel/child_process.h"
#include "conformance/kernel/scratch_folder.h"

namespace iomode::conform {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kSkipped = 4;

ChildResult Conform(const std::vector<std::string>& arguments) {
  std::vector<std::string> command = {"cli/iomode", "conform"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  const auto result = RunChild(command);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? *result : ChildResult{};
}

TEST(NativeTest, TheRunningKernelAgrees) {
  const ChildResult result =
      Conform({"--quiet", "scenarios/waits", "scenarios/parallel", "scenarios/backing"});
  if (result.exit == kSkipped) GTEST_SKIP() << result.err;
  EXPECT_EQ(result.exit, 0) << result.out << result.err;
  EXPECT_THAT(result.out, HasSubstr(" 0 disagree"));
}

TEST(NativeTest, TheLostWakeupIsShown) {
  const ChildResult result = Conform({"scenarios/hazards/H1-lost-wakeup.iom"});
  if (result.exit == kSkipped) GTEST_SKIP() << result.err;
  EXPECT_EQ(result.exit, 0) << result.out << result.err;
  EXPECT_THAT(result.out, HasSubstr("CONFIRMED  scenarios/hazards/H1-lost-wakeup.iom"));
  EXPECT_THAT(result.out, HasSubstr("the kernel shows, lost-wakeup after step 5"));
}

TEST(NativeTest, AModelThatIsWrongOnPurposeIsReported) {
  const ChildResult result =
      Conform({"--flip", "attach_wakes_waiters", "scenarios/hazards/H1-lost-wakeup.iom"});
  if (result.exit == kSkipped) GTEST_SKIP() << result.err;
  EXPECT_EQ(result.exit, 1) << result.out << result.err;
  EXPECT_THAT(result.out, HasSubstr("DISAGREE  scenarios/hazards/H1-lost-wakeup.iom"));
  EXPECT_THAT(result.out, HasSubstr("step 5: open p A PASSTHROUGH backing=B1\n"
                                    "    kernel  -> 0\n"
                                    "    model   -> 0; 4 -> EIO\n"));
}

TEST(NativeTest, TheRunningKernelTakesEveryEdge) {
  const ChildResult result = Conform({"--quiet", "--tour"});
  if (result.exit == kSkipped) GTEST_SKIP() << result.err;
  EXPECT_EQ(result.exit, 0) << result.out << result.err;
  EXPECT_THAT(result.out, HasSubstr(" edges taken on the kernel\n"));
  EXPECT_THAT(result.out, Not(HasSubstr("no run got to where it starts")));
  EXPECT_THAT(result.out, HasSubstr(" 0 disagree"));
}

TEST(NativeTest, ReportsInJunit) {
  const ScratchFolder folder = *ScratchFolder::Make();
  const std::string junit = folder.path() + "/junit.xml";
  const ChildResult result =
      Conform({"--ktap", "--junit", junit, "scenarios/waits/cached-open-waits.iom",
               "scenarios/litmus/write-abort.iom"});
  if (result.exit == kSkipped) GTEST_SKIP() << result.err;
  EXPECT_EQ(result.exit, 0) << result.out << result.err;
  EXPECT_THAT(result.out, HasSubstr("1..2\nok 1 scenarios/waits/cached-open-waits.iom\n"
                                    "ok 2 scenarios/litmus/write-abort.iom # SKIP "));
  const auto content = ReadWholeFile(junit);
  ASSERT_TRUE(content.ok());
  EXPECT_THAT(*content, HasSubstr("tests=\"2\" failures=\"0\" skipped=\"1\""));
}

TEST(NativeTest, SaysWhatOptionsDoNotGoTogether) {
  EXPECT_THAT(Conform({"--trace", "1"}).err, HasSubstr("--trace builds a kernel, for --on qemu"));
  EXPECT_THAT(Conform({"--tour", "scenarios/waits"}).err,
              HasSubstr("name scripts, or --tour, or --trace"));
  EXPECT_THAT(Conform({"--trace", "1", "--on", "qemu", "--repeat", "2"}).err,
              HasSubstr("a load is traced once"));
}

}  // namespace
}  // namespace iomode::conform
