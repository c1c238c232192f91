// SPDX-License-Identifier: GPL-2.0-only
//
// A run of a script told step by step: which task, in which kernel function, read, wrote, locked,
// slept on and woke what; how the inodes' state changed; at the end who sleeps and what would wake
// them. A pure function of script, revision and schedule: telling it twice gives the same story.
//
// Plain values.

#ifndef SIM_STORY_H_
#define SIM_STORY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sim/findings.h"
#include "sim/shortest_schedule.h"
#include "sim/sleepers.h"

namespace iomode {

struct StoryEvent {
  std::string function;  // the kernel function; "" outside of one
  std::string verb;      // "reads"
  std::string object;    // "A.iocachectr"
  std::string value;     // "-1"; "": none
};

// A field of an inode's state line that a step changed: "A", "iocachectr", "0", "-1".
struct StateChange {
  std::string inode;
  std::string field;
  std::string from;
  std::string to;
};

// One move of the schedule. A step without events only goes on to the next visible operation.
struct StoryStep {
  int part = 0;      // Story::parts
  int slot = 0;      // of the task
  std::string task;  // "P1.1", "step 4", "the server"
  bool is_switch = false;
  std::vector<StoryEvent> events;
  std::vector<StateChange> changes;
  std::vector<Finding> findings;
};

// A numbered step, all threads, or the closing at the end.
struct StoryPart {
  std::string title;    // "step 4: open c A KEEP_CACHE", "threads"
  std::string results;  // "-> blocked; 3 -> 0" of a numbered step that has come to rest
  bool setup = false;   // of a litmus script: before its threads
};

struct Story {
  std::string script;
  std::string revision;
  std::vector<std::string> tasks;  // "P0.1: write w", in the order of the script, without set-up
  std::vector<StoryPart> parts;
  std::vector<StoryStep> steps;
  ScheduleCost cost;
  std::vector<Finding> findings;  // of the last step; of the start when there is none
  std::string outcome;            // of a litmus script: "P0.1=4096 via=server  P1.1=blocked"
  std::vector<Sleeper> sleepers;
  std::vector<std::string> runnable;  // tasks that could go on
  std::vector<std::string> states;    // "A: iocachectr=-1 ..." at the end
  uint32_t events_hash = 0;
  std::string token;
};

// The schedule is one of the script at the revision.
Story TellStory(const Script& script, const Revision& revision, const Schedule& schedule);

// What a token stands for.
struct ReplayedRun {
  const Revision* revision;
  Schedule schedule;
};

// Reads a token that was printed with a story of this script. Errors name what does not fit:
// another script, an unknown revision, a damaged token, another build of the model.
absl::StatusOr<ReplayedRun> ReadToken(const Script& script, const std::string& token);

// Whose steps these are: "P1" for "P1.1", else the task itself.
std::string LaneOf(const std::string& task);

// "reads A.iocachectr (-1)".
std::string PrintEvent(const StoryEvent& event);
// "A: iocachectr 0 -> -1".
std::string PrintChange(const StateChange& change);

}  // namespace iomode

#endif  // SIM_STORY_H_
