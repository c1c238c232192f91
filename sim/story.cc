// SPDX-License-Identifier: GPL-2.0-only

#include "sim/story.h"

#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "sim/litmus.h"
#include "sim/replay_token.h"

namespace iomode {
namespace {

// The fields of the state lines: by inode and name.
using StateFields = std::map<std::pair<std::string, std::string>, std::string>;

std::vector<std::string> StateLines(const Machine& machine) {
  std::vector<std::string> lines = machine.StateLines();
  for (std::string& line : lines) line.erase(0, line.find_first_not_of("# "));
  return lines;
}

StateFields FieldsOf(const Machine& machine) {
  StateFields fields;
  for (const std::string& line : StateLines(machine)) {
    const std::pair<std::string, std::string> inode =
        absl::StrSplit(line, absl::MaxSplits(": ", 1));
    for (absl::string_view field : absl::StrSplit(inode.second, ' ')) {
      const std::pair<std::string, std::string> value =
          absl::StrSplit(field, absl::MaxSplits('=', 1));
      fields[{inode.first, value.first}] = value.second;
    }
  }
  return fields;
}

std::vector<StateChange> Changes(const StateFields& before, const StateFields& after) {
  std::vector<StateChange> changes;
  for (const auto& [name, value] : after) {
    const std::string& was = before.at(name);
    if (was != value) changes.push_back({name.first, name.second, was, value});
  }
  return changes;
}

// Tells a run while it goes on.
class Teller {
 public:
  Teller(const Script& script, const Revision& revision)
      : script_(script), run_(script, revision, false) {
    story_.script = script.name;
    story_.revision = revision.name;
    story_.findings.assign(run_.found().begin(), run_.found().end());
    const std::vector<Machine::Program>& programs = run_.machine().programs();
    for (size_t i = 0; i < programs.size(); i++) {
      if (script.is_litmus() && programs[i].thread < 0) continue;
      story_.tasks.push_back(run_.machine().TaskName(static_cast<uint32_t>(i)));
    }
    OpenPart();
  }

  Story Tell(const Schedule& schedule) {
    run_.machine().set_trace(&trace_);
    ScheduledWorld::tracing = true;
    for (const Move move : schedule) Step(move);
    ScheduledWorld::tracing = false;
    run_.machine().set_trace(nullptr);
    End();
    return std::move(story_);
  }

 private:
  void OpenPart() {
    StoryPart part;
    part.setup = script_.is_litmus() && run_.in_steps();
    if (run_.in_steps()) {
      part.title = absl::StrCat("step ", PrintStep(script_, script_.steps[run_.phase()]));
    } else {
      part.title = script_.is_litmus() ? "threads" : "the end of the script";
    }
    story_.parts.push_back(std::move(part));
  }

  // What the part's step gave, when it has come to rest.
  void ClosePart(int index) {
    StepReport report;
    report.outcomes.insert(run_.outcomes()[index]);
    struct Step step = script_.steps[index];
    SetResults(report, step);
    story_.parts.back().results = absl::StrCat(absl::StripPrefix(PrintResults(step), " "));
  }

  void Step(Move move) {
    const int phase = run_.phase();
    const Machine& machine = run_.machine();
    StoryStep step;
    step.part = static_cast<int>(story_.parts.size()) - 1;
    step.slot = move.slot;
    step.task = machine.TaskLabel(machine.scheduler().task(move.slot).user);
    step.is_switch = run_.IsSwitch(move);
    const StateFields before = FieldsOf(machine);
    trace_.clear();
    run_.Take(move);
    for (Machine::TraceEvent& event : trace_) {
      step.events.push_back({std::move(event.function), std::move(event.verb),
                             std::move(event.object), std::move(event.value)});
    }
    step.changes = Changes(before, FieldsOf(machine));
    step.findings.assign(run_.found().begin(), run_.found().end());
    story_.findings = step.findings;
    story_.cost.steps++;
    story_.cost.switches += step.is_switch;
    story_.steps.push_back(std::move(step));
    if (run_.phase() == phase) return;
    ClosePart(phase);
    OpenPart();
  }

  void End() {
    const Machine& machine = run_.machine();
    if (script_.is_litmus() && !run_.in_steps()) story_.outcome = PrintOutcome(OutcomeOf(machine));
    story_.sleepers = SleepersOf(machine);
    story_.runnable = RunnableTasks(machine);
    story_.states = StateLines(machine);
    std::string all;
    for (const StoryStep& step : story_.steps) {
      absl::StrAppend(&all, step.task, "\n");
      for (const StoryEvent& event : step.events)
        absl::StrAppend(&all, event.function, " ", PrintEvent(event), "\n");
      for (const StateChange& change : step.changes) absl::StrAppend(&all, PrintChange(change));
    }
    story_.events_hash = TextHash(all);
  }

  const Script& script_;
  ScriptRun run_;
  std::vector<Machine::TraceEvent> trace_;
  Story story_;
};

}  // namespace

Story TellStory(const Script& script, const Revision& revision, const Schedule& schedule) {
  Story story = Teller(script, revision).Tell(schedule);
  ScriptRun run(script, revision, false);
  story.token = PrintToken(
      {revision.name, ScriptHash(script), PackChoices(run, schedule), story.events_hash});
  return story;
}

absl::StatusOr<ReplayedRun> ReadToken(const Script& script, const std::string& text) {
  absl::StatusOr<ReplayToken> token = ParseToken(text);
  if (!token.ok()) return token.status();
  const Revision* revision = FindRevision(token->revision);
  if (revision == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("the token is of revision \"", token->revision,
                     "\", which is unknown here: iomode revisions lists those there are"));
  }
  if (token->script_hash != ScriptHash(script)) {
    return absl::InvalidArgumentError(
        absl::StrCat(script.name,
                     ": the token is of another script, or the steps have been edited "
                     "since: give the script that it was printed for"));
  }
  ScriptRun run(script, *revision, false);
  absl::StatusOr<Schedule> schedule = UnpackChoices(run, token->choices);
  if (!schedule.ok()) return schedule.status();
  if (TellStory(script, *revision, *schedule).events_hash != token->events_hash) {
    return absl::InvalidArgumentError(
        "the schedule runs, but other things happen than when the token was printed: it is from "
        "another build of the model");
  }
  return ReplayedRun{revision, *std::move(schedule)};
}

std::string LaneOf(const std::string& task) {
  return absl::StartsWith(task, "P") ? task.substr(0, task.find('.')) : task;
}

std::string PrintEvent(const StoryEvent& event) {
  if (event.verb == "returns") return absl::StrCat("returns ", event.value);
  if (event.verb == "replies to") return absl::StrCat("replies to step ", event.value);
  if (event.verb == "answers") return absl::StrCat("answers ", event.object);
  // "sends to the server on", and so on: the connection is understood, the request is what counts.
  if (absl::StartsWith(event.verb, "sends ")) {
    return absl::StrCat("sends ", event.value,
                        absl::StrContains(event.verb, "background") ? " in the background" : "");
  }
  return absl::StrCat(event.verb, " ", event.object, event.value.empty() ? "" : " (", event.value,
                      event.value.empty() ? "" : ")");
}

std::string PrintChange(const StateChange& change) {
  return absl::StrCat(change.inode, ": ", change.field, " ", change.from, " -> ", change.to);
}

}  // namespace iomode
