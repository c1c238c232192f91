// SPDX-License-Identifier: GPL-2.0-only

#include "cli/bounds.h"

#include <unistd.h>

#include <csignal>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace iomode {
namespace {

// "1234567" as "1,234,567".
std::string Grouped(uint64_t number) {
  std::string text = absl::StrCat(number);
  for (int at = static_cast<int>(text.size()) - 3; at > 0; at -= 3) text.insert(at, 1, ',');
  return text;
}

void HandleSignals() {
  struct sigaction action = {};
  action.sa_handler = [](int) { Watch::Interrupt(); };
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

}  // namespace

void AddLimits(Command command, Watch::Limits& limits) {
  command
      .AddOption("--max-memory", limits.memory,
                 "give up when the process has so much memory resident: 512M, 4G")
      .Bytes();
  command.AddOption("--max-time", limits.seconds, "give up after so long: 90, 30m, 8h, 7d")
      .Seconds();
}

CommandWatch::CommandWatch(const Watch::Limits& limits)
    : watch_(limits, isatty(2) ? [this](const Watch::Report& report) { Show(report); }
                               : std::function<void(const Watch::Report&)>()) {
  HandleSignals();
}

CommandWatch::~CommandWatch() { Clear(); }

void CommandWatch::Clear() {
  if (shown_) std::cerr << "\r\033[K" << std::flush;
  shown_ = false;
}

void CommandWatch::Show(const Watch::Report& report) {
  std::string line =
      absl::StrFormat("%s%s%s states, %s/s, frontier %s, %d MiB", what_, what_.empty() ? "" : ": ",
                      Grouped(report.progress.states), Grouped(static_cast<uint64_t>(report.rate)),
                      Grouped(report.progress.frontier), report.memory >> 20);
  if (report.progress.known > 0) {
    const double all = static_cast<double>(report.progress.states) / report.progress.known;
    absl::StrAppend(&line, ", perhaps of ", Grouped(static_cast<uint64_t>(all)));
  }
  std::cerr << "\r\033[K" << line << std::flush;
  shown_ = true;
}

}  // namespace iomode
