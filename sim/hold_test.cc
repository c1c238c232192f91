// SPDX-License-Identifier: GPL-2.0-only

#include "sim/hold.h"

#include <gtest/gtest.h>

namespace iomode {
namespace {

constexpr FuseOpcode kOpcodes[] = {FUSE_GETATTR, FUSE_SETATTR, FUSE_OPEN,
                                   FUSE_READ,    FUSE_WRITE,   FUSE_RELEASE,
                                   FUSE_FSYNC,   FUSE_FLUSH,   FUSE_FALLOCATE};

Step StepOf(Op op, Hold hold) {
  Step step;
  step.op = op;
  step.hold = hold;
  return step;
}

// The only opcode that a step keeps; FUSE_NONE: it keeps none of its own.
FuseOpcode Kept(const Step& step) {
  FuseOpcode kept = FUSE_NONE;
  for (FuseOpcode opcode : kOpcodes) {
    if (!HoldKeeps(step, opcode, false)) continue;
    EXPECT_EQ(kept, FUSE_NONE) << "keeps " << int{kept} << " and " << int{opcode};
    kept = opcode;
  }
  return kept;
}

TEST(Hold, KeepsTheRequestThatAStepIsAbout) {
  const std::pair<Op, FuseOpcode> about[] = {
      {Op::kOpen, FUSE_OPEN},        {Op::kRead, FUSE_READ},           {Op::kAioRead, FUSE_READ},
      {Op::kLoad, FUSE_READ},        {Op::kStore, FUSE_READ},          {Op::kSpliceRead, FUSE_READ},
      {Op::kReadahead, FUSE_READ},   {Op::kWrite, FUSE_WRITE},         {Op::kAioWrite, FUSE_WRITE},
      {Op::kTruncate, FUSE_SETATTR}, {Op::kFallocate, FUSE_FALLOCATE}, {Op::kStat, FUSE_GETATTR},
      {Op::kFsync, FUSE_FSYNC},      {Op::kMsync, FUSE_FSYNC},         {Op::kClose, FUSE_FLUSH},
      {Op::kMunmap, FUSE_NONE},      {Op::kSyncRange, FUSE_NONE},
  };
  for (const auto& [op, opcode] : about) {
    EXPECT_EQ(Kept(StepOf(op, Hold::kRequest)), opcode) << "operation " << static_cast<int>(op);
  }
}

TEST(Hold, KeepsWritebackForStepsThatWritePagesBack) {
  for (Op op : {Op::kFsync, Op::kMsync, Op::kClose, Op::kMunmap, Op::kSyncRange})
    EXPECT_TRUE(HoldKeeps(StepOf(op, Hold::kRequest), FUSE_WRITE, true));
  // A direct write flushes dirty pages first; what is held is its own WRITE.
  for (Op op : {Op::kWrite, Op::kAioWrite, Op::kRead, Op::kTruncate, Op::kOpen})
    EXPECT_FALSE(HoldKeeps(StepOf(op, Hold::kRequest), FUSE_WRITE, true));
}

TEST(Hold, OfACloseIsItsFlushOrTheRelease) {
  EXPECT_EQ(Kept(StepOf(Op::kClose, Hold::kFlush)), FUSE_FLUSH);
  EXPECT_TRUE(HoldKeeps(StepOf(Op::kClose, Hold::kFlush), FUSE_WRITE, true));
  EXPECT_EQ(Kept(StepOf(Op::kClose, Hold::kRelease)), FUSE_RELEASE);
  EXPECT_FALSE(HoldKeeps(StepOf(Op::kClose, Hold::kRelease), FUSE_WRITE, true));
  EXPECT_EQ(Kept(StepOf(Op::kClose, Hold::kNone)), FUSE_NONE);
}

}  // namespace
}  // namespace iomode
