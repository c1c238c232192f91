// SPDX-License-Identifier: GPL-2.0-only
//
// Loads on a traced kernel, and whether the model explains what the kernel's trace says.

#ifndef CLI_CONFORM_TRACE_H_
#define CLI_CONFORM_TRACE_H_

#include <cstdint>
#include <vector>

#include "conformance/kernel/agent_call.h"
#include "conformance/kernel/judgement.h"
#include "conformance/trace/trace_event.h"
#include "model/revision.h"
#include "sim/script.h"

namespace iomode {

// `count` loads from consecutive seeds: "load-0007.iom" is that of seed 7.
std::vector<Script> LoadScripts(uint64_t seed, int count);

// kAgree: the trace is one of the model's.
conform::Judgement JudgeTrace(const Script& load, const conform::AgentOutcome& outcome,
                              const conform::TraceReading& reading, const Rules& rules);

}  // namespace iomode

#endif  // CLI_CONFORM_TRACE_H_
