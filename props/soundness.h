// SPDX-License-Identifier: GPL-2.0-only
//
// Findings that no run of the model may have, whatever the script and whatever it expects. The
// other kinds (a lost wakeup, a stale page) are what the kernel does; these say that the model or a
// revision's rules contradict themselves.
//
// Plain functions; any thread.

#ifndef PROPS_SOUNDNESS_H_
#define PROPS_SOUNDNESS_H_

#include <set>
#include <string>

#include "model/revision.h"
#include "sim/findings.h"

namespace iomode {

// What the model warns of where parallel writes both wait for a page that is only being read: F1 of
// docs/findings.md, at revisions without writeback_copies_pages.
inline constexpr char kMetNowrite[] = "BUG_ON(fi->writectr < 0)";

// But for the revision's own known bugs.
inline bool Forbidden(const Finding& finding, const Rules& rules) {
  switch (finding.kind) {
    case FindingKind::kWarn:
      // Overlapping writes of one file both mark it.
      if (rules.parallel_write_marks_file) return false;
      return rules.writeback_copies_pages || finding.rule != kMetNowrite;
    case FindingKind::kAccounting:
    case FindingKind::kUseAfterPut:
    case FindingKind::kDoublePut:
    case FindingKind::kLeak:
      return true;
    default:
      return false;
  }
}

// The first forbidden finding at the revision, printed, or "".
template <class Findings>
std::string FirstForbidden(const Findings& findings, const Revision& revision) {
  for (const Finding& finding : findings) {
    if (Forbidden(finding, revision.rules))
      return std::string("at ") + revision.name + ": " + PrintFinding(finding);
  }
  return "";
}

}  // namespace iomode

#endif  // PROPS_SOUNDNESS_H_
