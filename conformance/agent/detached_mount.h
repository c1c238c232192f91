// SPDX-License-Identifier: GPL-2.0-only
//
// Mounts that no path leads to. Such a mount is reached by openat() on its descriptor alone, nobody
// else on the machine sees it, and the kernel takes it down with the last descriptor, however the
// process ends.

#ifndef CONFORMANCE_AGENT_DETACHED_MOUNT_H_
#define CONFORMANCE_AGENT_DETACHED_MOUNT_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "conformance/agent/descriptor.h"

namespace iomode::agent {

// Mounts a filesystem of type `type` with string options and returns a descriptor of its root.
// Errors: FailedPrecondition, which names the type and the call that failed.
absl::StatusOr<Descriptor> MountDetached(
    const char* type, const std::vector<std::pair<std::string, std::string>>& options);

}  // namespace iomode::agent

#endif  // CONFORMANCE_AGENT_DETACHED_MOUNT_H_
