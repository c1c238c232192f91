// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/trace/load_script.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace iomode::conform {
namespace {

TEST(LoadScriptTest, ClosesWhatItOpens) {
  for (uint64_t seed = 1; seed <= 50; seed++) {
    const Script script = LoadScript(seed, "load.iom");
    std::set<int> files, maps, held;
    std::map<int, int> backings;
    for (const Step& step : script.steps) {
      if (step.op == Op::kOpen) {
        EXPECT_TRUE(files.insert(step.file).second);
      }
      if (step.op == Op::kClose) {
        EXPECT_EQ(files.erase(step.file), 1);
      }
      if (step.hold != Hold::kNone) {
        EXPECT_TRUE(held.insert(step.number).second);
      }
      for (const int target : step.targets) {
        EXPECT_EQ(held.erase(target), 1);
      }
      if (step.op == Op::kMmap) {
        EXPECT_TRUE(maps.insert(step.map).second);
      }
      if (step.op == Op::kMunmap) {
        EXPECT_EQ(maps.erase(step.map), 1);
      }
      if (step.op == Op::kBackingOpen) {
        EXPECT_EQ(++backings[step.backing], 1);
      }
      if (step.op == Op::kBackingClose) {
        EXPECT_EQ(--backings[step.backing], 0);
      }
    }
    EXPECT_TRUE(files.empty() && maps.empty() && held.empty());
    EXPECT_EQ(script.files.size(), 8);
  }
}

TEST(LoadScriptTest, SeedsAreDifferentAndStay) {
  const auto text = [](uint64_t seed) { return PrintScript(LoadScript(seed, "load.iom")); };
  EXPECT_EQ(text(1), text(1));
  std::set<std::string> texts;
  for (uint64_t seed = 1; seed <= 50; seed++) texts.insert(text(seed));
  EXPECT_EQ(texts.size(), 50);
}

// Every mode, every use, both numbers of inodes, in a few loads.
TEST(LoadScriptTest, HasEverything) {
  std::set<std::string> seen;
  for (uint64_t seed = 1; seed <= 10; seed++) {
    const Script script = LoadScript(seed, "load.iom");
    seen.insert(std::to_string(script.inodes.size()));
    for (const Step& step : script.steps) {
      if (step.op == Op::kOpen) seen.insert(step.fopen_written);
      if (step.op == Op::kMmap) seen.insert(step.shared ? "shared" : "private");
      if (step.op == Op::kWrite) seen.insert(step.append ? "append" : "write");
      if (step.op == Op::kRead) seen.insert("read");
    }
  }
  for (const char* what :
       {"1", "2", "", "KEEP_CACHE", "DIRECT_IO", "PASSTHROUGH", "DIRECT_IO|PARALLEL_DIRECT_WRITES",
        "shared", "private", "append", "write", "read"}) {
    EXPECT_TRUE(seen.count(what)) << what;
  }
}

}  // namespace
}  // namespace iomode::conform
