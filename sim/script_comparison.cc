// SPDX-License-Identifier: GPL-2.0-only

#include "sim/script_comparison.h"

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

class Comparer {
 public:
  Comparer(const Script& script, const Revision& left, const Revision& right)
      : script_(script), left_(left), right_(right) {}

  void Runs(const RunReport& left, const RunReport& right) {
    for (size_t i = 0; i < std::min(left.steps.size(), right.steps.size()); i++) {
      std::set<std::string> outcomes[2];
      std::set<std::string> states[2];
      const StepReport* reports[] = {&left.steps[i], &right.steps[i]};
      for (int side = 0; side < 2; side++) {
        for (const StepOutcome& outcome : reports[side]->outcomes)
          outcomes[side].insert(Text(outcome));
        for (const std::vector<std::string>& lines : reports[side]->state_lines)
          states[side].insert(absl::StrJoin(lines, " / "));
      }
      const std::string where = absl::StrCat(script_.name, " step ", i + 1);
      Sets(where + " result", outcomes[0], outcomes[1]);
      Sets(where + " state", states[0], states[1]);
      result_.outcomes += outcomes[0].size();
      result_.rest_states += states[0].size();
    }
    if (left.steps.size() != right.steps.size()) {
      result_.differences.push_back(absl::StrCat(script_.name, ": ", left_.name, " got to step ",
                                                 left.steps.size(), ", ", right_.name, " to step ",
                                                 right.steps.size()));
    }
    Sets(script_.name + " finding", Texts(left.findings), Texts(right.findings));
  }

  void Litmus(const LitmusReport& left, const LitmusReport& right) {
    Runs(left.setup, right.setup);
    std::set<std::string> outcomes[2];
    for (const auto& [outcome, states] : left.outcomes) outcomes[0].insert(PrintOutcome(outcome));
    for (const auto& [outcome, states] : right.outcomes) outcomes[1].insert(PrintOutcome(outcome));
    Sets(script_.name + " outcome", outcomes[0], outcomes[1]);
    Sets(script_.name + " finding", Texts(left.findings), Texts(right.findings));
    result_.outcomes += outcomes[0].size();
  }

  // False when one was not explored to its end.
  bool Count(const ExploreStats& left, const ExploreStats& right) {
    result_.left_states = left.states;
    result_.right_states = right.states;
    result_.complete = left.complete && right.complete;
    return result_.complete;
  }

  ScriptComparison Take() { return std::move(result_); }

 private:
  // Adds what one set alone has to the differences.
  void Sets(const std::string& where, const std::set<std::string>& left,
            const std::set<std::string>& right) {
    const auto add = [&](const Revision& who, const std::set<std::string>& has,
                         const std::set<std::string>& lacks) {
      for (const std::string& text : has) {
        if (!lacks.contains(text))
          result_.differences.push_back(absl::StrCat(where, ", ", who.name, " alone: ", text));
      }
    };
    add(left_, left, right);
    add(right_, right, left);
  }

  const Script& script_;
  const Revision& left_;
  const Revision& right_;
  ScriptComparison result_;
};

}  // namespace

ScriptComparison CompareScript(const Script& script, const Revision& left, const Revision& right,
                               uint64_t max_states, Watch* watch) {
  Comparer comparer(script, left, right);
  if (script.is_litmus()) {
    const LitmusOptions options = {.max_states = max_states, .watch = watch};
    const LitmusReport at_left = RunLitmus(script, left, options);
    const LitmusReport at_right = RunLitmus(script, right, options);
    if (comparer.Count(at_left.stats, at_right.stats)) comparer.Litmus(at_left, at_right);
  } else {
    RunnerOptions options;
    options.max_states = max_states;
    options.watch = watch;
    const RunReport at_left = Runner(script, left, options).Run();
    const RunReport at_right = Runner(script, right, options).Run();
    if (comparer.Count(at_left.stats, at_right.stats)) comparer.Runs(at_left, at_right);
  }
  return comparer.Take();
}

}  // namespace iomode
