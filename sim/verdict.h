// SPDX-License-Identifier: GPL-2.0-only
//
// Judges a script at a revision: do its results and conditions hold, and did the built-in checks
// find what it expects?
//
// What was found in an exploration that a bound ended counts as far as it goes: a finding that is
// not expected, an outcome that must never be, fail the script. All else is then left open, and the
// script is neither right nor wrong.
//
// So it is with sampled runs, which are never complete. There a script holds when it asks only for
// what can be shown, by `exists` and `expect`, and all of that was seen.
//
// Findings and `expect`: every expected finding must be found. A finding that is not expected fails
// the script, unless the script is a recording, that is, a sequence that claims a result for every
// step: then its results are the claim, and what the checks see on the way is reported beside them.

#ifndef SIM_VERDICT_H_
#define SIM_VERDICT_H_

#include <optional>
#include <string>
#include <vector>

#include "sim/litmus.h"
#include "sim/runner.h"
#include "sim/sampler.h"

namespace iomode {

struct Verdict {
  enum class Status { kHolds, kFails, kIncomplete };
  Status status = Status::kHolds;
  std::vector<std::string>
      problems;  // why it fails: "file:line:column: ...", the details behind it, a line each
  std::vector<std::string> notes;   // findings that do not fail it
  std::vector<Finding> findings;    // one for each rule, task and function
  std::vector<Finding> unexpected;  // those that fail it
  RunReport run;                    // of a sequential script
  LitmusReport litmus;              // of a litmus script
  SampleReport sample;              // of a litmus script of which runs were sampled
  ExploreStats stats;
  uint64_t replays = 0;  // of the self-check
  bool recording = false;
  bool sampled = false;
  bool elsewhere = false;  // another part's alone; nothing was judged
};

struct CheckOptions {
  uint64_t max_states = 5'000'000;  // of one script
  bool reduce = true;               // leave out interleavings that show nothing new
  bool learn = true;                // run equal transitions once
  Watch* watch = nullptr;           // outlives the call
  // Litmus scripts are not explored but sampled; its Watch and self-check are those here.
  std::optional<SampleOptions> sample = std::nullopt;
  bool self_check = false;
  // Explores one part of each litmus script (sim/shard.h). It fails or holds as far as that part
  // goes; what it only expects, another part may find. Not for samples.
  Shard shard = {};
  bool owner = true;  // of what is not divided
};

Verdict CheckScript(const Script& script, const Revision& revision, const CheckOptions& options);

// What was explored: PrintStats, or "incomplete: 100 runs; 5432 transitions sampled".
std::string PrintExtent(const Verdict& verdict);

// The revision that judges a script when nobody names one. A script below a folder that has a
// revision's name is held against that revision, a recording below a folder "linux-X.Y" against
// that kernel's revision when there is one; everything else against `otherwise`.
const Revision& RevisionFor(const std::string& path, const Revision& otherwise);

// Whether each step of a sequential script claims a result.
bool IsRecording(const Script& script);

// Findings that differ in the state of their object only are one.
std::vector<Finding> DistinctFindings(const std::set<Finding>& findings);

}  // namespace iomode

#endif  // SIM_VERDICT_H_
