// SPDX-License-Identifier: GPL-2.0-only

#include "sim/script_parser.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace iomode {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

// Lines 1 to 4 of some scripts below.
constexpr char kHead[] = "inode A\nbacking B1\n1: backing_open B1\n2: open c A\n";

Script Parsed(const std::string& text) {
  absl::StatusOr<Script> script = ParseScript("t.iom", text);
  EXPECT_TRUE(script.ok()) << script.status().message() << "\n" << text;
  return script.ok() ? *std::move(script) : Script{};
}

TEST(ScriptParserTest, ReadsHeader) {
  Script script = Parsed(
      "conn passthrough no_open\ninode A\ninode B\nbacking B1\nexpect lost-wakeup\n1: abort\n");
  EXPECT_TRUE(script.has_conn);
  EXPECT_EQ(script.conn, CONN_PASSTHROUGH | CONN_NO_OPEN);
  EXPECT_THAT(script.inodes, ElementsAre("A", "B"));
  EXPECT_THAT(script.backings, ElementsAre("B1"));
  ASSERT_THAT(script.expectations, SizeIs(1));
  EXPECT_EQ(script.expectations[0].finding, "lost-wakeup");
  EXPECT_EQ(script.expectations[0].pos.line, 5);
  EXPECT_EQ(script.expectations[0].pos.column, 8);
  EXPECT_FALSE(script.is_litmus());
}

TEST(ScriptParserTest, ConnWithoutCapabilitiesNegotiatesNone) {
  Script script = Parsed("conn\n1: abort\n");
  EXPECT_TRUE(script.has_conn);
  EXPECT_EQ(script.conn, 0u);
  EXPECT_FALSE(Parsed("1: abort\n").has_conn);
}

TEST(ScriptParserTest, ReadsOpen) {
  Script script = Parsed(
      "inode A\nbacking B\n1: open p A PASSTHROUGH|DIRECT_IO backing=B o=WRONLY|TRUNC err=EACCES "
      "hold cpu=1 sched=idle\n2: open q A backing=#-3\n3: open r A 0 hold\n");
  const Step& p = script.steps[0];
  EXPECT_EQ(p.op, Op::kOpen);
  EXPECT_EQ(p.file, 0);
  EXPECT_EQ(p.inode, 0);
  EXPECT_EQ(p.fopen_flags, FOPEN_PASSTHROUGH | FOPEN_DIRECT_IO);
  EXPECT_EQ(p.backing, 0);
  EXPECT_EQ(p.open_flags, OPEN_WRITE | OPEN_TRUNC);
  EXPECT_EQ(p.error, EACCES);
  EXPECT_EQ(p.hold, Hold::kRequest);
  EXPECT_EQ(p.cpu, 1);
  EXPECT_TRUE(p.sched_idle);
  EXPECT_FALSE(p.has_result);
  EXPECT_EQ(p.pos.line, 3);
  EXPECT_EQ(p.pos.column, 4);
  EXPECT_EQ(p.file_pos.column, 9);
  EXPECT_EQ(script.steps[1].backing_id, -3);
  EXPECT_EQ(script.steps[1].backing, -1);
  EXPECT_EQ(script.steps[1].open_flags, OPEN_READ | OPEN_WRITE);
  EXPECT_EQ(script.steps[2].fopen_flags, 0u);
  EXPECT_EQ(script.steps[2].hold, Hold::kRequest);
}

TEST(ScriptParserTest, ReadsEveryOperation) {
  Script script = Parsed(absl::StrCat(
      kHead, "3: dup u c\n4: read c off=1 len=2\n5: write c append hold\n6: aio_read c\n",
      "7: aio_write c off=0\n8: mmap m c shared ro\n9: load m off=8\n10: store m hold\n",
      "11: msync m\n12: munmap m\n13: reply 10,5 ENOSPC\n14: setfl c DIRECT|APPEND\n",
      "15: setfl c 0\n16: truncate c 4096\n17: fsync c\n18: fallocate c len=5 off=1\n19: stat c\n",
      "20: splice_read c\n21: readahead c\n22: sync_range c\n23: close c hold=RELEASE\n24: intr "
      "5\n",
      "25: kill u\n26: wait 100\n27: hog 1\n28: unhog\n29: backing_close #7 cpu=2\n",
      "30: backing_open B1 flags=3\n31: abort\n"));
  ASSERT_THAT(script.steps, SizeIs(31));
  EXPECT_EQ(script.steps[2].source, 0);
  EXPECT_EQ(script.steps[2].file, 1);
  EXPECT_EQ(script.steps[3].off, 1);
  EXPECT_EQ(script.steps[3].len, 2);
  EXPECT_TRUE(script.steps[4].append);
  EXPECT_TRUE(script.steps[7].shared && script.steps[7].read_only);
  EXPECT_THAT(script.steps[12].targets, ElementsAre(10, 5));
  EXPECT_EQ(script.steps[12].error, ENOSPC);
  EXPECT_EQ(script.steps[13].open_flags, OPEN_DIRECT | OPEN_APPEND);
  EXPECT_EQ(script.steps[14].open_flags, 0u);
  EXPECT_EQ(script.steps[15].argument, 4096);
  EXPECT_EQ(script.steps[22].hold, Hold::kRelease);
  EXPECT_EQ(script.steps[23].argument, 5);
  EXPECT_EQ(script.steps[28].backing_id, 7);
  EXPECT_EQ(script.steps[28].cpu, 2);
  EXPECT_EQ(script.steps[29].argument, 3);
  for (size_t i = 0; i < script.steps.size(); ++i) {
    EXPECT_EQ(script.steps[i].number, static_cast<int>(i) + 1);
  }
}

TEST(ScriptParserTest, ReadsResults) {
  Script script = Parsed(
      "inode A\n1: open c A -> 0 | EIO\n2: write c -> blocked\n"
      "3: read c -> 4096 via=cache; 2 -> KILLED | 4096 via=server\n");
  EXPECT_THAT(script.steps[0].result,
              ElementsAre(Result{}, Result{Result::Kind::kErrno, EIO, Via::kNone}));
  EXPECT_EQ(script.steps[0].result_pos.column, 16);
  EXPECT_THAT(script.steps[1].result, ElementsAre(Result{Result::Kind::kBlocked, 0, Via::kNone}));
  const Step& read = script.steps[2];
  EXPECT_THAT(read.result, ElementsAre(Result{Result::Kind::kValue, 4096, Via::kCache}));
  ASSERT_THAT(read.completions, SizeIs(1));
  EXPECT_EQ(read.completions[0].step, 2);
  EXPECT_THAT(read.completions[0].results,
              ElementsAre(Result{Result::Kind::kKilled, 0, Via::kNone},
                          Result{Result::Kind::kValue, 4096, Via::kServer}));
}

TEST(ScriptParserTest, ReadsLitmus) {
  Script script = Parsed(
      "inode A\n1: open w A -> 0\nP0: write w\nP1: open c A\nP0: close w\n"
      "exists P0.1 == EIO && !(P1.1 != 0 || P0.2 == blocked)\nnever P0.1==4096 via=server\n");
  EXPECT_TRUE(script.is_litmus());
  ASSERT_THAT(script.threads, SizeIs(2));
  ASSERT_THAT(script.threads[0], SizeIs(2));
  EXPECT_EQ(script.threads[0][1].number, 2);
  EXPECT_EQ(script.threads[0][1].thread, 0);
  ASSERT_THAT(script.conditions, SizeIs(2));
  const Condition::Expr& both = script.conditions[0].expr;
  EXPECT_EQ(both.kind, Condition::Expr::Kind::kAnd);
  EXPECT_EQ(both.operands.at(0).result.value, EIO);
  EXPECT_EQ(both.operands.at(1).kind, Condition::Expr::Kind::kNot);
  EXPECT_EQ(both.operands.at(1).operands.at(0).kind, Condition::Expr::Kind::kOr);
  EXPECT_EQ(script.conditions[1].quantifier, Condition::Quantifier::kNever);
  EXPECT_EQ(script.conditions[1].expr.result.via, Via::kServer);
}

TEST(ScriptParserTest, AndBindsTighterThanOr) {
  Script script = Parsed("P0: abort\nexists P0.1 == 1 || P0.1 == 2 && P0.1 == 3\n");
  const Condition::Expr& expr = script.conditions[0].expr;
  EXPECT_EQ(expr.kind, Condition::Expr::Kind::kOr);
  EXPECT_EQ(expr.operands.at(1).kind, Condition::Expr::Kind::kAnd);
}

TEST(ScriptParserTest, ToleratesCrLfTabsAndAMissingLastLineEnd) {
  EXPECT_EQ(PrintScript(Parsed("inode A\r\n\r\n1:\topen  c\tA  -> 0 # x \r\n2: close c")),
            "inode A\n\n1: open c A -> 0 # x\n2: close c\n");
}

TEST(ScriptParserTest, HashIsACommentUnlessItIsAnId) {
  Script script = Parsed(
      "backing B1 # one\n1: backing_close #7 # seven\n2: backing_close B1 #7\n"
      "3: backing_open B1# \xc3\xa9\n");
  EXPECT_EQ(script.steps[0].backing_id, 7);
  EXPECT_EQ(script.lines[1].comment, "# seven");
  EXPECT_FALSE(script.steps[1].backing_id.has_value());
  EXPECT_EQ(script.lines[2].comment, "#7");
  EXPECT_EQ(script.lines[3].comment, "# \xc3\xa9");
}

// Claims are the run's business: what a step claims for an open does not make a later use an error.
TEST(ScriptParserTest, IgnoresClaimsAboutOpens) {
  Parsed("inode A\n1: open d A -> EIO\n2: read d\n");
  Parsed("inode A\n1: open d A -> blocked\n2: read d\n");
  Parsed("inode A\n1: open d A -> 0\n2: open d A\n");
  EXPECT_EQ(Parsed("inode A\n1: open d A o=DIRECT\n").steps[0].open_flags,
            OPEN_READ | OPEN_WRITE | OPEN_DIRECT);
  EXPECT_EQ(Parsed("inode A\n1: open d A\n2: close d hold\n").steps[1].hold, Hold::kRequest);
}

TEST(ScriptParserTest, AllowsOpeningAgain) {
  Parsed(absl::StrCat(kHead, "3: open c A\n"));
  Parsed(absl::StrCat(kHead, "3: open d A -> 0 | EIO\n4: open d A\n"));
  Parsed(absl::StrCat(kHead, "3: open d A -> EIO\n4: open d A -> 0\n5: close d\n6: open d A\n"));
  Parsed(absl::StrCat(kHead, "3: open d A -> blocked\n4: kill d -> 0; 3 -> KILLED\n5: open d A\n"));
  Parsed(absl::StrCat(kHead, "3: open d A -> blocked\n4: wait 1 -> 0; 3 -> 0\n5: read d\n"));
  Parsed(absl::StrCat(kHead, "3: mmap m c shared -> ENODEV\n4: mmap m c shared -> 0\n5: load m\n"));
  Parsed(absl::StrCat(kHead, "3: mmap m c shared\n4: close c\n5: load m\n"));
}

TEST(ScriptParserTest, FollowsNamesThroughThreads) {
  const std::string setup = "inode A\n1: open w A -> 0\n2: open x A -> EIO\n";
  Parsed(setup + "P0: write w\nP1: close w\n");
  Parsed(setup + "P0: close w\nP0: open w A\nP1: write w\n");
  Parsed(setup + "P0: open c A\nP1: kill c\n");
}

// A folder that is removed with all that is in it.
class ScriptFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = absl::StrCat(::testing::TempDir(), "/iom_XXXXXX");
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string folder_;
};

TEST_F(ScriptFileTest, ReadsAFile) {
  std::string path = folder_ + "/a.iom";
  std::ofstream(path) << "1: abort\n";
  absl::StatusOr<Script> script = ParseScriptFile(path);
  ASSERT_TRUE(script.ok()) << script.status();
  EXPECT_EQ(script->name, path);
  std::ofstream(path) << "1: abrt\n";
  EXPECT_TRUE(absl::StartsWith(ParseScriptFile(path).status().message(), path + ":1:4: unknown"));
}

TEST_F(ScriptFileTest, NamesWhatCannotBeRead) {
  std::string missing = folder_ + "/missing.iom";
  EXPECT_TRUE(absl::StartsWith(ParseScriptFile(missing).status().message(),
                               missing + ": No such file or directory, expected"));
  EXPECT_TRUE(absl::StartsWith(ParseScriptFile(folder_).status().message(),
                               folder_ + ": Is a directory, expected"));
  EXPECT_TRUE(absl::StartsWith(ParseScriptFile("/dev/zero").status().message(),
                               "/dev/zero: File too large, expected"));
}

TEST(RecordedScriptsTest, PrintAsTheyAreWritten) {
  int scripts = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator("scenarios/recorded")) {
    if (entry.path().extension() != ".iom") continue;
    ++scripts;
    std::stringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    absl::StatusOr<Script> script = ParseScriptFile(entry.path());
    ASSERT_TRUE(script.ok()) << script.status();
    EXPECT_EQ(PrintScript(*script), text.str()) << entry.path();
  }
  EXPECT_GE(scripts, 66) << "the recordings are not where this test looks for them";
}

}  // namespace
}  // namespace iomode
