// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/trace/trace_event.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace iomode::conform {
namespace {

constexpr char kTrace[] =
    "# tracer: nop\n"
    "#\n"
    "           agent-74      [001] ...1.    12: c_fuse_file_io_open: (fuse_file_io_open+0x0/0xf0) "
    "fi=0xffff888003a50000 ff=0xffff888003b60000 flags=0x80 mode=0 id=3\n"
    "           agent-74      [001] d..2.    15: s_fuse_inode_uncached_io_start_4: "
    "(fuse_inode_uncached_io_start+0x59/0x90) lock=0xffff888003a50220 ctr=-2 state=0x24 "
    "fb=0xffff888003c70000\n"
    "    odd: na-me-75      [000] .....    19: r_fuse_file_io_open: (do_dentry_open+0x1/0x2 <- "
    "fuse_file_io_open) ret=-5\n"
    "           agent-76      [000] .....    21: c_fuse_backing_close: "
    "(fuse_backing_close+0x0/0x90) "
    "id=(fault)\n";

TEST(TraceEventTest, ReadsEachKind) {
  auto events = ParseTrace(kTrace, {.cache_bit = 5, .lock_offset = 0x220});
  ASSERT_FALSE(events.ok());  // a comm with ": " in it
  EXPECT_THAT(std::string(events.status().message()), testing::HasSubstr("trace:5: found \""));

  std::string text = kTrace;
  text.replace(text.find("odd: na-me"), 10, "odd na-me ");
  events = ParseTrace(text, {.cache_bit = 5, .lock_offset = 0x220});
  ASSERT_TRUE(events.ok()) << events.status();
  ASSERT_EQ(events->size(), 4);
  const TraceEvent& call = (*events)[0];
  EXPECT_EQ(call.kind, TraceKind::kCall);
  EXPECT_EQ(call.function, TracedFunction::kFileIoOpen);
  EXPECT_EQ(call.line, 3);
  EXPECT_EQ(call.task, 74);
  EXPECT_EQ(call.fi, 0xffff888003a50000);
  EXPECT_EQ(call.ff, 0xffff888003b60000);
  EXPECT_EQ(call.flags, 0x80);
  EXPECT_EQ(call.id, 3);
  const TraceEvent& section = (*events)[1];
  EXPECT_EQ(section.kind, TraceKind::kSection);
  EXPECT_EQ(section.function, TracedFunction::kUncachedIoStart);
  EXPECT_EQ(section.fi, call.fi);
  EXPECT_EQ(section.counter, -2);
  EXPECT_TRUE(section.cache_bit);
  EXPECT_EQ(section.fb, 0xffff888003c70000);
  EXPECT_EQ((*events)[2].task, 75);
  EXPECT_EQ((*events)[2].result, -5);
  EXPECT_EQ((*events)[3].id, 0);
}

TEST(TraceEventTest, RefusesOtherEvents) {
  for (const char* line : {"x-1 [000] ..... 1: sched_switch: prev=1\n", "nothing\n",
                           "x-1 [000] ..... 1: q_fuse_file_io_open: ret=1\n",
                           "x-1 [000] ..... 1: c_fuse_open: ret=1\n"}) {
    EXPECT_FALSE(ParseTrace(line, {}).ok()) << line;
  }
}

TEST(TraceEventTest, NamesGoBothWays) {
  for (int i = 0; i < kTracedFunctions; i++) {
    TracedFunction found;
    ASSERT_TRUE(TracedFunctionOf(NameOf(static_cast<TracedFunction>(i)), &found));
    EXPECT_EQ(static_cast<int>(found), i);
  }
}

}  // namespace
}  // namespace iomode::conform
