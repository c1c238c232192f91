// SPDX-License-Identifier: GPL-2.0-only
//
// Random scripts on the model's io-mode functions and on the kernel's own: the same outcome sets,
// findings and states. RapidCheck shrinks a disagreement to a shortest script. RC_PARAMS
// (max_success=N seed=N) changes how many are tried.

#include <gtest/gtest.h>

#include <iostream>

#include "conformance/source/built_source.h"
#include "conformance/source/random_compare.h"

namespace iomode {
namespace {

class RandomSource : public ::testing::TestWithParam<RandomKind> {};

TEST_P(RandomSource, AgreesWithTheModel) {
  if (BuiltSource().empty()) GTEST_SKIP() << BuiltSourceProblem();
  const RandomComparison all = CompareRandom(GetParam(), BuiltSource());
  std::cout << all.summary << "\n";
  EXPECT_EQ(all.error, "");
  EXPECT_TRUE(all.agree);
  EXPECT_GT(all.compared, all.incomplete);
}

constexpr const char* kNames[] = {"Core",  "Lifetimes",  "Aio",         "Cache",
                                  "Rules", "TwoThreads", "ThreeThreads"};
INSTANTIATE_TEST_SUITE_P(Random, RandomSource,
                         ::testing::Values(RandomKind::kCore, RandomKind::kLifetimes,
                                           RandomKind::kAio, RandomKind::kCache, RandomKind::kRules,
                                           RandomKind::kTwoThreads, RandomKind::kThreeThreads),
                         [](const auto& info) { return kNames[static_cast<int>(info.param)]; });

// The comparison would see a difference.
TEST(RandomSourceItself, FindsAChange) {
  if (BuiltSource().empty()) GTEST_SKIP() << BuiltSourceProblem();
  const std::string tree = TestFolder("changed");
  const Command edit =
      Shell("mkdir -p " + tree + " && cp -r " + BuiltSourceFolder() + "/. " + tree +
            " && sed -i 's/iocachectr > 0/iocachectr > 1/' " + tree + "/fs/fuse/iomode.c");
  ASSERT_EQ(edit.exit_code, 0) << edit.errors;
  const Command build = RunBuild("--tree " + tree);
  ASSERT_EQ(build.exit_code, 0) << build.errors;
  for (const RandomKind kind : {RandomKind::kRules, RandomKind::kTwoThreads}) {
    EXPECT_EQ(ScriptsUntilDifference(kind, BuiltSource(), 500), 0);
    const uint64_t scripts = ScriptsUntilDifference(kind, build.output, 500);
    EXPECT_GT(scripts, 0);
    std::cout << scripts << " scripts until one differs\n";
  }
}

}  // namespace
}  // namespace iomode
