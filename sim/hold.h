// SPDX-License-Identifier: GPL-2.0-only
//
// Which requests `hold` on a step makes a server keep until a `reply`: the one table for the
// simulated server and for the one that serves a real kernel.
//
// Pure function; any thread.

#ifndef SIM_HOLD_H_
#define SIM_HOLD_H_

#include "model/uapi.h"
#include "sim/script.h"

namespace iomode {

// Whether a request that came of this step is kept. `writeback`: a WRITE of dirty pages, which the
// kernel sends on nobody's behalf; it counts for the steps whose business it is to write pages
// back. A RELEASE counts for the close step of its open file, whoever lets go of that last.
bool HoldKeeps(const Step& step, FuseOpcode opcode, bool writeback);

}  // namespace iomode

#endif  // SIM_HOLD_H_
