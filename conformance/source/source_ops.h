// SPDX-License-Identifier: GPL-2.0-only
//
// A kernel's own functions in the scheduled world: loads the library that conformance/source/build
// made of fs/fuse/iomode.c and the backing code, and makes machines run it. Each atomic, lock,
// wait, reference and RCU operation of the C code is then one operation of ScheduledWorld, and each
// plain access of a variable that other tasks read is a scheduling point.
//
// Used before machines are made. Two libraries at a time, one a slot: loading another one replaces
// the functions under all machines that run that slot's.

#ifndef CONFORMANCE_SOURCE_SOURCE_OPS_H_
#define CONFORMANCE_SOURCE_SOURCE_OPS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/revision.h"

namespace iomode {

inline constexpr int kSourceSlots = 2;

// Where a kernel's functions came from.
struct SourceInfo {
  std::string origin;
  const Revision* base = nullptr;    // the model around them
  std::vector<std::string> lacking;  // of those that could be the kernel's: the model's run instead
};

// How often functions were entered, by name, since the library was loaded. The kernel's: all of the
// library, also those that never were. The model's: on machines that run the library, its larger
// functions; those that are part of their caller are not told apart.
struct EnteredFunctions {
  std::map<std::string, uint64_t> kernel;
  std::map<std::string, uint64_t> model;
};

// A revision called `name`: the kernel's functions of the library `path`, and for everything else
// the model at `base`; nullptr: at the revision of the kernel version that the library came from.
// All calls for a slot (0, 1) give the same object, which the next call changes. nullptr with
// *error when it is no such library, or its version is not known.
const Revision* LoadSource(int slot, const std::string& path, const std::string& name,
                           const Revision* base, SourceInfo* info, std::string* error);

// What ran, of slot `slot`'s library and around it.
EnteredFunctions Entered(int slot);

// The kernel writes iocachectr, state and fb with fi->lock held, and as long as a library does so,
// reading them with it held is no scheduling point. True once, when one has first written one
// without the lock: from then on each access is a point, and what was running is to be run again.
// Asked after each script.
bool UnlockedWriteAppeared();

}  // namespace iomode

#endif  // CONFORMANCE_SOURCE_SOURCE_OPS_H_
