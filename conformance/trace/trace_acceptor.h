// SPDX-License-Identifier: GPL-2.0-only
//
// Whether some interleaving of the model explains a trace of a kernel.
//
// The trace is followed event by event with the set of all states that the model can be in. Before
// each event tasks may have done what the trace does not tell of: whatever is not a section of
// fi->lock. So an event that leaves no state is one that no interleaving explains.

#ifndef CONFORMANCE_TRACE_TRACE_ACCEPTOR_H_
#define CONFORMANCE_TRACE_TRACE_ACCEPTOR_H_

#include <cstdint>
#include <string>
#include <vector>

#include "conformance/trace/trace_event.h"
#include "model/revision.h"

namespace iomode::conform {

struct TraceVerdict {
  enum class Kind : uint8_t { kAccepted, kRejected, kIncomplete };
  Kind kind = Kind::kAccepted;
  size_t events = 0;       // explained
  uint64_t states = 0;     // visited altogether
  size_t most_states = 0;  // possible ones at a time
  // kRejected: what the kernel did, what the model allows, and the states that were possible
  // before. kIncomplete: what there is too much of, or what the trace lacks.
  std::vector<std::string> details;
};

struct AcceptOptions {
  size_t max_states = 200'000;  // on the way from one event to the next
};

// `rules` are the kernel's revision's. The trace starts with nothing open and nothing under way.
TraceVerdict AcceptTrace(const std::vector<TraceEvent>& events, const Rules& rules,
                         const AcceptOptions& options = {});

}  // namespace iomode::conform

#endif  // CONFORMANCE_TRACE_TRACE_ACCEPTOR_H_
