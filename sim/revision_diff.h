// SPDX-License-Identifier: GPL-2.0-only
//
// What tells two revisions apart: walks the op-level graphs of both side by side, breadth first,
// and stops on each path where the results, or the findings, differ.
//
// A difference is put down to a rule by trial: each rule in which the revisions differ is changed
// alone, on the first revision, and the script is run again; a rule with which the first revision
// behaves like the second is responsible.

#ifndef SIM_REVISION_DIFF_H_
#define SIM_REVISION_DIFF_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "model/revision.h"
#include "sim/op_graph.h"

namespace iomode {

struct DiffOptions {
  int files = 2;
  int backings = 1;
  int writes = 1;
  int max_steps = 6;        // operations in a script
  int max_states = 12'000;  // pairs of states, for each set of connection capabilities
  Watch* watch = nullptr;   // outlives the call; ends the walk
};

struct Difference {
  std::string rules;  // responsible: names, joined by " or "; "" when no single rule is, as where
                      // one side runs other code (Machine::SetOps)
  Script left;        // with the results of each revision
  Script right;
  std::vector<std::string> left_findings;
  std::vector<std::string> right_findings;
};

struct DiffReport {
  std::vector<Difference> differences;  // one for each cause, shortest script first
  std::vector<std::string> unseen;  // rules in which the revisions differ and that no script shows
  uint64_t states = 0;              // pairs that were compared
  uint64_t edges = 0;
  bool complete = true;  // false: max_states was reached, or the watch ended the walk
};

DiffReport DiffRevisions(const Revision& left, const Revision& right, const DiffOptions& options);

}  // namespace iomode

#endif  // SIM_REVISION_DIFF_H_
