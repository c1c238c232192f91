// SPDX-License-Identifier: GPL-2.0-only

#include "sim/script_parser.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
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

// Lines 1 to 4 of most bad scripts below.
constexpr char kHead[] = "inode A\nbacking B1\n1: backing_open B1\n2: open c A\n";

Script Parsed(const std::string& text) {
  absl::StatusOr<Script> script = ParseScript("t.iom", text);
  EXPECT_TRUE(script.ok()) << script.status().message() << "\n" << text;
  return script.ok() ? *std::move(script) : Script{};
}

struct Bad {
  std::string text;
  std::string error;  // "line:column: what was found"
};

void ExpectErrors(const std::vector<Bad>& cases) {
  for (const Bad& bad : cases) {
    absl::StatusOr<Script> script = ParseScript("t.iom", bad.text);
    ASSERT_FALSE(script.ok()) << "accepted:\n" << bad.text;
    EXPECT_EQ(script.status().code(), absl::StatusCode::kInvalidArgument);
    std::string message(script.status().message());
    std::string start = absl::StrCat("t.iom:", bad.error, ", expected ");
    EXPECT_TRUE(absl::StartsWith(message, start) && message.size() > start.size())
        << "message:  " << message << "\nwanted:   " << start << "...\nscript:\n"
        << bad.text;
  }
}

// The same for lines behind kHead.
void ExpectErrorsInSteps(std::vector<Bad> cases) {
  for (Bad& bad : cases) bad.text = absl::StrCat(kHead, bad.text);
  ExpectErrors(cases);
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

TEST(ScriptParserTest, RejectsBadText) {
  std::string long_line(5000, 'x');
  ExpectErrors({
      {"", "1:1: no steps"},
      {"# nothing\n\n", "2:1: no steps"},
      {"inode A\nbacking B\n", "2:1: no steps"},
      {std::string("inode A\n1: ab\0rt\n", 16), "2:6: byte 0x00"},
      {"inode A\x01\n", "1:8: byte 0x01"},
      {"\x7f"
       "ELF",
       "1:1: byte 0x7f"},
      {"1: abort # \xff\n", "1:12: byte 0xff"},
      {"1: abort # \xc3(\n", "1:12: byte 0xc3"},
      {"1: abort # \xe2\x82", "1:12: byte 0xe2"},
      {"1: abort\rx\n", "1:9: byte 0x0d"},
      {"1: abort\n# " + long_line, "2:4097: line of 5002 bytes"},
      {"\xef\xbb\xbf"
       "1: abort\n",
       "1:1: unknown line \"\xef\xbb\xbf\""},
  });
}

TEST(ScriptParserTest, RejectsBadHeader) {
  ExpectErrors({
      {"con passthrough\n", "1:1: unknown line \"con\""},
      {"conn passthru\n", "1:6: unknown capability \"passthru\""},
      {"conn passthrough,no_open\n", "1:17: unknown capability \",\""},
      {"conn no_open no_open\n", "1:14: capability \"no_open\" twice"},
      {"conn no_open\nconn async_dio\n", "2:1: a second conn line"},
      {"inode\n", "1:6: unexpected end of line"},
      {"inode 7\n", "1:7: unexpected \"7\""},
      {"inode A B\n", "1:9: unexpected \"B\""},
      {"inode A\ninode A\n", "2:7: inode \"A\" declared twice"},
      {"backing B\nbacking B\n", "2:9: backing \"B\" declared twice"},
      {"expect\n", "1:7: unexpected end of line"},
      {"expect warn\nexpect warn\n", "2:8: finding \"warn\" expected twice"},
      {"1: abort\ninode A\n", "2:1: header line \"inode\" behind a step"},
      {"1: abort\n  conn no_open\n", "2:3: header line \"conn\" behind a step"},
      {"P0: abort\nbacking B\n", "2:1: header line \"backing\" behind a step"},
      {"1: abort\nexpect warn\n", "2:1: header line \"expect\" behind a step"},
  });
}

TEST(ScriptParserTest, RejectsBadLabels) {
  ExpectErrors({
      {"2: abort\n", "1:1: step 2 behind step 0"},
      {"0: abort\n", "1:1: 0 is out of range"},
      {"-1: abort\n", "1:1: -1 is out of range"},
      {"1: abort\n3: abort\n", "2:1: step 3 behind step 1"},
      {"1: abort\n1: abort\n", "2:1: second step 1"},
      {"99999999999999999999: abort\n", "1:1: 99999999999999999999 is out of range"},
      {"1:\n", "1:3: unexpected end of line"},
      {"1 abort\n", "1:3: unexpected \"abort\""},
      {"1\n", "1:2: unexpected end of line"},
      {"1: frob x\n", "1:4: unknown step \"frob\""},
      {"1: OPEN c A\n", "1:4: unknown step \"OPEN\""},
      {"1: 2: abort\n", "1:4: unknown step \"2\""},
      {"open c A\n", "1:1: step \"open\" without a number"},
      {"a: abort\n", "1:1: unknown label \"a\""},
      {"1x: abort\n", "1:1: unknown label \"1x\""},
      {"P00: abort\n", "1:1: unknown label \"P00\""},
      {"P99999999999: abort\n", "1:1: unknown label \"P99999999999\""},
      {"P1: abort\n", "1:1: thread P1 before P0"},
      {"P0: abort\nP2: abort\n", "2:1: thread P2 before P1"},
      {"P0 abort\n", "1:4: unexpected \"abort\""},
      {"P0: abort\n1: abort\n", "2:1: a numbered step behind a thread"},
      {"P0: abort\nexists P0.1 == 0\nP0: abort\n", "3:1: a thread behind a condition"},
  });
}

TEST(ScriptParserTest, RejectsBadOperands) {
  ExpectErrorsInSteps({
      {"3: backing_open\n", "5:16: unexpected end of line"},
      {"3: backing_open B2\n", "5:17: no backing \"B2\""},
      {"3: backing_open #1\n", "5:16: unexpected end of line"},
      {"3: backing_close #x\n", "5:17: unexpected end of line"},
      {"3: backing_close #4294967296\n", "5:19: 4294967296 is out of range"},
      {"3: open\n", "5:8: unexpected end of line"},
      {"3: open d\n", "5:10: unexpected end of line"},
      {"3: open d B\n", "5:11: no inode \"B\""},
      {"3: open d A KEEP_CACH\n", "5:13: unknown flag \"KEEP_CACH\""},
      {"3: open d A DIRECT_IO|keep\n", "5:23: unknown flag \"keep\""},
      {"3: open d A DIRECT_IO|\n", "5:23: unexpected end of line"},
      {"3: open d A DIRECT_IO|DIRECT_IO\n", "5:23: flag \"DIRECT_IO\" twice"},
      {"3: open d A 1\n", "5:13: unknown flag \"1\""},
      {"3: open d A KEEP_CACHE STREAM\n", "5:24: unknown argument \"STREAM\""},
      {"3: open d A backing=B2\n", "5:21: no backing \"B2\""},
      {"3: open d A backing=\n", "5:21: unexpected end of line"},
      {"3: open d A backing=#\n", "5:22: unexpected end of line"},
      {"3: open d A backing=#B1\n", "5:22: unexpected \"B1\""},
      {"3: open d A backing=# 1\n", "5:23: unexpected \"1\""},
      {"3: open d A o=RDWR|RDONLY\n", "5:15: more than one access mode in o="},
      {"3: open d A o=EXCL\n", "5:15: unknown flag \"EXCL\""},
      {"3: open d A err=EFOO\n", "5:17: unknown errno \"EFOO\""},
      {"3: open d A err=5\n", "5:17: unknown errno \"5\""},
      {"3: close\n", "5:9: unexpected end of line"},
      {"3: dup d\n", "5:9: unexpected end of line"},
      {"3: mmap m\n", "5:10: unexpected end of line"},
      {"3: mmap m c\n", "5:12: unexpected end of line"},
      {"3: mmap m c ro\n", "5:13: unexpected \"ro\""},
      {"3: load\n", "5:8: unexpected end of line"},
      {"3: truncate c\n", "5:14: unexpected end of line"},
      {"3: truncate c -1\n", "5:15: -1 is out of range"},
      {"3: setfl c\n", "5:11: unexpected end of line"},
      {"3: setfl c TRUNC\n", "5:12: unknown flag \"TRUNC\""},
      {"3: fallocate c\n", "5:4: fallocate without a length"},
      {"3: wait\n", "5:8: unexpected end of line"},
      {"3: wait soon\n", "5:9: unexpected \"soon\""},
      {"3: wait 9999999999\n", "5:9: 9999999999 is out of range"},
      {"3: hog -1\n", "5:8: -1 is out of range"},
      {"3: abort now\n", "5:10: unknown argument \"now\""},
      {"3: unhog 1\n", "5:10: unexpected \"1\""},
  });
}

TEST(ScriptParserTest, RejectsBadStepReferences) {
  ExpectErrorsInSteps({
      {"3: reply\n", "5:9: unexpected end of line"},
      {"3: reply 3\n", "5:10: step 3 is not an earlier step"},
      {"3: reply 1,9\n", "5:12: step 9 is not an earlier step"},
      {"3: reply 1,\n", "5:12: unexpected end of line"},
      {"3: reply 0\n", "5:10: 0 is out of range"},
      {"3: reply 1 EFOO\n", "5:12: unknown errno \"EFOO\""},
      {"3: reply 1 EIO EIO\n", "5:16: unknown argument \"EIO\""},
      {"3: reply 1 2\n", "5:12: unexpected \"2\""},
      {"3: intr 3\n", "5:9: step 3 is not an earlier step"},
      {"3: intr\n", "5:8: unexpected end of line"},
      {"P0: reply 3\n", "5:11: step 3 is not an earlier step"},
  });
  ExpectErrors({{"1: reply 1\n", "1:10: step 1 is not an earlier step"}});
}

TEST(ScriptParserTest, RejectsBadArguments) {
  ExpectErrorsInSteps({
      {"3: read c off\n", "5:14: unexpected end of line"},
      {"3: read c off=\n", "5:15: unexpected end of line"},
      {"3: read c off = 1\n", "5:15: unexpected \"=\""},
      {"3: read c off= 1\n", "5:14: unexpected \"=\""},
      {"3: read c off=x\n", "5:15: unexpected \"x\""},
      {"3: read c off=4k\n", "5:15: unexpected \"4k\""},
      {"3: read c off=-1\n", "5:15: -1 is out of range"},
      {"3: read c off=1073741825\n", "5:15: 1073741825 is out of range"},
      {"3: read c len=99999999999999999999\n", "5:15: 99999999999999999999 is out of range"},
      {"3: write c len=0\n", "5:16: 0 is out of range"},
      {"3: read c off=1 off=1\n", "5:17: \"off\" twice"},
      {"3: read c append\n", "5:11: unknown argument \"append\""},
      {"3: read c hold=READ\n", "5:15: unexpected \"=\""},
      {"3: stat c off=1\n", "5:11: unknown argument \"off\""},
      {"3: dup d c hold\n", "5:12: unknown argument \"hold\""},
      {"3: close c hold=WRITE\n", "5:17: unknown request \"WRITE\""},
      {"3: read c cpu=-1\n", "5:15: -1 is out of range"},
      {"3: read c sched=fifo\n", "5:17: unknown scheduling class \"fifo\""},
      {"3: backing_open B1 flags=4294967296\n", "5:26: 4294967296 is out of range"},
      {"3: mmap m c shared rw\n", "5:20: unknown argument \"rw\""},
      {"3: read c ; 1\n", "5:11: unexpected \";\""},
      {"P0: read c hold\n", "5:12: hold in a thread"},
  });
}

TEST(ScriptParserTest, RejectsBadResults) {
  ExpectErrorsInSteps({
      {"3: read c ->\n", "5:13: unexpected end of line"},
      {"3: read c -> nope\n", "5:14: unknown result \"nope\""},
      {"3: read c -> -5\n", "5:14: -5 is out of range"},
      {"3: read c -> 99999999999999999999\n", "5:14: 99999999999999999999 is out of range"},
      {"3: read c -> 0 via=disk\n", "5:20: unknown via \"disk\""},
      {"3: read c -> 0 via\n", "5:19: unexpected end of line"},
      {"3: read c -> EIO via=cache\n", "5:18: unexpected \"via\""},
      {"3: read c -> 0 |\n", "5:17: unexpected end of line"},
      {"3: read c -> 0 | 0\n", "5:18: result 0 twice"},
      {"3: read c -> 0 1\n", "5:16: unexpected \"1\""},
      {"3: read c -> 0;\n", "5:16: unexpected end of line"},
      {"3: read c -> 0; 1\n", "5:18: unexpected end of line"},
      {"3: read c -> 0; 3 -> 0\n", "5:17: step 3 is not an earlier step"},
      {"3: read c -> 0; 2 -> 0; 1 -> 0\n", "5:25: completion of step 1 behind that of step 2"},
      {"3: read c -> 0; 2 -> 0; 2 -> 0\n", "5:25: completion of step 2 behind that of step 2"},
      {"P0: read c -> 0\n", "5:12: unexpected \"->\""},
  });
}

TEST(ScriptParserTest, RejectsBadConditions) {
  ExpectErrors({{"1: abort\nexists P0.1 == 0\n", "2:1: a condition without threads"}});
  std::vector<Bad> cases = {
      {"exists\n", "3:7: unexpected end of line"},
      {"exists P0\n", "3:10: unexpected end of line"},
      {"exists P2.1 == 0\n", "3:8: no thread P2"},
      {"exists P0.2 == 0\n", "3:11: 2 is out of range"},
      {"exists P0.0 == 0\n", "3:11: 0 is out of range"},
      {"exists P0.1\n", "3:12: unexpected end of line"},
      {"exists P0.1 = 0\n", "3:13: unexpected \"=\""},
      {"exists P0.1 == \n", "3:15: unexpected end of line"},
      {"exists P0.1 == P1.1\n", "3:16: unknown result \"P1\""},
      {"exists 0 == P0.1\n", "3:8: unexpected \"0\""},
      {"exists P0.1 == 0 &&\n", "3:20: unexpected end of line"},
      {"exists P0.1 == 0 & P1.1 == 0\n", "3:18: unexpected \"&\""},
      {"exists (P0.1 == 0\n", "3:18: unexpected end of line"},
      {"exists P0.1 == 0)\n", "3:17: unexpected \")\""},
      {"never " + std::string(101, '(') + "P0.1 == 0", "3:107: condition nested too deep"},
      {"sometimes P0.1 == 0\n", "3:1: unknown line \"sometimes\""},
  };
  for (Bad& bad : cases) bad.text = absl::StrCat("P0: abort\nP1: abort\n", bad.text);
  ExpectErrors(cases);
}

TEST(ScriptParserTest, RejectsFilesThatAreNotOpen) {
  ExpectErrorsInSteps({
      {"3: read d\n", "5:9: file \"d\" was never opened"},
      {"3: dup d e\n", "5:10: file \"e\" was never opened"},
      {"3: close c\n4: read c\n", "6:9: file \"c\" was closed in step 3"},
      {"3: close c\n4: close c\n", "6:10: file \"c\" was closed in step 3"},
      {"3: close c\n4: mmap m c shared\n", "6:11: file \"c\" was closed in step 3"},
      {"3: kill c\n4: read c\n", "6:9: file \"c\" was killed in step 3"},
      {"3: dup d c\n4: kill c\n5: read d\n", "7:9: file \"d\" was killed in step 4"},
      {"3: mmap m c shared\n4: kill c\n5: load m\n", "7:9: map \"m\" was killed in step 4"},
      {"3: load m\n", "5:9: map \"m\" was never mapped"},
      {"3: mmap m c shared\n4: munmap m\n5: load m\n", "7:9: map \"m\" was unmapped in step 4"},
  });
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
  ExpectErrors({
      {setup + "P0: read c\n", "4:10: file \"c\" was never opened"},
      {setup + "P0: close w\nP0: read w\n", "5:10: file \"w\" was closed"},
      {setup + "P0: open c A\nP1: open c A\n", "4:10: \"c\" is opened by more than one thread"},
      {setup + "P0: mmap m w shared\nP1: mmap m w shared\n",
       "4:10: \"m\" is opened by more than one thread"},
  });
}

// Whatever is done to a script, parsing it ends in a script that prints to a fixed point, or in an
// error at a place within the text.
void ExpectScriptOrError(const std::string& text) {
  absl::StatusOr<Script> script = ParseScript("t.iom", text);
  if (!script.ok()) {
    int line = 0, column = 0;
    ASSERT_EQ(
        sscanf(std::string(script.status().message()).c_str(), "t.iom:%d:%d: ", &line, &column), 2)
        << script.status().message();
    int lines = static_cast<int>(std::count(text.begin(), text.end(), '\n')) + 1;
    EXPECT_TRUE(line >= 1 && line <= lines && column >= 1) << script.status().message();
    return;
  }
  std::string printed = PrintScript(*script);
  absl::StatusOr<Script> again = ParseScript("t.iom", printed);
  ASSERT_TRUE(again.ok()) << again.status().message() << "\n" << text << "\n" << printed;
  EXPECT_EQ(PrintScript(*again), printed);
}

TEST(ScriptParserTest, SurvivesDamagedScripts) {
  const std::string texts[] = {
      "conn passthrough # c\ninode A\nbacking B1\nexpect warn\n1: backing_open B1 -> 0\n"
      "2: open w A DIRECT_IO|STREAM backing=#-1 o=RDWR|DIRECT err=EIO hold -> blocked\n"
      "3: open c A cpu=1 sched=idle -> 0 | EIO\n4: write c off=1 len=2 append -> 2 via=server\n"
      "5: reply 2 EACCES -> 0; 2 -> EACCES\n6: close c hold=FLUSH -> KILLED\n",
      "inode A\n1: open w A\nP0: close w\nP1: mmap m w shared ro\n"
      "never !(P0.1 == 0 || P1.1 != ENODEV) && P0.1 == blocked\n",
  };
  const std::string damage = std::string("\0 \n\t#|;:=->0A9PB.\xff", 18);
  for (const std::string& text : texts) {
    ASSERT_TRUE(ParseScript("t.iom", text).ok()) << ParseScript("t.iom", text).status();
    for (size_t i = 0; i < text.size(); ++i) {
      ExpectScriptOrError(text.substr(0, i));
      ExpectScriptOrError(text.substr(0, i) + text.substr(i + 1));
      for (char c : damage) {
        std::string changed = text;
        changed[i] = c;
        ExpectScriptOrError(changed);
      }
    }
  }
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
