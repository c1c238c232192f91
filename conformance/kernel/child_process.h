// SPDX-License-Identifier: GPL-2.0-only
//
// Runs one program after the other and takes what it says. A child never outlives its parent: it is
// terminated when the parent ends, however it ends, and when the parent is interrupted.
//
// Used by one thread.

#ifndef CONFORMANCE_KERNEL_CHILD_PROCESS_H_
#define CONFORMANCE_KERNEL_CHILD_PROCESS_H_

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace iomode::conform {

struct ChildOptions {
  std::string directory;                   // where it runs; "": here
  std::vector<std::string> environment;    // "NAME=value", besides the parent's own
  std::string log;                         // a file that takes stdout and stderr; "": ChildResult
  std::function<bool()> keep_on;           // asked several times a second; false: it is terminated
  std::chrono::milliseconds grace{10000};  // from SIGTERM to SIGKILL
};

struct ChildResult {
  int exit = 0;          // its exit code, or 128 + the signal that ended it
  bool stopped = false;  // by keep_on or an interrupt
  std::string out;
  std::string err;
};

// Runs a program to its end, with an empty stdin. NotFound: there is no such program; Unavailable:
// it could not be started.
absl::StatusOr<ChildResult> RunChild(const std::vector<std::string>& command,
                                     const ChildOptions& options = {});

// From now on SIGINT, SIGTERM and SIGHUP stop the running child, and every later one, instead of
// ending this process. To be called before the first RunChild, and again when something else has
// taken these signals since.
void CatchInterrupts();
// The signal that was caught; 0: none.
int Interrupted();

}  // namespace iomode::conform

#endif  // CONFORMANCE_KERNEL_CHILD_PROCESS_H_
