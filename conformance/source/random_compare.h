// SPDX-License-Identifier: GPL-2.0-only
//
// Random scripts on the model's io-mode functions and on the kernel's own. For tests; knows nothing
// of GoogleTest, whose headers make macros of names that the model uses.

#ifndef CONFORMANCE_SOURCE_RANDOM_COMPARE_H_
#define CONFORMANCE_SOURCE_RANDOM_COMPARE_H_

#include <cstdint>
#include <string>

namespace iomode {

enum class RandomKind { kCore, kLifetimes, kAio, kCache, kRules, kTwoThreads, kThreeThreads };

struct RandomComparison {
  bool agree = false;       // RapidCheck found no disagreement; it prints one that it finds
  uint64_t compared = 0;    // scripts
  uint64_t incomplete = 0;  // scripts given up as too large
  std::string summary;      // one line: how much was compared
  std::string error;        // not "": the library cannot be used, and nothing was compared
};

// How many scripts, and from which seed: RapidCheck's RC_PARAMS.
RandomComparison CompareRandom(RandomKind kind, const std::string& library);

// How many scripts from fixed seeds it takes until one differs; 0 when `max` of them agree, or when
// the library cannot be used.
uint64_t ScriptsUntilDifference(RandomKind kind, const std::string& library, uint64_t max);

}  // namespace iomode

#endif  // CONFORMANCE_SOURCE_RANDOM_COMPARE_H_
