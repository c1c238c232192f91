// SPDX-License-Identifier: GPL-2.0-only
//
// Runs a litmus script: the numbered steps one after the other, then all threads in every
// interleaving. Gives every reachable final outcome, and what the conditions say of them.

#ifndef SIM_LITMUS_H_
#define SIM_LITMUS_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "sim/runner.h"
#include "sim/self_check.h"
#include "sim/shard.h"

namespace iomode {

// Of a condition. What was explored may leave it open: an `exists` that was not met yet.
enum class Truth : uint8_t { kFails, kHolds, kOpen };

// The results of all thread steps, by thread, in order.
using LitmusOutcome = std::vector<std::vector<Result>>;

struct LitmusReport {
  std::map<LitmusOutcome, uint64_t> outcomes;  // with the number of final states
  std::vector<Truth> conditions;               // by Script::conditions
  RunReport setup;  // failed_step: the set-up does what it does not claim
  std::set<Finding> findings;
  ExploreStats stats;
  bool elsewhere = false;  // the script is too small to be divided, and another part's
};

struct LitmusOptions {
  uint64_t max_states = 5'000'000;
  bool reduce = true;  // leave out interleavings that show nothing new
  bool learn = true;   // run equal transitions once
  Watch* watch = nullptr;
  Faults faults = {};
  SelfCheck* self_check = nullptr;
  // Explores one part. Conditions that it does not decide are then open, as the others may.
  Shard shard = {};
  bool owner = true;  // of what is not divided
};

LitmusReport RunLitmus(const Script& script, const Revision& revision,
                       const LitmusOptions& options);

// What the threads' steps have given by now.
LitmusOutcome OutcomeOf(const Machine& machine);

// A script is divided where so many states for each part have been found.
inline constexpr size_t kBranchesPerShard = 64;

// Starts all threads; each stands before its first operation.
void StartThreads(Machine& machine);

// What the outcomes say of a condition; `complete`: there are no others.
Truth Judge(const Condition& condition, const std::set<LitmusOutcome>& outcomes, bool complete);

// Whether the expression holds for one outcome. `via=` counts only where the condition names one.
bool Holds(const Condition::Expr& expr, const LitmusOutcome& outcome);

// "P0.1=0 P0.2=4096 via=server P1.1=EIO"
std::string PrintOutcome(const LitmusOutcome& outcome);

}  // namespace iomode

#endif  // SIM_LITMUS_H_
