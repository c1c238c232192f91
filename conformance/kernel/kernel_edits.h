// SPDX-License-Identifier: GPL-2.0-only
//
// Edits that turn a kernel's sources into those of another revision, rule by rule: semantic patches
// (edits/RULE.VALUE.cocci) that give a rule its value. They name functions and statements of 6.12's
// fs/fuse, and match other kernels as far as these are alike.

#ifndef CONFORMANCE_KERNEL_KERNEL_EDITS_H_
#define CONFORMANCE_KERNEL_KERNEL_EDITS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "model/revision.h"

namespace iomode::conform {

struct KernelEdits {
  std::vector<std::string> names;     // to be applied in this order: "attach_wakes_waiters.yes"
  std::vector<std::string> not_made;  // rules that would have to change, too, and have no edit
  Rules rules;                        // of the kernel with these edits
};

// From a kernel that is of revision `from` to revision `to`; for a proposal, what it changes of its
// base. The newest rule comes first, so that each edit meets what it was made for.
KernelEdits EditsInto(const Revision& from, const Revision& to);

// Writes the edits into a folder and returns the files, for KernelSource::patches.
absl::StatusOr<std::vector<std::string>> WriteEdits(const KernelEdits& edits,
                                                    const std::string& folder);

}  // namespace iomode::conform

#endif  // CONFORMANCE_KERNEL_KERNEL_EDITS_H_
