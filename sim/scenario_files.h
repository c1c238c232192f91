// SPDX-License-Identifier: GPL-2.0-only
//
// Scripts for tests: those of the project's scenarios/ folder, for tests that hold all of them, and
// those that a test has itself. Tests only; they run in the project's root, as Bazel's do.
// Stateless.

#ifndef SIM_SCENARIO_FILES_H_
#define SIM_SCENARIO_FILES_H_

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "sim/script_parser.h"

// GoogleTest includes <sys/stat.h>, where these are macros; the model has its own.
#undef FUSE_STATX_SIZE
#undef FUSE_STATX_ATIME

namespace iomode {

// All files below `folder` that end in `suffix`, sorted. A folder without any is a test failure.
inline std::vector<std::string> FilesBelow(const std::string& folder, const std::string& suffix) {
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, error)) {
    if (entry.path().string().ends_with(suffix)) files.push_back(entry.path().string());
  }
  EXPECT_FALSE(files.empty()) << folder << ": no file that ends in " << suffix;
  std::sort(files.begin(), files.end());
  return files;
}

// One file. One that does not parse is a test failure.
inline Script ReadScript(const std::string& path) {
  absl::StatusOr<Script> script = ParseScriptFile(path);
  EXPECT_TRUE(script.ok()) << script.status().message();
  return script.ok() ? *std::move(script) : Script{};
}

// All scripts below `folder`, by name.
inline std::vector<Script> ScriptsBelow(const std::string& folder) {
  std::vector<Script> scripts;
  for (const std::string& file : FilesBelow(folder, ".iom")) scripts.push_back(ReadScript(file));
  return scripts;
}

// One that stands in the test. What does not parse is a test failure.
inline Script Parse(const std::string& text) {
  absl::StatusOr<Script> script = ParseScript("test.iom", text);
  EXPECT_TRUE(script.ok()) << script.status().message();
  return script.ok() ? *std::move(script) : Script{};
}

}  // namespace iomode

#endif  // SIM_SCENARIO_FILES_H_
