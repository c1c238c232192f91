// SPDX-License-Identifier: GPL-2.0-only

#include "cli/arguments.h"
#include "cli/commands.h"

int main(int argc, char** argv) {
  iomode::CommandLine line("iomode",
                           "A model of the FUSE inode io-mode state machine (fs/fuse/iomode.c).");
  iomode::AddCheckCommand(line);
  iomode::AddMergeCommand(line);
  iomode::AddRunCommand(line);
  iomode::AddExploreCommand(line);
  iomode::AddTourCommand(line);
  iomode::AddDiffCommand(line);
  iomode::AddConformCommand(line);
  iomode::AddRevisionsCommand(line);
  return line.Run(argc, argv);
}
