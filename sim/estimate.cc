// SPDX-License-Identifier: GPL-2.0-only

#include "sim/estimate.h"

#include <random>

#include "sim/random_walk.h"

namespace iomode {
namespace {

constexpr int kWalks = 48;

}  // namespace

double EstimateKnown(Machine& machine, const Snapshot& root, const VisitedSet& visited) {
  Scheduler& s = machine.scheduler();
  Snapshot present;
  present.Save(s);
  std::mt19937_64 random(visited.size());
  uint64_t met = 0;
  uint64_t known = 0;
  for (int i = 0; i < kWalks; i++) {
    root.Restore(s);
    while (RandomStep(machine, random)) {
      met++;
      known += visited.Contains(s.Key());
    }
  }
  present.Restore(s);
  return met == 0 ? 0 : static_cast<double>(known) / static_cast<double>(met);
}

}  // namespace iomode
