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
  int max_steps = 6;  // operations in a script
  // Pairs of states, for each set of connection capabilities. 0: 12,000, and no bound where one
  // side runs other code by the same rules, as a kernel's own code and its model.
  uint64_t max_states = 0;
  bool other_code = false;  // one side runs other code than the model's
  Watch* watch = nullptr;   // outlives the call; ends the walk
};

struct Difference {
  std::string rules;  // responsible: names, joined by " or "; "" when no single rule is, as where
                      // one side runs other code (Machine::SetOps)
  Script left;        // with the results of each revision
  Script right;
  std::vector<std::string> left_findings;
  std::vector<std::string> right_findings;
  // Of the state after the last step, in a comparison of states: what one side alone has.
  std::vector<std::string> left_states;
  std::vector<std::string> right_states;
};

// How far the two were compared with one set of connection capabilities and operations.
struct DiffWalk {
  std::string universe;  // "conn passthrough, page cache"
  uint64_t pairs = 0;    // compared
  uint64_t edges = 0;
  int left_states = 0;  // of each side, in these pairs
  int right_states = 0;
  int steps = 0;     // all scripts of so many operations were compared
  bool all = false;  // and so were longer ones: no pair is left
};

struct DiffReport {
  std::vector<Difference> differences;  // one for each cause, shortest script first
  std::vector<std::string> unseen;  // rules in which the revisions differ and that no script shows
  uint64_t states = 0;              // pairs that were compared
  uint64_t edges = 0;
  uint64_t max_states = 0;  // the bound; UINT64_MAX: none
  bool complete = true;     // false: max_states was reached, or the watch ended the walk
  std::vector<DiffWalk> walks;
};

DiffReport DiffRevisions(const Revision& left, const Revision& right, const DiffOptions& options);

}  // namespace iomode

#endif  // SIM_REVISION_DIFF_H_
