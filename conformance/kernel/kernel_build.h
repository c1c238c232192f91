// SPDX-License-Identifier: GPL-2.0-only
//
// Builds kernels, each in a folder below the cache that is kept and found again by what went into
// it: the sources, the patches and the configuration.

#ifndef CONFORMANCE_KERNEL_KERNEL_BUILD_H_
#define CONFORMANCE_KERNEL_KERNEL_BUILD_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "conformance/kernel/kernel_tree.h"

namespace iomode::conform {

struct BuildOptions {
  KernelSource source;
  std::string fragment;  // a file with more "CONFIG_X=y" lines; "": none
  int jobs = 2;
};

struct KernelBuild {
  std::string release;  // as the sources say
  std::string folder;   // of the build
  std::string vmlinux;
  std::vector<std::string> missing_options;  // asked for by the fragment, and not to be had
};

// Where everything that is kept lies: $XDG_CACHE_HOME/iomode, or ~/.cache/iomode.
std::string CacheFolder();

// What the sources call themselves, "6.12.117". Errors as PrepareTree's.
absl::StatusOr<std::string> ReleaseOfSource(const KernelSource& source, const SayFunction& say);

// Only one caller at a time builds; others wait. Errors as PrepareTree's; Unavailable, with the end
// of the log, when the build fails; NotFound when a tool is missing.
absl::StatusOr<KernelBuild> BuildKernel(const BuildOptions& options, const SayFunction& say);

// NotFound, naming the Debian packages, when one of these programs is not in $PATH.
absl::Status NeedPrograms(const std::vector<std::pair<std::string, std::string>>& programs);

}  // namespace iomode::conform

#endif  // CONFORMANCE_KERNEL_KERNEL_BUILD_H_
