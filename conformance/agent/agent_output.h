// SPDX-License-Identifier: GPL-2.0-only
//
// What the agent as a program says to whoever calls it, beside the recorded scripts on its standard
// output. Pure data.

#ifndef CONFORMANCE_AGENT_AGENT_OUTPUT_H_
#define CONFORMANCE_AGENT_AGENT_OUTPUT_H_

namespace iomode {

// Its exit codes; 128 + N when signal N ended it.
enum AgentExit {
  kAgentOk = 0,
  kAgentFailed = 1,  // a script hung or could not be run
  kAgentBadInput = 2,
  kAgentNoKernel = 4,  // this kernel or user cannot run scripts
};

// With --times, a line a script on standard error: its file, this, and the microseconds that each
// step took, a blank before each.
inline constexpr char kAgentStepTimes[] = ": step times in us:";

}  // namespace iomode

#endif  // CONFORMANCE_AGENT_AGENT_OUTPUT_H_
