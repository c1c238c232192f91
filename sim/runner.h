// SPDX-License-Identifier: GPL-2.0-only
//
// Runs a sequential script on a machine and keeps the set of states that it can be in. After each
// step the machine runs until nothing can happen without a new one, in every interleaving; results
// that the script claims narrow the set.
//
// A Runner is used once, by one thread.

#ifndef SIM_RUNNER_H_
#define SIM_RUNNER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sim/explorer.h"
#include "sim/machine.h"
#include "sim/self_check.h"

namespace iomode {

struct RunnerOptions {
  uint64_t max_states = 4'000'000;  // over all steps
  bool reduce = true;               // leave out interleavings that show nothing new
  bool narrow = true;               // take the script's results as claims; else ignore them
  std::optional<uint64_t> seed;     // follow one interleaving only, picked by this number
  Watch* watch = nullptr;           // outlives the runner
  Faults faults = {};               // what goes wrong on the way
  SelfCheck* self_check = nullptr;  // likewise: replays the schedules that lead to rest
};

// What one step gave in one interleaving.
struct StepOutcome {
  Result own;
  std::map<int, Result> completions;  // earlier steps that completed during it, by number

  friend bool operator==(const StepOutcome&, const StepOutcome&) = default;
  friend auto operator<=>(const StepOutcome&, const StepOutcome&) = default;
};

// What a step gave in all interleavings.
struct StepReport {
  std::set<StepOutcome> outcomes;
  std::set<std::vector<std::string>> state_lines;  // of the states that are kept
};

struct RunReport {
  std::vector<StepReport> steps;  // those that were run
  int failed_step = 0;  // number of the first step whose claim no interleaving allows; 0: none
  std::vector<std::string> states_before_failure;
  std::set<Finding> findings;
  std::map<FindingKind, int> found_at;  // step number after which it was first seen; 0: at the end
  // An interleaving gives what every step claims. So it is, too, where a bound ended the search
  // after one was met.
  bool claims_met = false;
  // Bits of FindingKind: those that were found on every way through the steps, so that the claimed
  // results cannot come about without them.
  uint32_t certain = 0;
  ExploreStats stats;
};

class Runner {
 public:
  Runner(const Script& script, const Revision& revision, const RunnerOptions& options);
  ~Runner();

  // Runs the steps, then the end of the script: everything is closed and must be gone.
  RunReport Run();

  // Runs the steps only and leaves the machine in one of the states reached; for set-up of a litmus
  // script.
  RunReport RunSteps();

  Machine& machine() { return machine_; }
  // The states after the last step that was run.
  const std::vector<Snapshot>& states() const { return states_; }

 private:
  struct Random;

  bool RunStep(int index);
  void AtRest(int index, const Step& step, StepReport& report, Explorer::Visited& kept,
              std::vector<Snapshot>& next);
  void WalkAtRandom();
  void NoteFindings(int step);
  uint32_t CertainFindings();
  void RunTeardown();

  const Script& script_;
  RunnerOptions options_;
  Machine machine_;
  Explorer explorer_;
  RunReport report_;
  const std::unique_ptr<Random> random_;  // none: every interleaving
  std::vector<Snapshot> states_;
};

// At rest after step `index` + 1: its result, and those of earlier steps that have not been taken.
StepOutcome OutcomeAtRest(const Machine& machine, int index);

// Takes these results, so that they count once.
void TakeResults(Machine& machine, int index);

// Whether an outcome is one that the step's results allow.
bool Allows(const Step& step, const StepOutcome& outcome);

// The step's results as the model gives them: "-> 0; 3 -> 4096 via=server | blocked". Sets `step`'s
// result fields.
void SetResults(const StepReport& report, Step& step);

}  // namespace iomode

#endif  // SIM_RUNNER_H_
