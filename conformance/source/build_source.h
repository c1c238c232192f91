// SPDX-License-Identifier: GPL-2.0-only
//
// Makes the library of a kernel's own functions from C++: runs conformance/source/build, which is
// looked for beside the running program's build.

#ifndef CONFORMANCE_SOURCE_BUILD_SOURCE_H_
#define CONFORMANCE_SOURCE_BUILD_SOURCE_H_

#include <string>

namespace iomode {

// Where the sources come from: one of these, or none for Debian's linux-source package.
struct SourceOrigin {
  std::string tree;        // a kernel tree
  std::string tarball;     // of one
  std::string repository;  // a git repository of the kernel, with `commit`
  std::string commit;
};

struct BuiltSource {
  enum class Status { kBuilt, kDoesNotCompile, kBadInput, kNoSources };
  Status status = Status::kBadInput;
  std::string library;  // its path
};

// Where the functions are to run: under the Scheduler, or (--native) on real threads.
enum class SourceWorld { kScheduled, kNative };

// What goes wrong is said on stderr.
BuiltSource BuildSource(const SourceOrigin& origin, SourceWorld world = SourceWorld::kScheduled);

}  // namespace iomode

#endif  // CONFORMANCE_SOURCE_BUILD_SOURCE_H_
