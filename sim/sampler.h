// SPDX-License-Identifier: GPL-2.0-only
//
// Interleavings of a litmus script's threads one at a time, for scripts with more of them than can
// be explored. What was not seen may still be possible.
//
// PCT (Burckhardt, Kothari, Musuvathi, Nagarakatte: A Randomized Scheduler with Probabilistic
// Guarantees of Finding Bugs, ASPLOS 2010): tasks get random priorities, the one of highest
// priority that can run runs; at depth - 1 steps, picked at random, the task that would run gets a
// low priority. A bug of depth d needs d ordering constraints between steps; with n tasks and k
// steps a run shows it with probability 1 / (n * k^(d-1)) at least. Values that the model leaves
// open (which of two ways readahead went) are picked at random beside that: a bug that also needs
// one of c values has 1/c of the probability.
//
// Stateless; a sampling run is done by one thread.

#ifndef SIM_SAMPLER_H_
#define SIM_SAMPLER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "sim/litmus.h"

namespace iomode {

struct SampleOptions {
  enum class Mode : uint8_t {
    kPct,
    kRandom,  // each task that can run is as likely, at each step
  };
  Mode mode = Mode::kPct;
  int depth = 3;           // PCT's d, at least 1
  uint64_t runs = 10'000;  // run number i has the seed `seed` + i
  uint64_t seed = 1;
  uint32_t steps = 0;               // PCT's k; 0: measured
  Watch* watch = nullptr;           // outlives the call
  SelfCheck* self_check = nullptr;  // likewise: replays the runs
};

// How many runs showed something, and the seed of the first.
struct Sighting {
  uint64_t runs = 0;
  uint64_t seed = 0;
};

struct SampleReport {
  std::map<LitmusOutcome, Sighting> outcomes;
  std::map<FindingKind, Sighting> kinds;
  std::set<Finding> findings;
  RunReport setup;  // see LitmusReport
  uint64_t runs = 0;
  uint64_t transitions = 0;
  uint32_t tasks = 0;    // PCT's n: most tasks that took steps in one run
  uint32_t longest = 0;  // most steps of a run
  uint32_t steps = 0;    // PCT's k, a quarter more than the longest of some random runs
  uint64_t longer = 0;   // runs of more than k steps, which have no guarantee
  std::string stopped;   // why there are fewer runs than asked for; "" when there are not
};

// Plays the runs, each from one of the states that the set-up can lead to.
SampleReport SampleLitmus(const Script& script, const Revision& revision,
                          const SampleOptions& options);

// The least probability with which one run shows a bug of the depth.
double PctGuarantee(const SampleReport& report, int depth);

}  // namespace iomode

#endif  // SIM_SAMPLER_H_
