// SPDX-License-Identifier: GPL-2.0-only
//
// Traces of a kernel that is the model itself, under a random schedule: what an acceptor has to
// accept. For tests.

#ifndef CONFORMANCE_TRACE_SIMULATED_TRACE_H_
#define CONFORMANCE_TRACE_SIMULATED_TRACE_H_

#include <cstdint>
#include <vector>

#include "conformance/trace/trace_event.h"
#include "model/revision.h"

namespace iomode::conform {

// Four files of one inode that are opened, used and released `rounds` times, and a server that
// opens and closes backings. May end with tasks asleep.
std::vector<TraceEvent> SimulatedTrace(uint64_t seed, const Rules& rules, int rounds);

}  // namespace iomode::conform

#endif  // CONFORMANCE_TRACE_SIMULATED_TRACE_H_
