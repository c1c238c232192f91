// SPDX-License-Identifier: GPL-2.0-only
//
// The options --mode, --depth, --runs, --seed and --steps of `iomode check`, and what it prints of
// runs that were sampled.

#ifndef CLI_SAMPLING_H_
#define CLI_SAMPLING_H_

#include <iosfwd>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "cli/arguments.h"
#include "sim/verdict.h"

namespace iomode {

struct SamplingFlags {
  std::string mode = "all";
  SampleOptions options;

  // What CheckScript is told; empty for --mode all.
  std::optional<SampleOptions> ToOptions() const;
};

void AddSampling(Command command, SamplingFlags& flags);

// Outcomes, conditions, the runs to repeat, and what the runs are worth.
void PrintSample(const Script& script, const Revision& revision, const Verdict& verdict,
                 const SamplingFlags& flags, std::ostream& out);
nlohmann::json SampleToJson(const Script& script, const Revision& revision, const Verdict& verdict,
                            const SamplingFlags& flags);

}  // namespace iomode

#endif  // CLI_SAMPLING_H_
