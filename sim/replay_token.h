// SPDX-License-Identifier: GPL-2.0-only
//
// A schedule as a word that can be copied into a mail: "v7.3:5e2f19c0:GgEIAQ:1f9b03aa:77c2".
// Revision, hash of the script's steps, choices, hash of what happened, checksum of the word. A
// choice is kept only where the run does not simply go on with the task that ran last.
//
// The script's hash covers what is run (capabilities, names, steps, threads) and not what is
// claimed or said about it: results, conditions, expectations and comments may change.
//
// Plain values.

#ifndef SIM_REPLAY_TOKEN_H_
#define SIM_REPLAY_TOKEN_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sim/shortest_schedule.h"

namespace iomode {

struct ReplayToken {
  std::string revision;
  uint32_t script_hash = 0;
  std::string choices;       // bytes of PackChoices
  uint32_t events_hash = 0;  // of all that happens: Story::events_hash
};

uint32_t ScriptHash(const Script& script);

// A hash of text that is the same in every build.
uint32_t TextHash(absl::string_view text);

// The choices of a run's schedule, from its start. The run is left at its end.
std::string PackChoices(ScriptRun& run, const Schedule& schedule);
// The reverse. Error: the choices lead to no run of this script.
absl::StatusOr<Schedule> UnpackChoices(ScriptRun& run, absl::string_view choices);

std::string PrintToken(const ReplayToken& token);
// Errors say what is wrong: not a token, or a damaged one.
absl::StatusOr<ReplayToken> ParseToken(absl::string_view text);

}  // namespace iomode

#endif  // SIM_REPLAY_TOKEN_H_
