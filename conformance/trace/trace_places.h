// SPDX-License-Identifier: GPL-2.0-only
//
// Which places of a TraceMachine the tasks, inodes and files of a trace take. Pointers and task
// numbers of a kernel are used again; what takes a place has it from its first event to its last.

#ifndef CONFORMANCE_TRACE_TRACE_PLACES_H_
#define CONFORMANCE_TRACE_TRACE_PLACES_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "conformance/trace/trace_event.h"
#include "conformance/trace/trace_machine.h"

namespace iomode::conform {

// One event with its places.
struct PlacedEvent {
  size_t index = 0;  // in the trace
  TraceKind kind = TraceKind::kCall;
  int slot = 0;        // of the task
  TraceCall call;      // kCall, kReturn; kSection: its inode
  bool opens = false;  // kCall: the file begins here
  bool frees = false;  // kReturn: the file ends here
};

struct PlacedTrace {
  std::vector<PlacedEvent> events;  // without those of functions that traced functions call
  TraceSizes sizes;
};

// InvalidArgument, with the line, for a trace that is not whole: an event outside of any call, a
// call without its inode or file, more calls at a time than a machine has room for.
absl::StatusOr<PlacedTrace> PlaceTrace(const std::vector<TraceEvent>& events);

}  // namespace iomode::conform

#endif  // CONFORMANCE_TRACE_TRACE_PLACES_H_
