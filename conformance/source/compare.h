// SPDX-License-Identifier: GPL-2.0-only
//
// Is the model the kernel? Runs one script with the model's functions and with a kernel's own, in
// every interleaving, and says where they differ.

#ifndef CONFORMANCE_SOURCE_COMPARE_H_
#define CONFORMANCE_SOURCE_COMPARE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "model/revision.h"
#include "sim/script.h"

namespace iomode {

struct Comparison {
  // One line a difference: a step's or program's outcomes, the state after a step, a finding, that
  // one side alone has. Empty: they agree on everything explored.
  std::vector<std::string> differences;
  uint64_t outcomes = 0;       // of all steps, or of the threads
  uint64_t model_states = 0;   // explored
  uint64_t source_states = 0;  // ...
  bool complete = true;        // false: a side gave up at max_states, and nothing was compared
};

// `source` runs the kernel's functions (Machine::SetOps). Results that a sequential script claims
// narrow both sides alike. Findings are compared without the function's name: in the model, small
// functions are part of their caller.
Comparison Compare(const Script& script, const Revision& model, const Revision& source,
                   uint64_t max_states);

}  // namespace iomode

#endif  // CONFORMANCE_SOURCE_COMPARE_H_
