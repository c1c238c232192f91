// SPDX-License-Identifier: GPL-2.0-only

#include "cli/commands.h"

int main(int argc, char** argv) {
  CLI::App app("A model of the FUSE inode io-mode state machine (fs/fuse/iomode.c).", "iomode");
  app.require_subcommand(1);
  app.failure_message(CLI::FailureMessage::help);
  iomode::Action action;
  iomode::AddCheckCommand(app, action);
  iomode::AddRunCommand(app, action);
  iomode::AddExploreCommand(app, action);
  iomode::AddTourCommand(app, action);
  iomode::AddDiffCommand(app, action);
  iomode::AddConformCommand(app, action);
  iomode::AddRevisionsCommand(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    std::cerr << "iomode: " << error.what() << "\nTry iomode --help, or iomode COMMAND --help.\n";
    return iomode::kExitBadInput;
  }
  return action();
}
