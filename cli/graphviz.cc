// SPDX-License-Identifier: GPL-2.0-only

#include "cli/graphviz.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "absl/strings/str_cat.h"

extern char** environ;

namespace iomode {
namespace {

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

// An unnamed file: it is gone when it is closed, whatever happens.
File Unnamed() { return File(std::tmpfile(), &std::fclose); }

absl::Status RunDot(std::FILE* in, std::FILE* out) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, fileno(in), 0);
  posix_spawn_file_actions_adddup2(&actions, fileno(out), 1);
  char dot[] = "dot", format[] = "-Tsvg";
  char* arguments[] = {dot, format, nullptr};
  pid_t child;
  const int error = posix_spawnp(&child, dot, &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error) {
    return absl::UnavailableError(absl::StrCat(
        "dot: ", std::strerror(error), "; the page is laid out by Graphviz, install graphviz"));
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("dot: ended with status ", status));
}

}  // namespace

absl::StatusOr<std::string> DrawSvg(const std::string& source) {
  const File in = Unnamed(), out = Unnamed();
  if (in == nullptr || out == nullptr) {
    return absl::UnavailableError(
        absl::StrCat("no temporary file for dot: ", std::strerror(errno)));
  }
  if (std::fwrite(source.data(), 1, source.size(), in.get()) != source.size() ||
      std::fflush(in.get()) != 0)
    return absl::UnavailableError(absl::StrCat("input of dot: ", std::strerror(errno)));
  std::rewind(in.get());
  if (absl::Status status = RunDot(in.get(), out.get()); !status.ok()) return status;
  std::rewind(out.get());
  std::string text;
  char buffer[1 << 16];
  while (const size_t bytes = std::fread(buffer, 1, sizeof(buffer), out.get()))
    text.append(buffer, bytes);
  // The prologue belongs to a file of its own.
  const size_t begin = text.find("<svg");
  if (begin == std::string::npos) return absl::InternalError("dot: its output has no <svg>");
  return text.substr(begin);
}

}  // namespace iomode
