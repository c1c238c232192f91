// SPDX-License-Identifier: GPL-2.0-only
//
// Runs sequential scripts on the running kernel and writes down what it does. One recorder serves
// any number of scripts one after the other; each gets a mount, backing files and processes of its
// own, which are gone when Record returns.

#ifndef CONFORMANCE_AGENT_RECORDER_H_
#define CONFORMANCE_AGENT_RECORDER_H_

#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "conformance/agent/descriptor.h"
#include "conformance/agent/kernel_state.h"
#include "sim/script.h"

namespace iomode::agent {

struct RecorderOptions {
  bool state = false;                   // add comment lines with the state after every step
  std::chrono::milliseconds timeout{};  // for one step to come to rest
};

class Recorder {
 public:
  // FailedPrecondition, with the reason, if this kernel or user cannot run scripts. Gives the
  // calling process precedence over others on the machine.
  static absl::StatusOr<std::unique_ptr<Recorder>> Open(const RecorderOptions& options);

  // The script with the results of this run in place of any that it had. DeadlineExceeded: it hung,
  // and at which step. Cancelled: see Cancel. FailedPrecondition: this kernel cannot run it.
  // Unavailable: something else of the machine.
  absl::StatusOr<Script> Record(const Script& script);

  // Runs the script as a load (hurried_run.h); its results are nobody's. Errors as Record's.
  absl::Status Hurry(const Script& script);

  // How long each step took since the last call, from its issue to rest; without the steps that
  // only let time pass.
  std::vector<std::chrono::microseconds> TakeStepTimes() { return std::exchange(step_times_, {}); }

  // Makes the current and every later Record end early. May be called from a signal handler.
  static void Cancel();

 private:
  Recorder() = default;

  RecorderOptions options_;
  Descriptor control_;  // fusectl
  Descriptor tmpfs_;
  std::unique_ptr<KernelState> kernel_state_;  // with options_.state
  std::vector<std::chrono::microseconds> step_times_;
};

}  // namespace iomode::agent

#endif  // CONFORMANCE_AGENT_RECORDER_H_
