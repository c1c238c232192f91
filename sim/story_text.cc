// SPDX-License-Identifier: GPL-2.0-only

#include "sim/story_text.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace iomode {
namespace {

// Where the state changes stand, if what happens leaves room.
constexpr size_t kChangesColumn = 88;

std::string Count(uint32_t n, const char* what) {
  return absl::StrCat(n, " ", what, n == 1 ? "" : what[std::string(what).size() - 1] == 'h' ? "es"
                                                                                             : "s");
}

// "fuse_dio_lock: locks shared A.i_rwsem; fuse_inode_uncached_io_start: locks A.lock".
std::string EventsText(const StoryStep& step) {
  if (step.events.empty()) return "goes on";
  std::string text;
  std::string function;
  for (const StoryEvent& event : step.events) {
    if (!text.empty()) absl::StrAppend(&text, "; ");
    if (event.function != function && !event.function.empty())
      absl::StrAppend(&text, event.function, ": ");
    function = event.function;
    absl::StrAppend(&text, PrintEvent(event));
  }
  return text;
}

void AddStep(const StoryStep& step, int number, std::string* text) {
  std::string line = absl::StrFormat("%4d  %-10s %s", number, step.task, EventsText(step));
  if (!step.changes.empty()) {
    line.resize(std::max(line.size(), kChangesColumn), ' ');
    absl::StrAppend(&line, "  | ",
                    absl::StrJoin(step.changes, ", ", [](std::string* out, const StateChange& c) {
                      absl::StrAppend(out, PrintChange(c));
                    }));
  }
  absl::StrAppend(text, line, "\n");
  for (const Finding& finding : step.findings)
    absl::StrAppend(text, "      !! ", PrintFinding(finding), "\n");
}

void AddEnd(const Story& story, std::string* text) {
  absl::StrAppend(text, "\nat the end\n");
  if (!story.outcome.empty()) absl::StrAppend(text, "  ", story.outcome, "\n");
  for (const std::string& state : story.states) absl::StrAppend(text, "  ", state, "\n");
  for (const Sleeper& sleeper : story.sleepers) {
    absl::StrAppend(text, "  ", sleeper.task, " sleeps on ", sleeper.object,
                    sleeper.function.empty() ? "" : " in ", sleeper.function, "\n");
    absl::StrAppend(text, "    waits for   ", sleeper.waits_for, "\n");
    absl::StrAppend(text, "    woken by    ", sleeper.wakes, "\n");
  }
  for (const std::string& task : story.runnable)
    absl::StrAppend(text, "  ", task, " could go on\n");
}

}  // namespace

std::string StoryText(const Story& story) {
  std::string text = absl::StrCat(story.script, " at ", story.revision, "\n");
  for (const Finding& finding : story.findings)
    absl::StrAppend(&text, PrintFinding(finding), "\n");
  absl::StrAppend(&text, Count(story.cost.switches, "context switch"), ", ",
                  Count(story.cost.steps, "step"), "; replay: ", story.token, "\n\n");
  int part = -1;
  for (size_t i = 0; i < story.steps.size(); i++) {
    const StoryStep& step = story.steps[i];
    const StoryPart& in = story.parts[step.part];
    if (step.part != part) {
      if (!in.setup && i > 0) absl::StrAppend(&text, "\n");
      absl::StrAppend(&text, in.title, in.results.empty() ? "" : " ", in.results, "\n");
      part = step.part;
    } else if (step.is_switch && !in.setup) {
      absl::StrAppend(&text, "\n");
    }
    if (!in.setup || !step.findings.empty()) AddStep(step, static_cast<int>(i) + 1, &text);
  }
  AddEnd(story, &text);
  return text;
}

std::string StoryHint(const Story& story) {
  std::vector<std::string> runs;
  for (size_t i = 0; i < story.steps.size();) {
    size_t end = i + 1;
    while (end < story.steps.size() && story.steps[end].slot == story.steps[i].slot &&
           story.steps[end].part == story.steps[i].part)
      end++;
    if (!story.parts[story.steps[i].part].setup) {
      runs.push_back(absl::StrCat(story.steps[i].task, " ",
                                  Count(static_cast<uint32_t>(end - i), "step")));
    }
    i = end;
  }
  return absl::StrJoin(runs, ", ");
}

}  // namespace iomode
