// SPDX-License-Identifier: GPL-2.0-only
//
// What the parser refuses, and where it says that it is: file:line:column, what was found, what was
// expected. script_parser_test.cc has what it reads.

#include <stdio.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sim/script_parser.h"

namespace iomode {
namespace {

// Lines 1 to 4 of most scripts below.
constexpr char kHead[] = "inode A\nbacking B1\n1: backing_open B1\n2: open c A\n";

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

TEST(ScriptParserErrorsTest, RejectsBadText) {
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

TEST(ScriptParserErrorsTest, RejectsBadHeader) {
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

TEST(ScriptParserErrorsTest, RejectsBadLabels) {
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

TEST(ScriptParserErrorsTest, RejectsBadOperands) {
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

TEST(ScriptParserErrorsTest, RejectsBadStepReferences) {
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

TEST(ScriptParserErrorsTest, RejectsBadArguments) {
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

TEST(ScriptParserErrorsTest, RejectsBadResults) {
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

TEST(ScriptParserErrorsTest, RejectsBadConditions) {
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

TEST(ScriptParserErrorsTest, RejectsFilesThatAreNotOpen) {
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

TEST(ScriptParserErrorsTest, RejectsNamesThatThreadsDoNotHave) {
  const std::string setup = "inode A\n1: open w A -> 0\n2: open x A -> EIO\n";
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

TEST(ScriptParserErrorsTest, SurvivesDamagedScripts) {
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

}  // namespace
}  // namespace iomode
