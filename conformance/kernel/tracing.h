// SPDX-License-Identifier: GPL-2.0-only
//
// The running kernel's tracing by kprobe events, for the init of a guest. The events are in the
// order of one counter (trace_clock "counter").

#ifndef CONFORMANCE_KERNEL_TRACING_H_
#define CONFORMANCE_KERNEL_TRACING_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace iomode::conform {

// Where tracefs is mounted.
inline constexpr char kTracefs[] = "/sys/kernel/tracing";

// Defines the events, of the group `io`, and switches them on. Unavailable, with what the kernel
// has against a definition.
absl::Status PlaceProbes(const std::vector<std::string>& definitions);

// From here on events are recorded; earlier ones are gone.
absl::Status StartTrace();

// The text of the events since. DataLoss: some are missing.
absl::StatusOr<std::string> StopTrace();

}  // namespace iomode::conform

#endif  // CONFORMANCE_KERNEL_TRACING_H_
