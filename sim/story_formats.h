// SPDX-License-Identifier: GPL-2.0-only
//
// A Counterexample as text, JSON, Mermaid and Chrome trace. Pure functions; each ends with a line
// end.

#ifndef SIM_STORY_FORMATS_H_
#define SIM_STORY_FORMATS_H_

#include <string>

#include "sim/counterexample.h"

namespace iomode {

// For reading: a line a step, a blank line at each context switch, state changes behind `|`.
std::string StoryText(const Counterexample& example);

// An object with all that the text says. Numbers of steps count from 1.
std::string StoryJson(const Counterexample& example);

// A Mermaid sequence diagram: threads, inodes and the server; wakeups as arrows.
std::string StoryMermaid(const Counterexample& example);

// Trace Event Format, for Perfetto or chrome://tracing: a track a thread, slices for kernel
// functions, steps and sleeps, arrows for wakeups, counters for iocachectr. A step lasts 1 ms.
std::string StoryChromeTrace(const Counterexample& example);

// "P0.1 8 steps, P1.1 12 steps, P0.1 3 steps": who runs for how long, in a line.
std::string StoryHint(const Story& story);

}  // namespace iomode

#endif  // SIM_STORY_FORMATS_H_
