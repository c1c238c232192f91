// SPDX-License-Identifier: GPL-2.0-only
//
// The `.state.txt` that may stand beside a script: the state of each inode after each step, as a
// kernel showed it or as a revision is pinned to have it.
//
// Test code; pure functions.

#ifndef SIM_RECORDED_STATES_H_
#define SIM_RECORDED_STATES_H_

#include <string>
#include <vector>

#include "sim/runner.h"

namespace iomode {

// The state lines by step; [0] is unused.
std::vector<std::vector<std::string>> ReadStates(const std::string& path);

// Where the model's states are not those of the file: one text a step, none when all agree.
std::vector<std::string> StateDisagreements(const std::string& path, const RunReport& report);

}  // namespace iomode

#endif  // SIM_RECORDED_STATES_H_
