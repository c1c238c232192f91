// SPDX-License-Identifier: GPL-2.0-only
//
// Runs a sequential script as a load: a step is issued as soon as the earlier steps of its file and
// of its mapping have returned, whatever else is under way; a step of nobody's file (a reply, a
// backing_open) when all before it were issued, or else when nothing goes on without it. Files thus
// work side by side, and what the steps return depends on who is faster.

#ifndef CONFORMANCE_AGENT_HURRIED_RUN_H_
#define CONFORMANCE_AGENT_HURRIED_RUN_H_

#include <chrono>

#include "absl/status/status.h"
#include "conformance/agent/script_run.h"
#include "sim/script.h"

namespace iomode::agent {

// Until every step has returned. DeadlineExceeded, naming the steps that have not, when none does
// for `timeout`; Cancelled. `script` is the run's.
absl::Status RunHurriedly(const Script& script, std::chrono::milliseconds timeout, ScriptRun& run);

}  // namespace iomode::agent

#endif  // CONFORMANCE_AGENT_HURRIED_RUN_H_
