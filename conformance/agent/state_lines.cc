// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/agent/state_lines.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "conformance/agent/task_host.h"
#include "conformance/agent/task_state.h"

namespace iomode::agent {
namespace {

constexpr absl::string_view kIndent = "#     ";
constexpr size_t kFrames = 5;

std::string LockText(const InodeState& state) {
  std::string text = "-";
  if (state.locked_exclusive) {
    text = "X";
  } else if (state.lock_readers > 0) {
    text = absl::StrCat("S", state.lock_readers);
  }
  return state.lock_waiters ? absl::StrCat(text, "+waiters") : text;
}

std::string SourceName(const Script& script, Source source) {
  const int inode = InodeOfSource(source);
  if (inode >= 0) {
    return inode < static_cast<int>(script.inodes.size()) ? script.inodes[inode] : "?";
  }
  const int backing = BackingOfSource(source);
  if (backing >= 0) {
    return backing < static_cast<int>(script.backings.size()) ? script.backings[backing] : "?";
  }
  return absl::StrCat("W", StepOfSource(source));
}

}  // namespace

bool IsStateLine(absl::string_view comment) { return absl::StartsWith(comment, kIndent); }

std::string RequestLine(const Script& script, const RequestRecord& request) {
  std::string line = absl::StrCat(kIndent, "req ", OpcodeName(request.opcode), "(",
                                  request.inode >= 0 ? script.inodes[request.inode] : "0", ")");
  if (request.len > 0) absl::StrAppend(&line, " off=", request.off, " len=", request.len);
  absl::StrAppend(&line, request.step > 0 ? absl::StrCat(" step=", request.step) : " pid=0");
  if (request.held) absl::StrAppend(&line, " held");
  return line;
}

std::vector<std::string> BlockedLines(const StepBook& book, const FuseServer& server) {
  std::vector<std::string> lines;
  for (int number = 1; number <= book.current(); ++number) {
    const StepRun& run = book.at(number);
    if (run.done || run.host == nullptr || run.task == 0) continue;
    std::string line = absl::StrCat(kIndent, "blocked ", number, ":");
    const uint32_t held = server.HeldFor(number);
    if (held != 0) absl::StrAppend(&line, " server(", OpcodeName(held), ")");
    const std::optional<TaskState> state = ReadTaskState(run.host->pid(), run.task);
    absl::StrAppend(&line, " [", std::string(1, state.has_value() ? state->state : 'X'), "]");
    std::vector<std::string> stack = KernelStack(run.host->pid(), run.task);
    stack.resize(std::min(stack.size(), kFrames));
    if (!stack.empty()) absl::StrAppend(&line, " ", absl::StrJoin(stack, "<"));
    const bool submitted = IsAio(run.step->op) && !stack.empty() && stack[0] == "read_events";
    if (submitted) absl::StrAppend(&line, " submitted");
    lines.push_back(std::move(line));
  }
  return lines;
}

std::string DataLine(const Script& script, const StepRun& run) {
  std::vector<std::string> names;
  for (Source source : run.sources) {
    if (StepOfSource(source) != run.step->number) names.push_back(SourceName(script, source));
  }
  if (names.empty()) return "";
  return absl::StrCat(kIndent, "data ", run.step->number, ": ", absl::StrJoin(names, "+"));
}

std::string InodeLine(const Script& script, int inode, const InodeState& state,
                      const BackingFiles& backings) {
  std::string backing = "-";
  if (state.backing != 0) {
    const int index = backings.IndexOfInode(state.backing);
    backing =
        absl::StrCat(index >= 0 ? script.backings[index] : "?", "(refs=", state.backing_refs, ")");
  }
  return absl::StrCat(kIndent, script.inodes[inode], ": iocachectr=", state.iocachectr,
                      " CACHE_IO_MODE=", state.cache_io_mode ? 1 : 0, " fb=", backing,
                      " waiters=", state.waiters, " i_rwsem=", LockText(state),
                      " pages=", state.pages, " size=", state.size);
}

}  // namespace iomode::agent
