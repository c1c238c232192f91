// SPDX-License-Identifier: GPL-2.0-only
//
// One call of the agent (conformance/agent) for one script, on the kernel that runs: natively by
// the command, in a guest by its init, which sends the outcome to the command as a line of JSON.

#ifndef CONFORMANCE_KERNEL_AGENT_CALL_H_
#define CONFORMANCE_KERNEL_AGENT_CALL_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "conformance/agent/agent_output.h"
#include "sim/script.h"

namespace iomode::conform {

struct AgentOptions {
  std::string agent;       // the program
  int repeat = 1;          // runs of each script
  int step_seconds = 20;   // in which a step has to come to rest
  bool hurry = false;      // run scripts as loads
  bool kernel_log = true;  // also watch what the kernel logs meanwhile
};

struct AgentOutcome {
  int exit = 0;          // AgentExit, or 128 + a signal
  bool stopped = false;  // interrupted, or it took far longer than its steps may
  std::string out;       // the script as the agent printed it, once a different outcome
  std::string err;
  std::vector<int> step_us;             // microseconds of each step, over all runs
  std::vector<std::string> kernel_log;  // warnings, oopses and lock reports logged meanwhile
  double seconds = 0;
  std::string trace;  // of a traced guest: tracefs's `trace`
};

// Runs the script in `file`; the agent is stopped after `limit_seconds`.
absl::StatusOr<AgentOutcome> CallAgent(const AgentOptions& options, const std::string& file,
                                       int limit_seconds);

// How long a call for this script may take when the agent keeps to its own limits.
int LimitSeconds(const AgentOptions& options, const Script& script);

// Whether a line of the kernel's log says that something is wrong with the kernel: a WARN_ON, an
// oops, a report of lockdep, KASAN or KCSAN, a hung task.
bool IsKernelComplaint(const std::string& line);

// One line of JSON without a newline, and back; `script` is the number of the script.
std::string ToJsonLine(int script, const AgentOutcome& outcome);
bool FromJsonLine(const std::string& line, int* script, AgentOutcome* outcome);

}  // namespace iomode::conform

#endif  // CONFORMANCE_KERNEL_AGENT_CALL_H_
