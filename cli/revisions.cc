// SPDX-License-Identifier: GPL-2.0-only
//
// iomode revisions: the table of rules.

#include <iostream>

#include "cli/commands.h"

namespace iomode {

void AddRevisionsCommand(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("revisions", "list the revisions and their rules");
  command->callback([&action] {
    action = [] {
      for (const Revision& revision : Revisions())
        std::cout << revision.name << "  " << revision.title << "\n";
      return static_cast<int>(kExitOk);
    };
  });
}

}  // namespace iomode
