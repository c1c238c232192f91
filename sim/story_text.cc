// SPDX-License-Identifier: GPL-2.0-only

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "sim/story_formats.h"

namespace iomode {
namespace {

// Where the state changes stand, if what happens leaves room.
constexpr size_t kChangesColumn = 88;

std::string Steps(size_t n) { return absl::StrCat(n, n == 1 ? " step" : " steps"); }

std::string Cost(const ScheduleCost& cost) {
  return absl::StrCat(cost.switches,
                      cost.switches == 1 ? " context switch, " : " context switches, ",
                      Steps(cost.steps));
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

void AddStep(const StoryStep& step, size_t number, std::string* text) {
  std::string line = absl::StrFormat("%4d  %-7s %s", number, step.task, EventsText(step));
  if (!step.changes.empty()) {
    line.resize(std::max(line.size(), kChangesColumn), ' ');
    absl::StrAppend(&line, "  | ", absl::StrJoin(step.changes, ", ", [](auto* out, const auto& c) {
      absl::StrAppend(out, PrintChange(c));
    }));
  }
  absl::StrAppend(text, line, "\n");
  for (const Finding& finding : step.findings)
    absl::StrAppend(text, "      finding ", PrintFinding(finding), "\n");
}

// The steps from `begin` on. Of a litmus script's set-up only what it gave.
void AddSteps(const Story& story, size_t begin, std::string* text) {
  int part = begin > 0 ? story.steps[begin - 1].part : -1;
  for (size_t i = begin; i < story.steps.size(); i++) {
    const StoryStep& step = story.steps[i];
    const StoryPart& in = story.parts[step.part];
    if (step.part != part) {
      if (!in.setup && i > begin) absl::StrAppend(text, "\n");
      absl::StrAppend(text, in.title, in.results.empty() ? "" : " ", in.results, "\n");
      part = step.part;
    } else if (step.is_switch && !in.setup && i > begin) {
      absl::StrAppend(text, "\n");
    }
    if (!in.setup || !step.findings.empty()) AddStep(step, i + 1, text);
  }
}

void AddEnd(const Story& story, std::string* text) {
  absl::StrAppend(text, "\nat the end\n");
  if (!story.outcome.empty()) absl::StrAppend(text, "  ", story.outcome, "\n");
  for (const std::string& state : story.states) absl::StrAppend(text, "  ", state, "\n");
  for (const Sleeper& sleeper : story.sleepers) {
    absl::StrAppend(text, "  ", sleeper.task, " sleeps on ", sleeper.object,
                    sleeper.function.empty() ? "" : " in ", sleeper.function, "\n");
    absl::StrAppend(text, "    waits for  ", sleeper.waits_for, "\n");
    absl::StrAppend(text, "    woken by   ", sleeper.wakes, "\n");
  }
  for (const std::string& task : story.runnable)
    absl::StrAppend(text, "  ", task, " could go on\n");
}

void AddWhy(const Counterexample& example, std::string* text) {
  const NearestGoodRun& nearest = *example.nearest;
  const char* well = example.story.findings.empty() ? "otherwise" : "well";
  absl::StrAppend(text, "\nwhy\n");
  if (!example.good.has_value()) {
    absl::StrAppend(text,
                    nearest.complete ? "  no interleaving ends "
                                     : "  too many states to look for a run that ends ",
                    well, "\n");
    return;
  }
  const Story& good = *example.good;
  absl::StrAppend(text, "  After ", Steps(nearest.common), " it can still end ", well,
                  "; after step ", nearest.common + 1, " it cannot:\n");
  AddStep(example.story.steps[nearest.common], nearest.common + 1, text);
  absl::StrAppend(text, "  The nearest run that ends ", well, " (", Cost(good.cost),
                  "; replay: ", good.token, ") goes on instead with:\n");
  AddSteps(good, nearest.common, text);
  AddEnd(good, text);
}

void AddSequence(const HeldSequence& sequence, std::string* text) {
  absl::StrAppend(text, "\non a real kernel\n");
  if (!sequence.found) {
    absl::StrAppend(text, sequence.complete
                              ? "  no sequence of these steps, with requests held, gets there\n"
                              : "  not known: too many states to look for a sequence\n");
    return;
  }
  absl::StrAppend(text, "  this sequence gets there in ",
                  sequence.every_run ? "every interleaving:\n\n" : "some interleavings:\n\n",
                  PrintScript(sequence.script));
}

}  // namespace

std::string StoryText(const Counterexample& example) {
  const Story& story = example.story;
  std::string text = absl::StrCat(story.script, " at ", story.revision, "\n");
  for (const Finding& finding : story.findings)
    absl::StrAppend(&text, "finding ", PrintFinding(finding), "\n");
  absl::StrAppend(&text, Cost(story.cost), "; replay: ", story.token, "\n\n");
  AddSteps(story, 0, &text);
  AddEnd(story, &text);
  if (example.nearest.has_value()) AddWhy(example, &text);
  if (example.sequence.has_value()) AddSequence(*example.sequence, &text);
  return text;
}

std::string StoryHint(const Story& story) {
  std::vector<std::string> runs;
  for (size_t i = 0; i < story.steps.size();) {
    const StoryStep& first = story.steps[i];
    size_t end = i + 1;
    while (end < story.steps.size() && story.steps[end].slot == first.slot &&
           story.steps[end].part == first.part)
      end++;
    if (!story.parts[first.part].setup)
      runs.push_back(absl::StrCat(LaneOf(first.task), " ", Steps(end - i)));
    i = end;
  }
  return absl::StrJoin(runs, ", ");
}

}  // namespace iomode
