// SPDX-License-Identifier: GPL-2.0-only
//
// Keeps a copy of a kernel tree up to date.

#ifndef CONFORMANCE_KERNEL_TREE_COPY_H_
#define CONFORMANCE_KERNEL_TREE_COPY_H_

#include <string>

#include "absl/status/statusor.h"

namespace iomode::conform {

// Makes `to` hold the sources of `from`: files that differ in size or time are copied with their
// times, files that are gone are removed. In a git tree the sources are what git tracks or would
// track; elsewhere everything that is not the product of a build. Build folders in `to` stay.
// Returns names, sizes and times of all files, one a line.
absl::StatusOr<std::string> BringUpToDate(const std::string& from, const std::string& to);

// Whether a name in a copy of the sources is that of a build folder.
bool IsBuildFolder(const std::string& name);

}  // namespace iomode::conform

#endif  // CONFORMANCE_KERNEL_TREE_COPY_H_
