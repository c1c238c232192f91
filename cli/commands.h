// SPDX-License-Identifier: GPL-2.0-only
//
// The subcommands of `iomode`. Each adds itself to the command line and, when it was given, does
// its work and returns the exit code of docs/scripts.md.

#ifndef CLI_COMMANDS_H_
#define CLI_COMMANDS_H_

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "model/revision.h"
#include "sim/script.h"

namespace iomode {

enum ExitCode {
  kExitOk = 0,
  kExitFails = 1,
  kExitBadInput = 2,
  kExitIncomplete = 3,
  kExitNoKernel = 4
};

// What main() does when a subcommand was named; filled in by it.
using Action = std::function<int()>;

void AddCheckCommand(CLI::App& app, Action& action);
void AddConformCommand(CLI::App& app, Action& action);
void AddDiffCommand(CLI::App& app, Action& action);
void AddExploreCommand(CLI::App& app, Action& action);
void AddRunCommand(CLI::App& app, Action& action);
void AddTourCommand(CLI::App& app, Action& action);
void AddRevisionsCommand(CLI::App& app, Action& action);

// Reads scripts: files, and all *.iom below folders in order of their names. On an error says so
// for every bad one on stderr and returns false.
bool ReadScripts(const std::vector<std::string>& paths, std::vector<Script>* scripts);

// The named revision (empty: the newest), or nullptr after an error on stderr that lists the names.
const Revision* RevisionOption(const std::string& name);

}  // namespace iomode

#endif  // CLI_COMMANDS_H_
