// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/agent/task_state.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "conformance/agent/descriptor.h"

namespace iomode::agent {
namespace {

constexpr uint64_t kExitingFlag = 0x4;  // PF_EXITING

std::string ReadProc(pid_t process, pid_t task, const char* name) {
  char path[80];
  snprintf(path, sizeof path, "/proc/%d/task/%d/%s", process, task, name);
  const Descriptor file(open(path, O_RDONLY | O_CLOEXEC));
  char text[4096];
  const ssize_t size = file.valid() ? read(file.get(), text, sizeof text) : 0;
  return size > 0 ? std::string(text, static_cast<size_t>(size)) : std::string();
}

uint64_t CountRuns(pid_t process, pid_t task) {
  return RunsCountArrivals() ? RunsOfSchedstat(ReadProc(process, task, "schedstat"))
                             : RunsOfStatus(ReadProc(process, task, "status"));
}

}  // namespace

bool RunsCountArrivals() {
  static const bool has_schedstat = !ReadProc(getpid(), getpid(), "schedstat").empty();
  return has_schedstat;
}

uint64_t RunsOfSchedstat(absl::string_view text) {
  const std::vector<absl::string_view> words = absl::StrSplit(text, ' ');
  uint64_t runs = 0;
  if (words.size() < 3 || !absl::SimpleAtoi(absl::StripAsciiWhitespace(words[2]), &runs)) return 0;
  return runs;
}

uint64_t RunsOfStatus(absl::string_view text) {
  uint64_t runs = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::vector<absl::string_view> parts = absl::StrSplit(line, absl::MaxSplits(':', 1));
    uint64_t count = 0;
    if (parts.size() == 2 && parts[0].find("ctxt_switches") != absl::string_view::npos &&
        absl::SimpleAtoi(parts[1], &count)) {
      runs += count;
    }
  }
  return runs;
}

std::optional<TaskState> ParseStat(absl::string_view text) {
  // The name may hold anything.
  const size_t name_end = text.rfind(") ");
  if (name_end == absl::string_view::npos) return std::nullopt;
  const std::vector<absl::string_view> words = absl::StrSplit(text.substr(name_end + 2), ' ');
  uint64_t flags = 0;
  if (words.size() < 7 || words[0].empty() || !absl::SimpleAtoi(words[6], &flags))
    return std::nullopt;
  TaskState state;
  state.state = words[0][0];
  state.ending = (flags & kExitingFlag) != 0;
  if (state.state == 'X' || state.state == 'Z') return std::nullopt;
  return state;
}

std::vector<std::string> ParseStack(absl::string_view text) {
  std::vector<std::string> functions;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    // "[<0>] request_wait_answer+0x1a3/0x2b0"
    const size_t start = line.find("] ");
    if (start == absl::string_view::npos) continue;
    line.remove_prefix(start + 2);
    functions.emplace_back(line.substr(0, line.find('+')));
  }
  return functions;
}

std::optional<TaskState> ReadTaskState(pid_t process, pid_t task) {
  const uint64_t runs = CountRuns(process, task);
  std::optional<TaskState> state = ParseStat(ReadProc(process, task, "stat"));
  if (state.has_value()) state->runs = runs;
  return state;
}

std::string WaitChannel(pid_t process, pid_t task) {
  const std::string text = ReadProc(process, task, "wchan");
  return text == "0" ? std::string() : text;
}

std::vector<std::string> KernelStack(pid_t process, pid_t task) {
  return ParseStack(ReadProc(process, task, "stack"));
}

std::vector<pid_t> TasksOf(pid_t process) {
  std::vector<pid_t> tasks;
  char path[40];
  snprintf(path, sizeof path, "/proc/%d/task", process);
  DIR* directory = opendir(path);
  if (directory == nullptr) return tasks;
  while (const dirent* entry = readdir(directory)) {
    const pid_t task = atoi(entry->d_name);
    if (task > 0) tasks.push_back(task);
  }
  closedir(directory);
  std::sort(tasks.begin(), tasks.end());
  return tasks;
}

}  // namespace iomode::agent
