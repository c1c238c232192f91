// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/source/compare.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sim/litmus.h"
#include "sim/runner.h"

namespace iomode {
namespace {

std::set<std::string> Texts(const std::set<Finding>& findings) {
  std::set<std::string> texts;
  for (Finding finding : findings) {
    finding.function.clear();
    texts.insert(PrintFinding(finding));
  }
  return texts;
}

std::string Text(const StepOutcome& outcome) {
  std::string text = PrintResult(outcome.own);
  for (const auto& [step, result] : outcome.completions)
    absl::StrAppend(&text, "; ", step, " -> ", PrintResult(result));
  return text;
}

// Adds what one set alone has to comparison->differences.
void CompareSets(const std::string& where, const std::set<std::string>& model,
                 const std::set<std::string>& source, Comparison* comparison) {
  const auto add = [&](const char* who, const std::set<std::string>& has,
                       const std::set<std::string>& lacks) {
    for (const std::string& text : has) {
      if (!lacks.contains(text))
        comparison->differences.push_back(absl::StrCat(where, ", ", who, " alone: ", text));
    }
  };
  add("model", model, source);
  add("source", source, model);
}

void CompareRuns(const Script& script, const RunReport& model, const RunReport& source,
                 Comparison* comparison) {
  for (size_t i = 0; i < std::min(model.steps.size(), source.steps.size()); i++) {
    std::set<std::string> outcomes[2];
    std::set<std::string> states[2];
    const StepReport* reports[] = {&model.steps[i], &source.steps[i]};
    for (int side = 0; side < 2; side++) {
      for (const StepOutcome& outcome : reports[side]->outcomes)
        outcomes[side].insert(Text(outcome));
      for (const std::vector<std::string>& lines : reports[side]->state_lines)
        states[side].insert(absl::StrJoin(lines, " / "));
    }
    const std::string where = absl::StrCat(script.name, " step ", i + 1);
    CompareSets(where + " result", outcomes[0], outcomes[1], comparison);
    CompareSets(where + " state", states[0], states[1], comparison);
    comparison->outcomes += outcomes[0].size();
  }
  if (model.steps.size() != source.steps.size()) {
    comparison->differences.push_back(absl::StrCat(script.name, ": the model got to step ",
                                                   model.steps.size(), ", the source to step ",
                                                   source.steps.size()));
  }
  CompareSets(script.name + " finding", Texts(model.findings), Texts(source.findings), comparison);
}

void CompareLitmus(const Script& script, const LitmusReport& model, const LitmusReport& source,
                   Comparison* comparison) {
  CompareRuns(script, model.setup, source.setup, comparison);
  std::set<std::string> outcomes[2];
  for (const auto& [outcome, states] : model.outcomes) outcomes[0].insert(PrintOutcome(outcome));
  for (const auto& [outcome, states] : source.outcomes) outcomes[1].insert(PrintOutcome(outcome));
  CompareSets(script.name + " outcome", outcomes[0], outcomes[1], comparison);
  CompareSets(script.name + " finding", Texts(model.findings), Texts(source.findings), comparison);
  comparison->outcomes += outcomes[0].size();
}

}  // namespace

Comparison Compare(const Script& script, const Revision& model, const Revision& source,
                   uint64_t max_states) {
  Comparison comparison;
  const auto count = [&comparison](const ExploreStats& of_model, const ExploreStats& of_source) {
    comparison.model_states = of_model.states;
    comparison.source_states = of_source.states;
    comparison.complete = of_model.complete && of_source.complete;
  };
  if (script.is_litmus()) {
    const LitmusReport of_model = RunLitmus(script, model, {.max_states = max_states});
    const LitmusReport of_source = RunLitmus(script, source, {.max_states = max_states});
    count(of_model.stats, of_source.stats);
    if (comparison.complete) CompareLitmus(script, of_model, of_source, &comparison);
  } else {
    RunnerOptions options;
    options.max_states = max_states;
    const RunReport of_model = Runner(script, model, options).Run();
    const RunReport of_source = Runner(script, source, options).Run();
    count(of_model.stats, of_source.stats);
    if (comparison.complete) CompareRuns(script, of_model, of_source, &comparison);
  }
  return comparison;
}

}  // namespace iomode
