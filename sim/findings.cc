// SPDX-License-Identifier: GPL-2.0-only

#include "sim/findings.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace iomode {
namespace {

constexpr const char* kNames[kFindingKinds] = {
    "warn",        "accounting", "use-after-put", "double-put", "leak",
    "lost-wakeup", "deadlock",   "starvation",    "false-busy", "stale-page",
};

}  // namespace

const char* FindingName(FindingKind kind) { return kNames[static_cast<int>(kind)]; }

std::optional<FindingKind> FindingFromName(const std::string& name) {
  for (int i = 0; i < kFindingKinds; i++) {
    if (name == kNames[i]) return static_cast<FindingKind>(i);
  }
  return std::nullopt;
}

std::string FindingNames() { return absl::StrJoin(kNames, ", "); }

std::string PrintFinding(const Finding& finding) {
  std::string text = absl::StrCat(FindingName(finding.kind), ": ", finding.rule);
  std::string where;
  for (const std::string& part : {finding.object, finding.task}) {
    if (!part.empty()) absl::StrAppend(&where, where.empty() ? "" : "; ", part);
  }
  if (!finding.function.empty()) absl::StrAppend(&where, " in ", finding.function);
  if (!where.empty()) absl::StrAppend(&text, " (", where, ")");
  return text;
}

}  // namespace iomode
