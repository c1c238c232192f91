// SPDX-License-Identifier: GPL-2.0-only
//
// Is every file and map of a script there where the script uses it? Follows the steps in order with
// what their recorded results say, and runs nothing. Private to the script parser.
//
// Where results are unknown or have alternatives, a use is allowed. In a litmus script each thread
// is followed by itself, from the state after the set-up; what another thread may do to a name at
// any moment makes it unknown.

#ifndef SIM_SCRIPT_CHECK_H_
#define SIM_SCRIPT_CHECK_H_

#include "sim/script.h"
#include "sim/script_lexer.h"

namespace iomode {

// False, with an error, when a step uses a name that is not open, opens one that is, or claims the
// completion of a step that has completed before.
bool CheckNames(const Script& script, Diagnostics& diagnostics);

}  // namespace iomode

#endif  // SIM_SCRIPT_CHECK_H_
