// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/trace/trace_acceptor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <map>
#include <set>

#include "absl/strings/str_join.h"
#include "conformance/trace/simulated_trace.h"
#include "model/uapi.h"

namespace iomode::conform {
namespace {

using Function = TracedFunction;
using Kind = TraceVerdict::Kind;
constexpr uint64_t kFi = 0x1000;
constexpr int kCached = 1, kUncached = 2;
constexpr uint32_t kParallel = FOPEN_DIRECT_IO | FOPEN_PARALLEL_DIRECT_WRITES;

const Rules& Kernel() { return FindRevision("v6.12")->rules; }

// Writes a trace of one inode.
class Trace {
 public:
  Trace& Call(int task, Function function, uint64_t ff = 0, uint32_t flags = 0, int mode = 0,
              int id = 0) {
    TraceEvent& event = Add(TraceKind::kCall, task, function);
    if (function != Function::kBackingOpen && function != Function::kBackingClose) event.fi = kFi;
    event.ff = ff;
    event.flags = flags;
    event.mode = mode;
    event.id = id;
    return *this;
  }
  Trace& Section(int task, Function function, int counter, bool cache_bit, uint64_t fb = 0) {
    TraceEvent& event = Add(TraceKind::kSection, task, function);
    event.fi = kFi;
    event.counter = counter;
    event.cache_bit = cache_bit;
    event.fb = fb;
    return *this;
  }
  Trace& Return(int task, Function function, int result) {
    Add(TraceKind::kReturn, task, function).result = result;
    return *this;
  }
  TraceVerdict Verdict() const { return AcceptTrace(events_, Kernel()); }

 private:
  TraceEvent& Add(TraceKind kind, int task, Function function) {
    TraceEvent event;
    event.kind = kind;
    event.function = function;
    event.line = static_cast<int>(events_.size()) + 1;
    event.task = task;
    events_.push_back(event);
    return events_.back();
  }
  std::vector<TraceEvent> events_;
};

std::string Details(const TraceVerdict& verdict) { return absl::StrJoin(verdict.details, "\n"); }

Trace CachedOpen() {
  Trace trace;
  trace.Call(1, Function::kFileIoOpen, 0x20).Section(1, Function::kCachedIoOpen, 1, true);
  return trace.Return(1, Function::kFileIoOpen, 0);
}

TEST(TraceAcceptorTest, AcceptsAnOpenAndItsRelease) {
  const TraceVerdict verdict = CachedOpen()
                                   .Call(1, Function::kFileIoRelease, 0x20, 0, kCached)
                                   .Section(1, Function::kFileIoRelease, 0, false)
                                   .Return(1, Function::kFileIoRelease, 77)
                                   .Verdict();
  EXPECT_EQ(verdict.kind, Kind::kAccepted) << Details(verdict);
  EXPECT_EQ(verdict.events, 6);
}

TEST(TraceAcceptorTest, TellsWhereTheModelParts) {
  const TraceVerdict verdict = CachedOpen()
                                   .Call(1, Function::kFileIoRelease, 0x20, 0, kCached)
                                   .Section(1, Function::kFileIoRelease, 0, true)
                                   .Return(1, Function::kFileIoRelease, 0)
                                   .Verdict();
  ASSERT_EQ(verdict.kind, Kind::kRejected);
  EXPECT_EQ(verdict.details[0],
            "event 5 of 6 (line 5): task 1 lets go of fi->lock in fuse_file_io_release: fi=0x1000 "
            "iocachectr=0 CACHE_IO_MODE=1 fb=0x0");
  EXPECT_EQ(verdict.details[1],
            "the model: task 1 lets go of fi->lock in fuse_file_cached_io_release: iocachectr=0 "
            "CACHE_IO_MODE=0 fb=0x0");
  EXPECT_EQ(verdict.details[2],
            "possible before it: iocachectr=1 CACHE_IO_MODE=1 fb=0x0; task 1 in its "
            "call");
}

TEST(TraceAcceptorTest, RejectsAModeThatTheModelHasNot) {
  const TraceVerdict verdict =
      CachedOpen().Call(1, Function::kFileIoRelease, 0x20, 0, kUncached).Verdict();
  ASSERT_EQ(verdict.kind, Kind::kRejected);
  EXPECT_THAT(Details(verdict), testing::HasSubstr("ff->iomode is 1"));
}

TEST(TraceAcceptorTest, RejectsAResult) {
  Trace trace = CachedOpen();
  trace.Call(2, Function::kUncachedIoStart).Section(2, Function::kUncachedIoStart, 1, true);
  Trace wrong = trace;
  EXPECT_EQ(trace.Return(2, Function::kUncachedIoStart, -ETXTBSY).Verdict().kind, Kind::kAccepted);
  const TraceVerdict verdict = wrong.Return(2, Function::kUncachedIoStart, -EBUSY).Verdict();
  ASSERT_EQ(verdict.kind, Kind::kRejected);
  EXPECT_THAT(Details(verdict), testing::HasSubstr("the model: task 2 returns -26"));
}

Trace WriteAndSleepingOpener() {
  Trace trace;
  trace.Call(1, Function::kUncachedIoStart)
      .Section(1, Function::kUncachedIoStart, -1, false)
      .Return(1, Function::kUncachedIoStart, 0)
      .Call(2, Function::kFileIoOpen, 0x20)
      .Section(2, Function::kCachedIoOpen, -1, true);
  return trace;
}

TEST(TraceAcceptorTest, AnOpenerSleepsAndIsWoken) {
  EXPECT_EQ(WriteAndSleepingOpener().Verdict().kind, Kind::kAccepted);
  const TraceVerdict verdict = WriteAndSleepingOpener()
                                   .Call(1, Function::kUncachedIoEnd)
                                   .Section(1, Function::kUncachedIoEnd, 0, true)
                                   .Return(1, Function::kUncachedIoEnd, 0)
                                   .Section(2, Function::kCachedIoOpen, 1, true)
                                   .Return(2, Function::kFileIoOpen, 0)
                                   .Verdict();
  EXPECT_EQ(verdict.kind, Kind::kAccepted) << Details(verdict);
}

// A kernel that forgets to wake.
TEST(TraceAcceptorTest, RejectsAnOpenerThatSleepsOn) {
  const TraceVerdict verdict = WriteAndSleepingOpener()
                                   .Call(1, Function::kUncachedIoEnd)
                                   .Section(1, Function::kUncachedIoEnd, 0, true)
                                   .Return(1, Function::kUncachedIoEnd, 0)
                                   .Verdict();
  ASSERT_EQ(verdict.kind, Kind::kRejected);
  EXPECT_THAT(Details(verdict),
              testing::HasSubstr("the trace ends, and tasks have not returned that the model has "
                                 "running\ntask 2 has not returned from fuse_file_io_open\n"));
}

// Attaching is seen without the lock before the section that attaches has ended.
TEST(TraceAcceptorTest, AReaderWithoutTheLockMayBeAhead) {
  Trace trace;
  trace.Call(9, Function::kBackingOpen).Return(9, Function::kBackingOpen, 1);
  trace.Call(1, Function::kFileIoOpen, 0x20, FOPEN_PASSTHROUGH, 0, 1);
  trace.Call(2, Function::kFileIoOpen, 0x30);
  trace.Return(2, Function::kFileIoOpen, -EIO);
  trace.Section(1, Function::kUncachedIoStart, -1, false, 0x90);
  trace.Return(1, Function::kFileIoOpen, 0);
  const TraceVerdict verdict = trace.Verdict();
  EXPECT_EQ(verdict.kind, Kind::kAccepted) << Details(verdict);
}

TEST(TraceAcceptorTest, OneBackingIsOnePointer) {
  for (const uint64_t second : {0x90, 0xa0}) {
    Trace trace;
    trace.Call(9, Function::kBackingOpen).Return(9, Function::kBackingOpen, 1);
    for (int task : {1, 2}) {
      trace.Call(task, Function::kFileIoOpen, 0x20 + task, FOPEN_PASSTHROUGH, 0, 1);
      trace.Section(task, Function::kUncachedIoStart, -task, false, task == 1 ? 0x90 : second);
      trace.Return(task, Function::kFileIoOpen, 0);
    }
    EXPECT_EQ(trace.Verdict().kind, second == 0x90 ? Kind::kAccepted : Kind::kRejected);
  }
}

TEST(TraceAcceptorTest, CallsWithinCallsAreTheirCallers) {
  Trace trace;
  trace.Call(1, Function::kFileIoOpen, 0x20).Call(1, Function::kCachedIoOpen, 0x20);
  trace.Section(1, Function::kCachedIoOpen, 1, true).Return(1, Function::kCachedIoOpen, 0);
  trace.Return(1, Function::kFileIoOpen, 0);
  EXPECT_EQ(trace.Verdict().kind, Kind::kAccepted);
}

TEST(TraceAcceptorTest, RejectsASectionOfAnotherFunction) {
  Trace trace;
  trace.Call(1, Function::kFileIoOpen, 0x20).Section(1, Function::kUncachedIoEnd, 1, true);
  const TraceVerdict verdict = trace.Verdict();
  ASSERT_EQ(verdict.kind, Kind::kRejected);
  EXPECT_THAT(Details(verdict),
              testing::HasSubstr("lets go of fi->lock in fuse_file_cached_io_open"));
}

// What has lost its beginning, or a pointer that could not be read, is no trace to judge.
TEST(TraceAcceptorTest, ATraceThatIsNotWholeIsNoVerdict) {
  const TraceVerdict section = Trace().Section(1, Function::kUncachedIoEnd, 0, false).Verdict();
  EXPECT_EQ(section.kind, Kind::kIncomplete);
  EXPECT_THAT(Details(section), testing::HasSubstr("trace:1: an event outside of any call"));
  const TraceVerdict returned = Trace().Return(1, Function::kFileIoOpen, 0).Verdict();
  EXPECT_EQ(returned.kind, Kind::kIncomplete);
  const TraceVerdict file = Trace().Call(1, Function::kFileIoRelease).Verdict();
  EXPECT_EQ(file.kind, Kind::kIncomplete);
  EXPECT_THAT(Details(file), testing::HasSubstr("trace:1: a call without its file"));
  Trace many;
  for (int task = 1; task <= 65; task++) many.Call(task, Function::kUncachedIoStart);
  EXPECT_EQ(many.Verdict().kind, Kind::kIncomplete);
}

TEST(TraceAcceptorTest, ABoundOnStatesIsNoVerdict) {
  const Rules& rules = Kernel();
  const TraceVerdict verdict = AcceptTrace(SimulatedTrace(1, rules, 3), rules, {.max_states = 1});
  EXPECT_EQ(verdict.kind, Kind::kIncomplete);
  EXPECT_THAT(Details(verdict), testing::HasSubstr("more than 1 states"));
}

class EveryRevision : public testing::TestWithParam<const char*> {};

// What the model itself does under any schedule is accepted.
TEST_P(EveryRevision, AcceptsWhatTheModelDoes) {
  const Rules& rules = FindRevision(GetParam())->rules;
  for (uint64_t seed = 1; seed <= 10; seed++) {
    const std::vector<TraceEvent> events = SimulatedTrace(seed, rules, 4);
    const TraceVerdict verdict = AcceptTrace(events, rules);
    ASSERT_EQ(verdict.kind, Kind::kAccepted) << "seed " << seed << "\n" << Details(verdict);
    EXPECT_EQ(verdict.events, events.size());
  }
}

INSTANTIATE_TEST_SUITE_P(TraceAcceptorTest, EveryRevision,
                         testing::Values("v6.9", "v6.12", "v6.18", "v7.3"));

// A section that leaves another state than it should is rejected, and no later than there.
TEST(TraceAcceptorTest, AnyChangedSectionIsRejected) {
  const Rules& rules = Kernel();
  int changed = 0;
  for (uint64_t seed = 1; seed <= 2; seed++) {
    const std::vector<TraceEvent> events = SimulatedTrace(seed, rules, 3);
    for (size_t i = 0; i < events.size(); i++) {
      if (events[i].kind != TraceKind::kSection) continue;
      for (int what = 0; what < 3; what++) {
        std::vector<TraceEvent> wrong = events;
        if (what == 0) wrong[i].counter += i % 2 ? 1 : -1;
        if (what == 1) wrong[i].cache_bit = !wrong[i].cache_bit;
        if (what == 2) wrong[i].fb = wrong[i].fb == 0 ? 0x77 : 0;
        const TraceVerdict verdict = AcceptTrace(wrong, rules);
        ASSERT_EQ(verdict.kind, Kind::kRejected) << "seed " << seed << " event " << i + 1;
        EXPECT_LE(verdict.events, i + 1);
        changed++;
      }
    }
  }
  EXPECT_GT(changed, 100);
}

// A kernel of another revision is told by its traces.
TEST(TraceAcceptorTest, AnotherRevisionIsRejected) {
  int rejected = 0;
  for (uint64_t seed = 1; seed <= 20; seed++) {
    const auto events = SimulatedTrace(seed, FindRevision("205c1d8026")->rules, 4);
    rejected += AcceptTrace(events, Kernel()).kind == Kind::kRejected;
  }
  EXPECT_GT(rejected, 10);
}

}  // namespace
}  // namespace iomode::conform
