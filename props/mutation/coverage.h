// SPDX-License-Identifier: GPL-2.0-only
//
// What an exploration runs of the model: the places of the mutated files (mutants.py) that it
// passes. No mutant is active.

#ifndef PROPS_MUTATION_COVERAGE_H_
#define PROPS_MUTATION_COVERAGE_H_

#include <string>
#include <vector>

namespace iomode {

struct CoverageOptions {
  std::string kernel;  // judges all scripts; "": each script's own revision, or the newest
  std::vector<std::string> paths;  // scripts, or folders of them
  bool graph = false;  // walks the op-level graph of `kernel` too, at its default bounds
};

// Prints, a line each:
//
//   revision NAME                        that something was explored at
//   explored SCRIPTS STATES TRANSITIONS  complete|incomplete
//   graph REVISION STATES EDGES          complete|incomplete
//   place NUMBER BITS                    ReachedBits (mutant.h) of each place that was passed
//
// Returns 0, or 2 after an error on stderr.
int Cover(const CoverageOptions& options);

}  // namespace iomode

#endif  // PROPS_MUTATION_COVERAGE_H_
