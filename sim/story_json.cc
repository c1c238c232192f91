// SPDX-License-Identifier: GPL-2.0-only

#include <nlohmann/json.hpp>
#include <string>

#include "sim/story_formats.h"

namespace iomode {
namespace {

using Json = nlohmann::ordered_json;

Json ToJson(const Finding& finding) {
  return {{"kind", FindingName(finding.kind)},
          {"rule", finding.rule},
          {"object", finding.object},
          {"task", finding.task},
          {"function", finding.function}};
}

Json ToJson(const StoryEvent& event) {
  Json json = {{"function", event.function}, {"verb", event.verb}, {"object", event.object}};
  if (!event.value.empty()) json["value"] = event.value;
  return json;
}

Json ToJson(const StateChange& change) {
  return {
      {"inode", change.inode}, {"field", change.field}, {"from", change.from}, {"to", change.to}};
}

Json ToJson(const Sleeper& sleeper) {
  return {{"task", sleeper.task},
          {"function", sleeper.function},
          {"object", sleeper.object},
          {"waits_for", sleeper.waits_for},
          {"woken_by", sleeper.wakes}};
}

template <class T>
Json Array(const std::vector<T>& values) {
  Json array = Json::array();
  for (const T& value : values) array.push_back(ToJson(value));
  return array;
}

Json StepsToJson(const Story& story, size_t begin) {
  Json steps = Json::array();
  for (size_t i = begin; i < story.steps.size(); i++) {
    const StoryStep& step = story.steps[i];
    const StoryPart& part = story.parts[step.part];
    Json json = {{"number", i + 1},
                 {"part", part.title},
                 {"setup", part.setup},
                 {"task", step.task},
                 {"context_switch", step.is_switch},
                 {"events", Array(step.events)},
                 {"changes", Array(step.changes)}};
    if (!step.findings.empty()) json["findings"] = Array(step.findings);
    steps.push_back(std::move(json));
  }
  return steps;
}

Json EndToJson(const Story& story) {
  return {{"outcome", story.outcome},
          {"states", story.states},
          {"sleepers", Array(story.sleepers)},
          {"runnable", story.runnable}};
}

Json ToJson(const HeldSequence& sequence) {
  Json json = {{"found", sequence.found}, {"complete", sequence.complete}};
  if (sequence.found) {
    json["every_interleaving"] = sequence.every_run;
    json["script"] = PrintScript(sequence.script);
  }
  return json;
}

Json NearestToJson(const Counterexample& example) {
  Json json = {{"found", example.nearest->found}, {"complete", example.nearest->complete}};
  if (example.good.has_value()) {
    json["parts_at_step"] = example.nearest->common + 1;
    json["context_switches"] = example.good->cost.switches;
    json["replay"] = example.good->token;
    json["steps"] = StepsToJson(*example.good, example.nearest->common);
    json["end"] = EndToJson(*example.good);
  }
  return json;
}

}  // namespace

std::string StoryJson(const Counterexample& example) {
  const Story& story = example.story;
  Json json = {{"script", story.script},
               {"kernel", story.revision},
               {"findings", Array(story.findings)},
               {"context_switches", story.cost.switches},
               {"replay", story.token},
               {"tasks", story.tasks},
               {"steps", StepsToJson(story, 0)},
               {"end", EndToJson(story)}};
  if (example.nearest.has_value()) json["nearest_good_run"] = NearestToJson(example);
  if (example.sequence.has_value()) json["sequence"] = ToJson(*example.sequence);
  return json.dump(2) + "\n";
}

}  // namespace iomode
