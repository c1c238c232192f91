// SPDX-License-Identifier: GPL-2.0-only
//
// Kernel sources to build from: always a copy below the cache folder, so that nobody's tree is ever
// written to. A copy of a tarball is kept by the tarball's content; with patches it is a second
// copy that shares the unchanged files. A copy of a tree is brought up to date each time, and only
// files that changed get new times, so that make builds no more than it must.

#ifndef CONFORMANCE_KERNEL_KERNEL_TREE_H_
#define CONFORMANCE_KERNEL_KERNEL_TREE_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace iomode::conform {

// Where the sources come from; one of the first three.
struct KernelSource {
  std::string tree;
  std::string tarball;
  std::string package = "linux-source-6.12";  // Debian's: /usr/src/PACKAGE.tar.xz
  // Files for `patch -p1`, or, named *.cocci, semantic patches for fs/fuse (Coccinelle's spatch);
  // in this order.
  std::vector<std::string> patches;
};

struct KernelTree {
  std::string path;
  std::string release;   // "6.12.117", as its Makefile says
  std::string key;       // of its whole content
  std::string pristine;  // without the patches: a copy whose build folders may serve; or ""
};

// Says what is being done; on a terminal only, if at all.
using SayFunction = std::function<void(const std::string&)>;

// `cache`: an existing folder that the caller has locked. NotFound: a source or a patch is not
// there; InvalidArgument: not a kernel, or a patch does not apply; each says what to do.
absl::StatusOr<KernelTree> PrepareTree(const KernelSource& source, const std::string& cache,
                                       const SayFunction& say);

// Applies KernelSource::patches to the sources in `folder`. InvalidArgument, with what patch(1) or
// spatch says, for one that does not apply; the ones before it were.
absl::Status ApplyPatches(const std::vector<std::string>& patches, const std::string& folder);

// The SHA-256 of some text, its first 16 hexadecimal digits.
absl::StatusOr<std::string> ShortHash(const std::string& text);

}  // namespace iomode::conform

#endif  // CONFORMANCE_KERNEL_KERNEL_TREE_H_
