// SPDX-License-Identifier: GPL-2.0-only
//
// For tests: the default kernel's io-mode code, compiled once a process. Everything goes below
// $TEST_TMPDIR.

#ifndef CONFORMANCE_SOURCE_BUILT_SOURCE_H_
#define CONFORMANCE_SOURCE_BUILT_SOURCE_H_

#include <string>

namespace iomode {

// How a shell command ended. `output` and `errors` lack the last line's end.
struct Command {
  int exit_code;
  std::string output;
  std::string errors;
};
Command Shell(const std::string& command);

// conformance/source/build with these arguments; the output is the library's path. Also sets the
// environment so that commands run from here on keep theirs in the same place.
Command RunBuild(const std::string& arguments);

// The library of the default sources; "" when no sources can be had here. Fails the calling test
// when there are sources and they do not compile.
const std::string& BuiltSource();
// Why there is none.
const std::string& BuiltSourceProblem();
// The part of a kernel tree that it was made from: Makefile, fs/fuse.
std::string BuiltSourceFolder();

// A folder of the test's own.
std::string TestFolder(const std::string& name);

}  // namespace iomode

#endif  // CONFORMANCE_SOURCE_BUILT_SOURCE_H_
