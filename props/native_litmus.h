// SPDX-License-Identifier: GPL-2.0-only
//
// One run of a litmus script on real threads, with random delays at the scheduling points: what
// the threads got together, this time.

#ifndef PROPS_NATIVE_LITMUS_H_
#define PROPS_NATIVE_LITMUS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "sim/litmus.h"

namespace iomode {

struct NativeLitmusRun {
  LitmusOutcome outcome;           // without `via`; blocked: asleep when nothing else could run
  std::vector<std::string> wrong;  // what was left, or reported, when everything was closed
};

// NativeProgram::CanRun(script). `seed` fixes the delays, not how the threads interleave.
NativeLitmusRun RunLitmusNatively(const Script& script, const Revision& revision, uint64_t seed);

}  // namespace iomode

#endif  // PROPS_NATIVE_LITMUS_H_
