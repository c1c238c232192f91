// SPDX-License-Identifier: GPL-2.0-only
//
// The subcommands of `iomode`. Each adds itself to the command line and, when it was given, does
// its work and returns the exit code of docs/scripts.md.

#ifndef CLI_COMMANDS_H_
#define CLI_COMMANDS_H_

#include <string>
#include <vector>

#include "cli/arguments.h"
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

void AddCheckCommand(CommandLine& line);
void AddConformCommand(CommandLine& line);
void AddDiffCommand(CommandLine& line);
void AddExploreCommand(CommandLine& line);
void AddMergeCommand(CommandLine& line);
void AddRunCommand(CommandLine& line);
void AddTourCommand(CommandLine& line);
void AddRevisionsCommand(CommandLine& line);

// Reads scripts: files, and all *.iom below folders in order of their names. On an error says so
// for every bad one on stderr and returns false.
bool ReadScripts(const std::vector<std::string>& paths, std::vector<Script>* scripts);

// The named revision (empty: the newest), or nullptr after an error on stderr that lists the names.
const Revision* RevisionOption(const std::string& name);

}  // namespace iomode

#endif  // CLI_COMMANDS_H_
