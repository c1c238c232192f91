// SPDX-License-Identifier: GPL-2.0-only

#include "sim/counterexample.h"

#include "absl/strings/str_cat.h"
#include "sim/run_goals.h"

namespace iomode {
namespace {

StoryGoal GoalOf(const Finding& finding) {
  return {absl::StrCat("finding ", FindingName(finding.kind)), FindsLike(finding)};
}

}  // namespace

std::vector<StoryGoal> FailureGoals(const Script& script, const Verdict& verdict) {
  using Quantifier = Condition::Quantifier;
  std::vector<StoryGoal> goals;
  for (size_t i = 0; i < verdict.litmus.conditions.size(); i++) {
    const Condition& condition = script.conditions[i];
    if (verdict.litmus.conditions[i] != Truth::kFails ||
        condition.quantifier == Quantifier::kExists)
      continue;
    goals.push_back({absl::StrCat("an outcome against ", PrintCondition(condition)),
                     EndsWith(condition.expr, condition.quantifier == Quantifier::kNever)});
  }
  for (const Finding& finding : verdict.unexpected) goals.push_back(GoalOf(finding));
  return goals;
}

StoryGoal DefaultGoal(const Script& script, const Verdict& verdict) {
  std::vector<StoryGoal> failures = FailureGoals(script, verdict);
  if (!failures.empty()) return failures.front();
  if (!verdict.findings.empty()) return GoalOf(verdict.findings.front());
  return {"the end of the script", Ends()};
}

FoundSchedule FindShortestRun(const Script& script, const Revision& revision,
                              const ScheduleSearch& search) {
  return SearchRuns(script, revision,
                    [&](ScriptRun& run) { return FindShortestSchedule(run, search); });
}

Counterexample Explain(const Script& script, const Revision& revision, const Schedule& schedule,
                       uint64_t max_states) {
  Counterexample example;
  example.story = TellStory(script, revision, schedule);
  const bool finds = !example.story.findings.empty();
  if (finds || (script.is_litmus() && example.story.runnable.empty())) {
    example.nearest = FindNearestGoodRun(script, revision, schedule, max_states);
    if (example.nearest->found)
      example.good = TellStory(script, revision, example.nearest->schedule);
  }
  if (finds && script.is_litmus()) {
    example.sequence =
        FindHeldSequence(script, revision, example.story.findings.front(), max_states);
  }
  return example;
}

}  // namespace iomode
