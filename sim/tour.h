// SPDX-License-Identifier: GPL-2.0-only
//
// A tour of an op-level graph: sequential scripts that together take every edge, as few of them as
// possible and, with so few, of as few steps as possible; for running on a real kernel. Each claims
// the results that the model gives.
//
// This is the Chinese postman's problem on a directed graph, with a way back to the beginning from
// every state that costs a new script. A circulation of least cost with each edge taken at least
// once (LEMON's network simplex) says how often to take each edge; an Euler circuit of that, cut
// where it goes back to the beginning, is the tour. Walks that are longer than wanted are cut, and
// go on from the shortest path to where they were cut.
//
// A script cannot force an edge when tasks race: then one operation leads to several states. Such
// an operation gets a script that ends with it and allows each of its results. What lies only
// behind races is counted; on request each such edge gets a script that takes it if the races on
// its way end as they must, and claims nothing.
//
// Stateless; used by one thread.

#ifndef SIM_TOUR_H_
#define SIM_TOUR_H_

#include <cstdint>
#include <string>
#include <vector>

#include "sim/graph_walk.h"
#include "sim/op_graph.h"

namespace iomode {

struct Tour {
  // An operation whose end is not the script's to choose.
  struct Race {
    int state;
    int op;    // index of the universe's step
    int ends;  // edges that it may take
  };

  // First those that force edges, then a race each, then those that go beyond races.
  std::vector<Script> scripts;
  std::vector<std::vector<int>> ops;  // by script: the universe's step that each step of it is
  std::vector<Race> races;            // whose state a script can reach without another race
  uint64_t edges = 0;                 // of the graph
  uint64_t forced = 0;                // ... that a script takes for certain
  uint64_t raced = 0;                 // ... that a script may take: the ends of `races`
  uint64_t behind = 0;                // ... that start only where a race has led
  uint64_t steps = 0;                 // in all scripts
  uint64_t naive_steps = 0;           // one script for each edge or race, by a shortest path
  uint64_t naive_scripts = 0;
};

// A tour of what was walked. No script has more than `max_steps` steps, but for those whose
// shortest path is longer. `max_steps` is at least 1. `beyond_races`: with scripts for what lies
// behind races.
Tour MakeTour(OpGraph& graph, const GraphReport& report, int max_steps, bool beyond_races = false);

// "tour-0012.iom": the name of a script, with as many digits as keep all `count` in order.
std::string TourFileName(size_t index, size_t count);

}  // namespace iomode

#endif  // SIM_TOUR_H_
