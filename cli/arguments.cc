// SPDX-License-Identifier: GPL-2.0-only

#include "cli/arguments.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>
#include <utility>

#include "cli/commands.h"

namespace iomode {

Argument Argument::Required() const { return Argument(option_->required()); }

Argument Argument::Needs(Argument other) const { return Argument(option_->needs(other.option_)); }

Argument Argument::Excludes(Argument other) const {
  return Argument(option_->excludes(other.option_));
}

Argument Argument::InRange(int least, int most) const {
  return Argument(option_->check(CLI::Range(least, most)));
}

Argument Argument::Positive() const { return Argument(option_->check(CLI::PositiveNumber)); }

Argument Argument::OneOf(const std::vector<std::string>& names) const {
  return Argument(option_->check(CLI::IsMember(names)));
}

Argument Argument::ExistingFile() const { return Argument(option_->check(CLI::ExistingFile)); }

Argument Argument::ExistingFolder() const {
  return Argument(option_->check(CLI::ExistingDirectory));
}

Argument Argument::Bytes() const { return Argument(option_->transform(CLI::AsSizeValue(false))); }

Argument Argument::Seconds() const {
  const std::map<std::string, double> units = {{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
  return Argument(option_->transform(CLI::AsNumberWithUnit(units)));
}

Argument Argument::Delimiter(char separator) const {
  return Argument(option_->delimiter(separator));
}

Argument Argument::OneValueATime() const { return Argument(option_->allow_extra_args(false)); }

Argument Argument::TakeAll() const { return Argument(option_->take_all()); }

Argument Argument::Each(std::function<void(const std::string&)> see) const {
  return Argument(option_->each(std::move(see)));
}

bool Argument::given() const { return option_->count() > 0; }

Argument Command::AddOption(const std::string& name, std::string& value,
                            const std::string& meaning) {
  return Argument(app_->add_option(name, value, meaning));
}

Argument Command::AddOption(const std::string& name, std::vector<std::string>& values,
                            const std::string& meaning) {
  return Argument(app_->add_option(name, values, meaning));
}

Argument Command::AddOption(const std::string& name, int& value, const std::string& meaning) {
  return Argument(app_->add_option(name, value, meaning));
}

Argument Command::AddOption(const std::string& name, uint32_t& value, const std::string& meaning) {
  return Argument(app_->add_option(name, value, meaning));
}

Argument Command::AddOption(const std::string& name, uint64_t& value, const std::string& meaning) {
  return Argument(app_->add_option(name, value, meaning));
}

Argument Command::AddOption(const std::string& name, double& value, const std::string& meaning) {
  return Argument(app_->add_option(name, value, meaning));
}

Argument Command::AddFlag(const std::string& name, bool& given, const std::string& meaning) {
  return Argument(app_->add_flag(name, given, meaning));
}

Argument Command::AddFlag(const std::string& name, std::string& value, const std::string& meaning) {
  return Argument(app_->add_flag(name, value, meaning));
}

void Command::Does(Work work) {
  app_->callback([to = work_, work = std::move(work)] { *to = work; });
}

CommandLine::CommandLine(const std::string& program, const std::string& meaning)
    : app_(std::make_unique<CLI::App>(meaning, program)) {
  app_->require_subcommand(1);
}

CommandLine::~CommandLine() = default;

Command CommandLine::AddCommand(const std::string& name, const std::string& meaning) {
  return Command(app_->add_subcommand(name, meaning), &work_);
}

int CommandLine::Run(int argc, char** argv) {
  try {
    app_->parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return app_->exit(help);
  } catch (const CLI::ParseError& error) {
    std::cerr << "iomode: " << error.what() << "\nTry iomode --help, or iomode COMMAND --help.\n";
    return kExitBadInput;
  }
  return work_();
}

}  // namespace iomode
