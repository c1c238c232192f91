// SPDX-License-Identifier: GPL-2.0-only
//
// The command line: subcommands with options and flags, each of which sets a variable. CLI11 reads
// it; only arguments.cc includes that library, which costs some seven seconds of compiling in each
// file. Command and Argument are handles of what the CommandLine owns, to be copied freely.

#ifndef CLI_ARGUMENTS_H_
#define CLI_ARGUMENTS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace iomode {

// An option, a flag, or an argument without a name.
class Argument {
 public:
  explicit Argument(CLI::Option* option) : option_(option) {}

  Argument Required() const;
  Argument Needs(Argument other) const;
  Argument Excludes(Argument other) const;

  // What its value must be.
  Argument InRange(int least, int most) const;
  Argument Positive() const;
  Argument OneOf(const std::vector<std::string>& names) const;
  Argument ExistingFile() const;
  Argument ExistingFolder() const;

  // Units of its value: 512M and 4G for bytes, 30m and 8h for seconds.
  Argument Bytes() const;
  Argument Seconds() const;

  // Of a list: this character separates values within one word.
  Argument Delimiter(char separator) const;
  // Of a list: one value each time that it is given, not all the words that follow.
  Argument OneValueATime() const;
  // Given several times, it takes all the values.
  Argument TakeAll() const;

  // Calls `see` with each value.
  Argument Each(std::function<void(const std::string&)> see) const;

  bool given() const;

 private:
  CLI::Option* option_;
};

// A subcommand. The variables that it sets live until its work is done.
class Command {
 public:
  // What the command does; returns the exit code.
  using Work = std::function<int()>;

  Command(CLI::App* app, Work* work) : app_(app), work_(work) {}

  // `name` is "--format", or "FILE" for an argument without a name.
  Argument AddOption(const std::string& name, std::string& value, const std::string& meaning);
  Argument AddOption(const std::string& name, std::vector<std::string>& values,
                     const std::string& meaning);
  Argument AddOption(const std::string& name, int& value, const std::string& meaning);
  Argument AddOption(const std::string& name, uint32_t& value, const std::string& meaning);
  Argument AddOption(const std::string& name, uint64_t& value, const std::string& meaning);
  Argument AddOption(const std::string& name, double& value, const std::string& meaning);

  Argument AddFlag(const std::string& name, bool& given, const std::string& meaning);
  // "--story{text}" may be given a value, and sets "text" without.
  Argument AddFlag(const std::string& name, std::string& value, const std::string& meaning);

  void Does(Work work);

 private:
  CLI::App* app_;
  Work* work_;
};

class CommandLine {
 public:
  CommandLine(const std::string& program, const std::string& meaning);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  Command AddCommand(const std::string& name, const std::string& meaning);

  // Does the work of the command that is named and returns its exit code, or prints help, or says
  // on stderr what cannot be understood.
  int Run(int argc, char** argv);

 private:
  std::unique_ptr<CLI::App> app_;
  Command::Work work_;
};

}  // namespace iomode

#endif  // CLI_ARGUMENTS_H_
