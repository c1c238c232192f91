// SPDX-License-Identifier: GPL-2.0-only
//
// What a kernel's io-mode functions did, event by event, as its tracing says (probes.h): calls,
// returns, and each time that fi->lock is let go, the inode's state as it is then. Sections of one
// inode's lock are in the order in which they took place. A call comes before what it does, a
// return after it; how these lie to the sections of others tells no more than that.

#ifndef CONFORMANCE_TRACE_TRACE_EVENT_H_
#define CONFORMANCE_TRACE_TRACE_EVENT_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace iomode::conform {

enum class TracedFunction : uint8_t {
  kFileIoOpen,
  kFileIoRelease,
  kCachedIoOpen,
  kUncachedIoStart,
  kUncachedIoEnd,
  kBackingOpen,
  kBackingClose,
};
inline constexpr int kTracedFunctions = 7;

// As in the kernel: "fuse_file_io_open".
const char* NameOf(TracedFunction function);
bool TracedFunctionOf(absl::string_view name, TracedFunction* function);

enum class TraceKind : char { kCall = 'c', kSection = 's', kReturn = 'r' };

// What tracefs calls an event: "c_fuse_file_io_open". Sections have a number behind, since a
// function can end one in several places.
std::string EventName(TraceKind kind, absl::string_view function);

// Fields that the function or the kind has not are 0. Pointers are the kernel's.
struct TraceEvent {
  TraceKind kind = TraceKind::kCall;
  TracedFunction function = TracedFunction::kFileIoOpen;
  int line = 0;            // of the trace, from 1
  pid_t task = 0;          // thread id
  uint64_t fi = 0;         // the inode
  uint64_t ff = 0;         // calls of functions of a file
  uint32_t flags = 0;      // ff->open_flags
  int mode = 0;            // ff->iomode
  int id = 0;              // of a backing: what to open or close
  uint64_t fb = 0;         // kSection: fi->fb; else the argument
  int counter = 0;         // kSection: fi->iocachectr
  bool cache_bit = false;  // kSection: FUSE_I_CACHE_IO_MODE
  int result = 0;          // kReturn
};

// What one has to know of a kernel to read what its probes say.
struct TraceReading {
  int cache_bit = 0;    // which bit of fi->state is FUSE_I_CACHE_IO_MODE
  int lock_offset = 0;  // of fi->lock in fuse_inode, in bytes
};

// `text`: of tracefs's file `trace`. InvalidArgument, with the line, for what is no trace of these
// probes.
absl::StatusOr<std::vector<TraceEvent>> ParseTrace(absl::string_view text,
                                                   const TraceReading& reading);

// "fuse_file_io_open of task 74: fi=0xff.. ..." in the words of the trace.
std::string Describe(const TraceEvent& event);

}  // namespace iomode::conform

#endif  // CONFORMANCE_TRACE_TRACE_EVENT_H_
