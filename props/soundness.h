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

// But for the revision's own known bugs.
inline bool Forbidden(FindingKind kind, const Rules& rules) {
  switch (kind) {
    case FindingKind::kWarn:  // overlapping writes of one file both mark it
      return !rules.parallel_write_marks_file;
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
    if (Forbidden(finding.kind, revision.rules))
      return std::string("at ") + revision.name + ": " + PrintFinding(finding);
  }
  return "";
}

}  // namespace iomode

#endif  // PROPS_SOUNDNESS_H_
