// SPDX-License-Identifier: GPL-2.0-only
//
// What the commands that walk an op-level graph share: its bounds on the command line, and the walk
// with progress on a terminal, Ctrl-C and limits.

#ifndef CLI_GRAPH_OPTIONS_H_
#define CLI_GRAPH_OPTIONS_H_

#include <string>

#include "cli/arguments.h"
#include "cli/bounds.h"
#include "sim/graph_walk.h"
#include "sim/op_graph.h"

namespace iomode {

struct GraphOptions {
  GraphBounds bounds;
  int max_states = 200'000;
  Watch::Limits limits = {.memory = 0, .seconds = 600};
};

// Adds the options to a command; `options` outlives it.
void AddGraphOptions(Command command, GraphOptions& options);

struct WalkedGraph {
  GraphReport report;
  std::string stopped;  // why it is not complete: "bound of 100 states"
};

// Walks the graph until it is complete, a limit is reached, or the user interrupts.
WalkedGraph WalkWithProgress(OpGraph& graph, const GraphOptions& options);

// "1 inodes, 2 files, 1 backings, 1 held writes a file, 0 maps".
std::string PrintBounds(const GraphBounds& bounds);

// "all ", or "incomplete: bound of 100 states; ".
std::string PrintCompleteness(const WalkedGraph& walked);

}  // namespace iomode

#endif  // CLI_GRAPH_OPTIONS_H_
