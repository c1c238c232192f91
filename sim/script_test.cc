// SPDX-License-Identifier: GPL-2.0-only

#include "sim/script.h"

#include <errno.h>

#include <string>

#include "gtest/gtest.h"
#include "sim/script_parser.h"

namespace iomode {
namespace {

Script Parsed(const std::string& text) {
  absl::StatusOr<Script> script = ParseScript("t.iom", text);
  EXPECT_TRUE(script.ok()) << script.status().message();
  return script.ok() ? *std::move(script) : Script{};
}

// Text in normal form prints as it was written.
void ExpectKept(const std::string& text) { EXPECT_EQ(PrintScript(Parsed(text)), text); }

TEST(ScriptTest, KeepsSequentialScripts) {
  ExpectKept(
      "# what it shows\n"
      "\n"
      "conn no_open passthrough   # order kept\n"
      "inode A\n"
      "backing B1\n"
      "  # indented\n"
      "1: backing_open B1 flags=1 -> EINVAL\n"
      "2: open p A PASSTHROUGH backing=#-1 o=RDWR|TRUNC err=EACCES hold cpu=1 -> blocked\n"
      "3: open c A KEEP_CACHE|DIRECT_IO\n"
      "4: write c off=0 len=4096 append hold -> blocked # why\n"
      "5: aio_read c off=8 sched=idle\n"
      "6: mmap m c private ro\n"
      "7: load m off=8 hold -> 0 via=cache | EFAULT\n"
      "8: reply 4,2 ENOSPC -> 0; 2 -> KILLED; 4 -> 4096 via=server | blocked\n"
      "9: setfl c APPEND|DIRECT\n"
      "10: setfl c 0\n"
      "11: truncate c 5\n"
      "12: fallocate c off=1 len=5\n"
      "13: close c hold=FLUSH\n"
      "14: munmap m\n"
      "15: intr 4\n"
      "16: wait 1000 -> 0\n"
      "17: backing_close #7\n"
      "18: hog 2\n"
      "19: unhog\n"
      "20: abort -> 0\n");
}

TEST(ScriptTest, KeepsLitmusScripts) {
  ExpectKept(
      "inode A\n"
      "expect lost-wakeup\n"
      "1: open w A -> 0\n"
      "P0: dup w2 w # mine\n"
      "P1: write w\n"
      "P0: close w2\n"
      "exists P0.1 == 0 && (P1.1 == 4096 via=server || P1.1 != EIO) && P0.2 == 0\n"
      "never !(P0.1 == blocked) || !!(P1.1 == KILLED)\n"
      "always (P0.1 == 0 || P0.1 == 1) && P0.2 == 2\n"
      "always P0.1 == 0 || (P0.1 == 1 || P0.1 == 2)\n");
}

TEST(ScriptTest, KeepsExplicitDefaults) {
  ExpectKept("inode A\n1: open c A 0\n2: open d A o=RDWR\n3: open e A o=DIRECT|RDWR\n");
}

TEST(ScriptTest, BringsSpacingAndOrderOfArgumentsIntoNormalForm) {
  EXPECT_EQ(PrintScript(Parsed("inode  A\n1 :open c   A hold  o=RDONLY ->0|EIO\n"
                               "2: fallocate c len=5 off=1\nP0: close c\nexists (P0.1==0)\n")),
            "inode A\n1: open c A o=RDONLY hold -> 0 | EIO\n"
            "2: fallocate c off=1 len=5\nP0: close c\nexists P0.1 == 0\n");
}

TEST(ScriptTest, PrintsWhatAChangedStepMeans) {
  Script script = Parsed("conn passthrough\ninode A\n1: open c A KEEP_CACHE|DIRECT_IO o=RDONLY\n");
  script.conn |= CONN_NO_OPEN;
  script.steps[0].fopen_flags |= FOPEN_STREAM;
  script.steps[0].open_flags = OPEN_READ | OPEN_WRITE | OPEN_DIRECT;
  EXPECT_EQ(PrintScript(script),
            "conn passthrough no_open\ninode A\n"
            "1: open c A DIRECT_IO|KEEP_CACHE|STREAM o=RDWR|DIRECT\n");
  script.steps[0].fopen_flags = 0;
  EXPECT_EQ(PrintStep(script, script.steps[0]), "1: open c A o=RDWR|DIRECT");
}

TEST(ScriptTest, PrintsTheDefaultAccessModeWhereOneWasWritten) {
  Script script = Parsed("inode A\n1: open c A o=RDONLY\n");
  script.steps[0].open_flags = OPEN_READ | OPEN_WRITE;
  EXPECT_EQ(PrintStep(script, script.steps[0]), "1: open c A o=RDWR");
}

TEST(ScriptTest, PrintsAScriptWithoutLinesInOrder) {
  Script script = Parsed(
      "conn passthrough\ninode A\nbacking B\nexpect warn\n1: backing_open B # gone\n"
      "P0: open c A\nP1: abort\nP0: close c\nnever P0.1 == EIO\n");
  script.lines.clear();
  EXPECT_EQ(PrintScript(script),
            "conn passthrough\ninode A\nbacking B\nexpect warn\n1: backing_open B\n"
            "P0: open c A\nP0: close c\nP1: abort\nnever P0.1 == EIO\n");
}

TEST(ScriptTest, PrintsStepAndResultsApart) {
  Script script = Parsed("inode A\n1: open c A -> blocked\n2: abort -> 0; 1 -> EIO | 0\n");
  EXPECT_EQ(PrintStep(script, script.steps[1]), "2: abort");
  EXPECT_EQ(PrintResults(script.steps[1]), " -> 0; 1 -> EIO | 0");
  script.steps[1].has_result = false;
  EXPECT_EQ(PrintResults(script.steps[1]), "");
}

TEST(ScriptTest, PrintsResults) {
  EXPECT_EQ(PrintResult({Result::Kind::kValue, 4096, Via::kBacking}), "4096 via=backing");
  EXPECT_EQ(PrintResult({Result::Kind::kValue, 0, Via::kNone}), "0");
  EXPECT_EQ(PrintResult({Result::Kind::kErrno, EIO, Via::kNone}), "EIO");
  EXPECT_EQ(PrintAlternatives(
                {{Result::Kind::kKilled, 0, Via::kNone}, {Result::Kind::kBlocked, 0, Via::kNone}}),
            "KILLED | blocked");
}

TEST(ErrnoTest, NamesAreLinuxs) {
  EXPECT_EQ(ErrnoName(5), "EIO");
  EXPECT_EQ(ErrnoName(26), "ETXTBSY");
  EXPECT_EQ(ErrnoName(11), "EAGAIN");
  EXPECT_EQ(ErrnoName(95), "EOPNOTSUPP");
  EXPECT_EQ(ErrnoName(133), "EHWPOISON");
  EXPECT_EQ(ErrnoName(4711), "errno 4711");
  EXPECT_EQ(ErrnoName(0), "errno 0");
  EXPECT_EQ(ErrnoName(-5), "errno -5");
}

TEST(ErrnoTest, NamesAndNumbersAgree) {
  int named = 0;
  for (int number = 1; number <= 133; ++number) {
    std::string name = ErrnoName(number);
    if (name[0] != 'E') continue;
    ++named;
    EXPECT_EQ(ErrnoFromName(name), number) << name;
  }
  EXPECT_EQ(named, 131);  // Linux leaves 41 and 58 out.
}

TEST(ErrnoTest, KnowsSecondNames) {
  EXPECT_EQ(ErrnoFromName("EWOULDBLOCK"), EAGAIN);
  EXPECT_EQ(ErrnoFromName("ENOTSUP"), EOPNOTSUPP);
  EXPECT_EQ(ErrnoFromName("EDEADLOCK"), EDEADLK);
  EXPECT_EQ(ErrnoFromName("EFOO"), std::nullopt);
  EXPECT_EQ(ErrnoFromName("eio"), std::nullopt);
  EXPECT_EQ(ErrnoFromName(""), std::nullopt);
}

}  // namespace
}  // namespace iomode
