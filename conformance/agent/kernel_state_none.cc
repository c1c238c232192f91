// SPDX-License-Identifier: GPL-2.0-only
//
// For builds without a source of kernel state.

#include "absl/status/status.h"
#include "conformance/agent/kernel_state.h"

namespace iomode::agent {

absl::StatusOr<std::unique_ptr<KernelState>> OpenKernelState() {
  return absl::FailedPreconditionError("this agent was built without a source of kernel state");
}

}  // namespace iomode::agent
