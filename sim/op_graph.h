// SPDX-License-Identifier: GPL-2.0-only
//
// The op-level state graph: a state is a machine at rest, an edge is one operation (a step of a
// script) carried out until nothing more happens. Within bounds on how many inodes, files, backings
// and writes in flight there are, the graph is finite; every path through it is a sequential
// script.
//
// Interchangeable names are taken in order: f2 is opened only while f1 is in use. A name whose
// mapping outlives it is not opened again before the mapping is gone. One edge label may lead to
// several states where tasks race.
//
// Used by one thread. States are stored as snapshots, about 4 KiB each.

#ifndef SIM_OP_GRAPH_H_
#define SIM_OP_GRAPH_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sim/canonical.h"
#include "sim/explorer.h"
#include "sim/machine.h"
#include "sim/runner.h"

namespace iomode {

struct GraphBounds {
  int inodes = 1;
  int files = 2;
  int backings = 1;
  int writes = 1;  // held direct writes at a time, for each file
  int maps = 0;    // files that can be mapped shared
  uint32_t conn = CONN_PASSTHROUGH | CONN_DIRECT_IO_ALLOW_MMAP;
  bool page_cache = false;  // also reads, aio, truncation, fsync and writes past the end
};

// All operations within the bounds, as a script whose steps are the operations; not to be run in
// order.
Script MakeUniverse(const GraphBounds& bounds);

class OpGraph {
 public:
  struct Edge {
    int op;               // index of the universe's step
    StepOutcome outcome;  // completions by the universe's step number
    int to;               // state
    uint32_t findings;    // FindingKind bits seen on the way or in the new state
  };

  // `universe` and `revision` outlive the graph. `replies_only_to_held`: the server replies to
  // requests that it holds; else also, once, to a blocked step whose request has not reached it,
  // which tells where the step is blocked.
  OpGraph(const Script& universe, const Revision& revision, bool replies_only_to_held = true);
  ~OpGraph();

  // State 0 is the beginning. Edges of a state, in the order of the operations; computed once.
  const std::vector<Edge>& Expand(int state);
  bool expanded(int state) const { return expanded_[state]; }
  // States that are found from now on are told apart only: they can be neither expanded nor loaded,
  // and take no room.
  void KeepNoMoreStates() { keeps_states_ = false; }
  // Of what --state shows of a state; equal in graphs of other code where that is equal.
  size_t LinesHash(int state) const { return lines_[state]; }
  int states() const { return static_cast<int>(snapshots_.size()); }
  // Loads a state into the machine, to be looked at.
  Machine& Load(int state);
  Machine& machine() { return machine_; }
  // Makes the states of a class one, in a graph whose states are all expanded. `class_of`: see
  // EqualStates(). A class is what its first state was.
  void Merge(const std::vector<int>& class_of);
  const Script& universe() const { return universe_; }

 private:
  struct Ids;

  bool CanDo(int op);
  void AtRest(int op, std::vector<Edge>& edges);
  int Intern();

  const Script& universe_;
  const bool replies_only_to_held_;
  const bool sees_attributes_;  // some operation asks for the inode's attributes
  Machine machine_;
  Explorer explorer_;
  CanonicalKey canonical_;
  bool keeps_states_ = true;
  std::vector<Snapshot> snapshots_;
  std::vector<size_t> lines_;
  std::vector<std::vector<Edge>> edges_;
  std::vector<bool> expanded_;
  const std::unique_ptr<Ids> ids_;  // of the states
};

// One step of a path: which operation, and what it gave.
struct PathStep {
  int op;
  StepOutcome outcome;
};

// The path as a script with results, its steps renumbered.
Script PathScript(const Script& universe, const std::vector<PathStep>& path);

// An edge in words, steps by what they do: "reply to (write f1 hold) -> 0; write f1 hold
// -> 4096 via=server".
std::string PrintEdge(const Script& universe, const OpGraph::Edge& edge);

}  // namespace iomode

#endif  // SIM_OP_GRAPH_H_
