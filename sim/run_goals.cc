// SPDX-License-Identifier: GPL-2.0-only

#include "sim/run_goals.h"

#include <algorithm>
#include <utility>

namespace iomode {

bool IsLike(const Finding& finding, const Finding& pattern) {
  const auto fits = [](const std::string& got, const std::string& asked) {
    return asked.empty() || got == asked;
  };
  return finding.kind == pattern.kind && fits(finding.rule, pattern.rule) &&
         fits(finding.task, pattern.task) && fits(finding.function, pattern.function);
}

RunTest FindsLike(Finding pattern) {
  return [pattern = std::move(pattern)](const ScriptRun& run) {
    return std::any_of(run.found().begin(), run.found().end(),
                       [&pattern](const Finding& f) { return IsLike(f, pattern); });
  };
}

RunTest FindsAnything() {
  return [](const ScriptRun& run) { return !run.found().empty(); };
}

RunTest Ends() {
  return [](const ScriptRun& run) { return run.at_end(); };
}

RunTest EndsWith(Condition::Expr expr, bool holds) {
  return [expr = std::move(expr), holds](const ScriptRun& run) {
    return run.at_end() && Holds(expr, OutcomeOf(run.machine())) == holds;
  };
}

}  // namespace iomode
