// SPDX-License-Identifier: GPL-2.0-only
//
// Random loads for a kernel whose trace is taken: files of one or two inodes that are opened in
// every mode, used and closed, over and over, while the server opens and closes backings. Run in a
// hurry (conformance/agent/hurried_run.h), the files work side by side.

#ifndef CONFORMANCE_TRACE_LOAD_SCRIPT_H_
#define CONFORMANCE_TRACE_LOAD_SCRIPT_H_

#include <cstdint>
#include <string>

#include "sim/script.h"

namespace iomode::conform {

struct LoadOptions {
  int files = 8;   // that are in use side by side
  int rounds = 5;  // of opening, using and closing each
};

// A sequential script without results; the same for the same arguments. Everything that it opens it
// closes.
Script LoadScript(uint64_t seed, const std::string& name, const LoadOptions& options = {});

}  // namespace iomode::conform

#endif  // CONFORMANCE_TRACE_LOAD_SCRIPT_H_
