// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/kernel/report.h"

#include "absl/strings/str_cat.h"

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
