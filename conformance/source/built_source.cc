// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/source/built_source.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace iomode {
namespace {

namespace fs = std::filesystem;

constexpr int kExitNoSources = 4;

std::string Slurp(const std::string& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return std::string(absl::StripTrailingAsciiWhitespace(text.str()));
}

const Command& DefaultBuild() {
  static const Command* const build = [] {
    auto* result = new Command(RunBuild(""));
    if (result->exit_code != 0) {
      result->output.clear();
      EXPECT_EQ(result->exit_code, kExitNoSources) << result->errors;
    }
    return result;
  }();
  return *build;
}

}  // namespace

Command Shell(const std::string& command) {
  const std::string folder = TestFolder("run");
  const int status =
      std::system(absl::StrCat("{ ", command, "; } >", folder, "/out 2>", folder, "/err").c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, Slurp(folder + "/out"),
          Slurp(folder + "/err")};
}

Command RunBuild(const std::string& arguments) {
  setenv("IOMODE_SOURCE_CACHE", TestFolder("cache").c_str(), 1);
  return Shell("conformance/source/build " + arguments);
}

const std::string& BuiltSource() { return DefaultBuild().output; }

const std::string& BuiltSourceProblem() { return DefaultBuild().errors; }

std::string BuiltSourceFolder() {
  for (const auto& entry : fs::directory_iterator(TestFolder("cache"))) {
    if (fs::exists(entry.path() / "fs/fuse/iomode.c")) return entry.path();
  }
  return "";
}

std::string TestFolder(const std::string& name) {
  const char* const root = std::getenv("TEST_TMPDIR");
  const fs::path folder = fs::path(root != nullptr ? root : ::testing::TempDir()) / "source" / name;
  fs::create_directories(folder);
  return folder;
}

}  // namespace iomode
