// SPDX-License-Identifier: GPL-2.0-only
//
// The op-level graph as the kernel sees it: states in which every inode has the same io-mode state
// (iocachectr, the bit, fb, who waits, i_rwsem) are one, however the files and tasks behind them
// differ. Small enough to be drawn.
//
// Each state and each way to take an edge keeps a shortest script. Plain values.

#ifndef SIM_KERNEL_GRAPH_H_
#define SIM_KERNEL_GRAPH_H_

#include <map>
#include <string>
#include <vector>

#include "sim/findings.h"
#include "sim/graph_walk.h"
#include "sim/op_graph.h"

namespace iomode {

struct KernelGraph {
  // What `--state` says of one inode.
  struct Inode {
    std::string name;
    int iocachectr;
    bool cache_io_mode;
    std::string fb;  // "B1", "-"
    int fb_refs;     // 0 without a backing
    int waiters;
    std::string i_rwsem;  // "-", "X", "S1"
  };

  struct State {
    std::vector<Inode> inodes;
    int members;  // op-level states
    Script script;
  };

  // One kind of operation, with its results, that leads from one state to another; files by role.
  struct Operation {
    std::string text;  // "open f A KEEP_CACHE -> blocked"
    int members;       // op-level edges
    Script script;
  };

  struct Edge {
    int from;  // states
    int to;
    std::vector<Operation> operations;  // by first appearance
  };

  struct Finding {
    FindingKind kind;
    int state;  // where its script ends
    Script script;
  };

  std::vector<State> states;  // in the order in which a breadth-first walk meets them
  std::vector<Edge> edges;    // by `from`, then `to`
  std::vector<Finding> findings;
};

KernelGraph MakeKernelGraph(OpGraph& graph, const GraphReport& report);

}  // namespace iomode

#endif  // SIM_KERNEL_GRAPH_H_
