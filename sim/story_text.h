// SPDX-License-Identifier: GPL-2.0-only
//
// A Story as text. Stateless.

#ifndef SIM_STORY_TEXT_H_
#define SIM_STORY_TEXT_H_

#include <string>

#include "sim/story.h"

namespace iomode {

// For reading: a line a step, a blank line at each context switch, state changes behind `|`.
std::string StoryText(const Story& story);

// "P0.1 8 steps, P1.1 12 steps, P0.1 3 steps": who runs for how long, in a line.
std::string StoryHint(const Story& story);

}  // namespace iomode

#endif  // SIM_STORY_TEXT_H_
