// SPDX-License-Identifier: GPL-2.0-only
//
// Two kernels on one schedule: the same script, the same tasks picked in the same order, and after
// each transition the same state, down to the last field. For kernels whose scheduling points are
// the same but for some that change nothing (a kernel's own code beside the model): where one side
// stands at such a point, it goes on alone until both stand at the same operation again; both sides
// do where each has such points.
//
// What is compared: every byte of the shared part of the arenas, that is, of connection, inodes,
// files, backings, requests, page caches, server and results, with pointers taken as places in
// their arena; and of each task what it is about to do, on what, and the locks that it holds. Not
// compared: the stacks, and the few fields that only a kernel's own code uses.

#ifndef SIM_LOCK_STEP_H_
#define SIM_LOCK_STEP_H_

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "model/revision.h"
#include "sim/machine.h"
#include "sim/script.h"

namespace iomode {

struct LockStepReport {
  uint64_t schedules = 0;
  uint64_t states = 0;  // compared, one a transition of both
  uint64_t alone = 0;   // transitions of one side that changed nothing
  // How the first schedule that parted the two did: a line for what ran, one for each field that
  // differs. Empty: none did.
  std::vector<std::string> difference;
};

class LockStep {
 public:
  // The revisions outlive it. Used by one thread.
  LockStep(const Script& script, const Revision& left, const Revision& right);

  // Follows `schedules` schedules from the script's start, picked by the numbers seed, seed + 1,
  // ... until one parts the two. Ignores the script's claims.
  LockStepReport Run(uint64_t seed, int schedules);

 private:
  bool RunSchedule(uint64_t seed);
  bool WalkToRest();
  bool Step(int slot, int choice);
  bool CatchUp(Machine& behind, int slot);
  bool CatchUpBoth(int slot);
  void TakeResults();
  bool Same() const { return SameTasks() && SameWords(); }
  bool SameTasks() const;
  bool SameTask(int slot) const;
  bool SameWords() const;
  bool SameWord(size_t at) const;
  uint64_t Relocated(const Machine& machine, uint64_t word) const;
  void Explain(int slot);

  const Script& script_;
  Machine left_;
  Machine right_;
  Snapshot left_start_;
  Snapshot right_start_;
  size_t compared_;                      // bytes of the shared part
  std::vector<uint64_t> compared_bits_;  // by word of them
  std::mt19937_64 random_;
  LockStepReport report_;
};

}  // namespace iomode

#endif  // SIM_LOCK_STEP_H_
