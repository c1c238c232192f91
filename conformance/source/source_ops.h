// SPDX-License-Identifier: GPL-2.0-only
//
// A kernel's own functions in the scheduled world: loads the library that conformance/source/build
// made of fs/fuse/iomode.c and the backing code, and makes machines run it. Each atomic, lock,
// wait, reference and RCU operation of the C code is then one operation of ScheduledWorld, and each
// plain access of a variable that other tasks read is a scheduling point.
//
// Used before machines are made. One library at a time: loading another one replaces the functions
// under all machines that run them.

#ifndef CONFORMANCE_SOURCE_SOURCE_OPS_H_
#define CONFORMANCE_SOURCE_SOURCE_OPS_H_

#include <string>
#include <vector>

#include "model/revision.h"

namespace iomode {

// Where a kernel's functions came from, and which of the seam's functions are the kernel's.
struct SourceInfo {
  std::string origin;
  std::vector<std::string> kernel;  // run the kernel's code
  std::vector<std::string> model;   // the kernel does not have them, so the model's run
};

// A revision named "source": the kernel's functions of the library `path`, and for everything else
// the model at `base`. All calls give the same object, which the next call changes. nullptr with
// *error when it is no such library.
const Revision* LoadSource(const std::string& path, const Revision& base, SourceInfo* info,
                           std::string* error);

// The kernel writes iocachectr, state and fb with fi->lock held, and as long as the library does
// so, reading them with it held is no scheduling point. True once, when the library has first
// written one without the lock: from then on each access is a point, and what was running is to be
// run again. Asked after each script.
bool UnlockedWriteAppeared();

}  // namespace iomode

#endif  // CONFORMANCE_SOURCE_SOURCE_OPS_H_
