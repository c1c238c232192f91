// SPDX-License-Identifier: GPL-2.0-only

#include "cli/story.h"

#include <iostream>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "sim/counterexample.h"
#include "sim/run_goals.h"
#include "sim/script_parser.h"
#include "sim/story.h"
#include "sim/story_formats.h"

namespace iomode {
namespace {

// How far `check` looks for the stories of a script that fails: a second or two.
constexpr uint64_t kPointerStates = 200'000;

struct Format {
  const char* name;
  std::string (*print)(const Counterexample&);
};

constexpr Format kFormats[] = {{"text", &StoryText},
                               {"json", &StoryJson},
                               {"mermaid", &StoryMermaid},
                               {"chrome", &StoryChromeTrace}};

int Print(const Script& script, const Revision& revision, const Schedule& schedule,
          const std::string& format, uint64_t max_states) {
  const Counterexample example = Explain(script, revision, schedule, max_states);
  for (const Format& f : kFormats) {
    if (f.name == format || (format.empty() && f.name == kFormats[0].name))
      std::cout << f.print(example);
  }
  return kExitOk;
}

int Replay(const Script& script, const std::string& kernel, const StoryFlags& flags,
           uint64_t max_states) {
  if (!kernel.empty() && !absl::StartsWith(flags.replay, absl::StrCat(kernel, ":"))) {
    std::cerr << "--replay: the token is not of revision " << kernel
              << ": leave --kernel out, the token names its own\n";
    return kExitBadInput;
  }
  const absl::StatusOr<ReplayedRun> replay = ReadToken(script, flags.replay);
  if (!replay.ok()) {
    std::cerr << "--replay: " << replay.status().message() << "\n";
    return kExitBadInput;
  }
  return Print(script, *replay->revision, replay->schedule, flags.format, max_states);
}

// What the flags ask for. False, after an error on stderr.
bool GoalOf(const Script& script, const Revision& revision, const StoryFlags& flags,
            uint64_t max_states, StoryGoal* goal) {
  if (!flags.finding.empty()) {
    const std::optional<FindingKind> kind = FindingFromName(flags.finding);
    if (!kind.has_value()) {
      std::cerr << "--finding: no finding \"" << flags.finding << "\", expected one of "
                << FindingNames() << "\n";
      return false;
    }
    *goal = {absl::StrCat("finding ", flags.finding), FindsLike({*kind, "", "", "", ""})};
  } else if (!flags.outcome.empty()) {
    const absl::StatusOr<Condition::Expr> expr = ParseOutcome(script, "--outcome", flags.outcome);
    if (!expr.ok()) {
      std::cerr << expr.status().message() << "\n";
      return false;
    }
    *goal = {absl::StrCat("outcome ", flags.outcome), EndsWith(*expr)};
  } else {
    *goal = DefaultGoal(script, CheckScript(script, revision, {.max_states = max_states}));
  }
  return true;
}

}  // namespace

void AddStoryOptions(Command command, StoryFlags& flags) {
  command
      .AddFlag("--story{text}", flags.format,
               "tell one run step by step, the one of fewest context switches that fails the "
               "script, has a finding, or ends: --story, or --story=text, json, mermaid or chrome")
      .OneOf({"text", "json", "mermaid", "chrome"});
  const Argument finding =
      command.AddOption("--finding", flags.finding, "tell a run that has this finding");
  const Argument outcome = command.AddOption(
      "--outcome", flags.outcome, "tell a run that ends so, such as \"P1.1 == blocked\"");
  command
      .AddOption("--replay", flags.replay,
                 "tell the run that this token, printed with a story, stands for")
      .Excludes(finding)
      .Excludes(outcome);
  finding.Excludes(outcome);
}

int RunStory(const Script& script, const std::string& kernel, const StoryFlags& flags,
             uint64_t max_states) {
  if (!flags.replay.empty()) return Replay(script, kernel, flags, max_states);
  const Revision* revision = RevisionOption(kernel);
  StoryGoal goal;
  if (revision == nullptr || !GoalOf(script, *revision, flags, max_states, &goal))
    return kExitBadInput;
  const FoundSchedule found =
      FindShortestRun(script, *revision, {.goal = goal.reached, .max_states = max_states});
  if (!found.found) {
    std::cerr << script.name << ": " << (found.complete ? "no" : "incomplete: up to now no")
              << " interleaving" << (script.is_litmus() ? "" : " that gives the script's results")
              << " has " << goal.what << "; " << found.states << " states searched\n";
    return found.complete ? kExitFails : kExitIncomplete;
  }
  return Print(script, *revision, found.schedule, flags.format, max_states);
}

std::vector<StoryPointer> PointToStories(const Script& script, const Revision& revision,
                                         const Verdict& verdict) {
  std::vector<StoryPointer> pointers;
  for (const StoryGoal& goal : FailureGoals(script, verdict)) {
    const FoundSchedule found =
        FindShortestRun(script, revision, {.goal = goal.reached, .max_states = kPointerStates});
    if (!found.found) {
      pointers.push_back({goal.what, "too many states to look for a short one here", ""});
      continue;
    }
    const Story story = TellStory(script, revision, found.schedule);
    pointers.push_back({goal.what, StoryHint(story),
                        absl::StrCat("iomode run ", script.name, " --replay ", story.token)});
  }
  return pointers;
}

}  // namespace iomode
