// SPDX-License-Identifier: GPL-2.0-only
//
// The configuration of the kernels that are built here: nothing but what the agent, FUSE and a
// microvm under QEMU need, on top of allnoconfig. A fragment of the user's comes last and wins.

#ifndef CONFORMANCE_KERNEL_KERNEL_CONFIG_H_
#define CONFORMANCE_KERNEL_KERNEL_CONFIG_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace iomode::conform {

// "CONFIG_X=y" lines, for KCONFIG_ALLCONFIG. `fragment`: the user's, such lines and comments.
std::string ConfigLines(absl::string_view fragment);

// The lines of `wanted` that `config`, a .config that Kconfig made of them, does not hold: options
// that this kernel does not have, or whose dependencies are missing.
std::vector<std::string> MissingOptions(absl::string_view wanted, absl::string_view config);

}  // namespace iomode::conform

#endif  // CONFORMANCE_KERNEL_KERNEL_CONFIG_H_
