// SPDX-License-Identifier: GPL-2.0-only
//
// What all commands that take long have in common: options that bound their time and memory, a
// line about their progress when standard error is a terminal, and SIGINT and SIGTERM, which end
// the work so that the command prints what it has. A second signal ends the process.

#ifndef CLI_BOUNDS_H_
#define CLI_BOUNDS_H_

#include <functional>
#include <map>
#include <string>

#include "cli/arguments.h"
#include "sim/watch.h"

namespace iomode {

// Adds --max-memory and --max-time, which set `limits`.
void AddLimits(Command command, Watch::Limits& limits);

// The Watch of a command, from its start to its end.
class CommandWatch {
 public:
  // `limits` outlives the construction only.
  explicit CommandWatch(const Watch::Limits& limits);
  ~CommandWatch();
  CommandWatch(const CommandWatch&) = delete;
  CommandWatch& operator=(const CommandWatch&) = delete;

  Watch* watch() { return &watch_; }
  // Removes the line, before something else is printed.
  void Clear();
  // Says what is being worked on from now on: "3/12 scenarios/a.iom".
  void Begin(const std::string& what) { what_ = what; }

 private:
  void Show(const Watch::Report& report);

  std::string what_;
  bool shown_ = false;
  Watch watch_;
};

}  // namespace iomode

#endif  // CLI_BOUNDS_H_
