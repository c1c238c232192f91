// SPDX-License-Identifier: GPL-2.0-only

#include "sim/hold.h"

namespace iomode {
namespace {

bool WritesBack(Op op) {
  return op == Op::kFsync || op == Op::kMsync || op == Op::kClose || op == Op::kMunmap ||
         op == Op::kSyncRange;
}

// The request that a step of this kind is about; FUSE_NONE: none but writeback.
FuseOpcode RequestOf(Op op) {
  switch (op) {
    case Op::kOpen:
      return FUSE_OPEN;
    case Op::kRead:
    case Op::kAioRead:
    case Op::kLoad:
    case Op::kStore:
    case Op::kSpliceRead:
    case Op::kReadahead:
      return FUSE_READ;
    case Op::kWrite:
    case Op::kAioWrite:
      return FUSE_WRITE;
    case Op::kTruncate:
      return FUSE_SETATTR;
    case Op::kFallocate:
      return FUSE_FALLOCATE;
    case Op::kStat:
      return FUSE_GETATTR;
    case Op::kFsync:
    case Op::kMsync:
      return FUSE_FSYNC;
    case Op::kClose:
      return FUSE_FLUSH;
    default:
      return FUSE_NONE;
  }
}

}  // namespace

bool HoldKeeps(const Step& step, FuseOpcode opcode, bool writeback) {
  switch (step.hold) {
    case Hold::kNone:
      return false;
    case Hold::kRelease:
      return opcode == FUSE_RELEASE;
    case Hold::kRequest:
    case Hold::kFlush:
      return writeback ? WritesBack(step.op) : opcode == RequestOf(step.op);
  }
  return false;
}

}  // namespace iomode
