// SPDX-License-Identifier: GPL-2.0-only
//
// Scripts run on a kernel: the one that runs, or (qemu_runs.h) one in a guest.

#ifndef CONFORMANCE_KERNEL_KERNEL_RUNS_H_
#define CONFORMANCE_KERNEL_KERNEL_RUNS_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "conformance/kernel/agent_call.h"
#include "sim/script.h"

namespace iomode::conform {

struct KernelRuns {
  std::string release;                                // as uname says
  std::vector<std::optional<AgentOutcome>> outcomes;  // by script; nullopt: it was not run
  double start_seconds = 0;                           // from QEMU's start to the first script
  std::string trouble;                                // why some were not run; "" when all were
  std::vector<std::string> details;                   // behind it: the end of a guest's console
};

// Called with the number of scripts done so far.
using ProgressFunction = std::function<void(size_t done)>;

// On the running kernel. FailedPrecondition, with the reason: it or this user cannot run scripts.
// `scripts`: such that WhyNotRunnable (judgement.h) has nothing against.
absl::StatusOr<KernelRuns> RunNative(const std::vector<Script>& scripts,
                                     const AgentOptions& options, const ProgressFunction& progress);

}  // namespace iomode::conform

#endif  // CONFORMANCE_KERNEL_KERNEL_RUNS_H_
