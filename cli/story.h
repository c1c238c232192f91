// SPDX-License-Identifier: GPL-2.0-only
//
// Stories on the command line: the options of `iomode run` that ask for one, and the lines by which
// `iomode check` points to one.

#ifndef CLI_STORY_H_
#define CLI_STORY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "cli/arguments.h"
#include "sim/verdict.h"

namespace iomode {

struct StoryFlags {
  std::string format;  // "": no story is asked for
  std::string finding;
  std::string outcome;
  std::string replay;

  bool asked() const {
    return !(format.empty() && finding.empty() && outcome.empty() && replay.empty());
  }
};

void AddStoryOptions(Command command, StoryFlags& flags);

// Prints the story that the flags ask for and returns the exit code. `kernel` is --kernel as given,
// "" for the newest revision; with a replay token, for the token's.
int RunStory(const Script& script, const std::string& kernel, const StoryFlags& flags,
             uint64_t max_states);

// A story that a failed script has to tell, in short.
struct StoryPointer {
  std::string what;     // "finding lost-wakeup"
  std::string hint;     // who runs for how long; or why there is no story
  std::string command;  // that prints it; "": none
};

std::vector<StoryPointer> PointToStories(const Script& script, const Revision& revision,
                                         const Verdict& verdict);

}  // namespace iomode

#endif  // CLI_STORY_H_
