// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/source/build_source.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <vector>

#include "absl/strings/ascii.h"

namespace iomode {
namespace {

namespace fs = std::filesystem;

constexpr char kScript[] = "conformance/source/build";

// The script, in the project that this program was built in, or among the files that Bazel laid
// beside it. "" when there is none.
std::string FindScript() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  std::vector<std::string> runfiles = {program.string() + ".runfiles"};
  if (const char* of_test = std::getenv("TEST_SRCDIR")) runfiles.push_back(of_test);
  for (const std::string& folder : runfiles) {
    const fs::path beside = fs::path(folder) / "fuse_iomode" / kScript;
    if (fs::exists(beside, error)) return beside;
  }
  for (fs::path folder = program.parent_path(); folder != folder.root_path();
       folder = folder.parent_path()) {
    if (fs::exists(folder / kScript, error)) return folder / kScript;
  }
  return "";
}

// Runs a program, with its stderr for the user. Its exit code, or -1; what it prints is *output.
int RunProgram(const std::vector<std::string>& words, std::string* output) {
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  int ends[2];
  if (pipe(ends) != 0) return -1;
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], 1);
    close(ends[0]);
    close(ends[1]);
    execv(argv[0], argv.data());
    _exit(127);
  }
  close(ends[1]);
  char buffer[4096];
  for (ssize_t n; (n = read(ends[0], buffer, sizeof(buffer))) > 0 || (n < 0 && errno == EINTR);)
    if (n > 0) output->append(buffer, n);
  close(ends[0]);
  int status = 0;
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

BuiltSource BuildSource(const SourceOrigin& origin, SourceWorld world) {
  const std::string script = FindScript();
  if (script.empty()) {
    std::cerr << "iomode: no " << kScript << " in or above the folder of this program\n";
    return {BuiltSource::Status::kNoSources, ""};
  }
  std::vector<std::string> words = {script};
  if (world == SourceWorld::kNative) words.push_back("--native");
  const auto add = [&words](const char* option, const std::string& value) {
    if (!value.empty()) words.insert(words.end(), {option, value});
  };
  add("--tree", origin.tree);
  add("--tarball", origin.tarball);
  add("--git", origin.repository);
  add("--rev", origin.commit);
  BuiltSource built;
  switch (RunProgram(words, &built.library)) {
    case 0:
      built.status = BuiltSource::Status::kBuilt;
      built.library = std::string(absl::StripTrailingAsciiWhitespace(built.library));
      break;
    case 1:
      built.status = BuiltSource::Status::kDoesNotCompile;
      break;
    case 2:
      built.status = BuiltSource::Status::kBadInput;
      break;
    default:
      built.status = BuiltSource::Status::kNoSources;
  }
  return built;
}

}  // namespace iomode
