// SPDX-License-Identifier: GPL-2.0-only
//
// Parts of an exploration that share nothing, for several machines.
//
//   starts ──► expanded, breadth first, by every part ──► frontier: f0 f1 f2 f3 f4 f5 f6 f7
//                                                         part 1/4: f0 f1 · part 2/4: f2 f3 · ...
//
// Which states are the frontier depends on the script and the revision alone: all transitions of
// the states before it are taken, without reduction, by the same code in every part. A part then
// explores what can follow from its own states of the frontier, as one search. Every interleaving
// passes through one of them, so each belongs to exactly one part, and what all parts reach is what
// the whole search reaches. States that follow from the frontier of several parts are explored by
// each of these: that is what sharing nothing costs.
//
// An exploration that ends before its frontier is wide enough is one part's alone: the owner's.

#ifndef SIM_SHARD_H_
#define SIM_SHARD_H_

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "sim/hash.h"
#include "sim/machine.h"

namespace iomode {

// Part `number` of `count`, from 1.
struct Shard {
  int number = 1;
  int count = 1;

  bool IsWhole() const { return count == 1; }
  // Whether work number `item` that is not divided further, from 0, is this part's.
  bool Owns(size_t item) const { return item % static_cast<size_t>(count) + 1 == Index(); }
  // The first of `items`, in order, that are this part's; those of the next part follow.
  size_t Begin(size_t items) const { return items * (Index() - 1) / static_cast<size_t>(count); }
  size_t End(size_t items) const { return items * Index() / static_cast<size_t>(count); }

 private:
  size_t Index() const { return static_cast<size_t>(number); }
};

// "2/4"; ParseShard (sim/shard_parser.h) reads it.
std::string PrintShard(const Shard& shard);

// What every part does first.
struct Spread {
  std::vector<Hash128> expanded;   // states, by Scheduler::Key()
  std::vector<Snapshot> frontier;  // empty: there are no other states
  uint64_t transitions = 0;
  uint64_t rests = 0;
};

// Expands states breadth first from `starts` until the frontier has `enough` states or is empty,
// for a search that `reduces` or does not. `at_rest` and `at_state` are called as by
// Explorer::Run(), in each state that is expanded. The machine is left in any state.
Spread SpreadOut(Machine& machine, const std::vector<Snapshot>& starts, size_t enough, bool reduces,
                 const std::function<void()>& at_rest, const std::function<void()>& at_state);

}  // namespace iomode

#endif  // SIM_SHARD_H_
