// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/kernel/report.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace iomode::conform {

void Sums::Add(const Judgement& judgement) {
  scripts++;
  flaky += judgement.flaky;
  switch (judgement.kind) {
    case Judgement::Kind::kAgree:
      agree++;
      break;
    case Judgement::Kind::kConfirmed:
      confirmed++;
      break;
    case Judgement::Kind::kDisagree:
      disagree++;
      break;
    case Judgement::Kind::kHung:
      hung++;
      break;
    case Judgement::Kind::kIncomplete:
      incomplete++;
      break;
    case Judgement::Kind::kNotRun:
      not_run++;
      break;
  }
}

std::string Sums::Line() const {
  std::string line =
      absl::StrCat(scripts, scripts == 1 ? " script: " : " scripts: ", agree, " agree, ", confirmed,
                   " show a predicted finding, ", disagree, " disagree");
  if (hung) absl::StrAppend(&line, ", ", hung, " without result");
  if (incomplete) absl::StrAppend(&line, ", ", incomplete, " incomplete");
  if (not_run) absl::StrAppend(&line, ", ", not_run, " not run");
  if (flaky) absl::StrAppend(&line, "; ", flaky, " of these flaky");
  return line;
}

std::string TimesLine(const KernelRuns& runs) {
  std::vector<int> all;
  for (const std::optional<AgentOutcome>& outcome : runs.outcomes) {
    if (outcome.has_value())
      all.insert(all.end(), outcome->step_us.begin(), outcome->step_us.end());
  }
  std::sort(all.begin(), all.end());
  std::string line = absl::StrCat(all.size(), all.size() == 1 ? " step" : " steps");
  if (!all.empty()) {
    const auto at = [&all](size_t percent) { return all[(all.size() - 1) * percent / 100] / 1e3; };
    absl::StrAppendFormat(&line, ": median %.1f ms, 99 %% within %.1f ms, longest %.1f ms", at(50),
                          at(99), at(100));
  }
  if (runs.start_seconds > 0) {
    absl::StrAppendFormat(&line, "; the first script began %.1f s after the guest's start",
                          runs.start_seconds);
  }
  return line;
}

std::string TextLines(const std::string& name, const Judgement& judgement) {
  std::string text = absl::StrCat(KindName(judgement.kind), "  ", name);
  if (judgement.outcomes > 1) {
    absl::StrAppend(&text, " (", judgement.outcomes, " outcomes in ", judgement.runs, " runs)");
  }
  text += "\n";
  for (const std::string& line : judgement.details) absl::StrAppend(&text, "  ", line, "\n");
  return text;
}

std::string KtapHead(size_t cases) { return absl::StrCat("KTAP version 1\n1..", cases, "\n"); }

std::string KtapLines(size_t number, const std::string& name, const Judgement& judgement) {
  std::string text;
  // Diagnostics come before the result that they belong to.
  if (judgement.kind != Judgement::Kind::kNotRun) {
    for (const std::string& line : judgement.details) absl::StrAppend(&text, "# ", line, "\n");
  }
  const bool bad = !judgement.passed() && judgement.kind != Judgement::Kind::kNotRun;
  absl::StrAppend(&text, bad ? "not ok " : "ok ", number, " ", name);
  if (judgement.kind == Judgement::Kind::kNotRun) {
    absl::StrAppend(&text, " # SKIP ",
                    judgement.details.empty() ? "not run" : judgement.details.front());
  }
  return text + "\n";
}

}  // namespace iomode::conform
