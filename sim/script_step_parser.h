// SPDX-License-Identifier: GPL-2.0-only
//
// Reads what follows the label of a step: the operation, its arguments and the results claimed for
// it. Private to the script parser.
//
// Names of inodes and backings must be declared; names of files and maps are entered into the
// script when they are first seen. Whether a file is open where it is used is checked afterwards
// (script_check.h).

#ifndef SIM_SCRIPT_STEP_PARSER_H_
#define SIM_SCRIPT_STEP_PARSER_H_

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "sim/script.h"
#include "sim/script_lexer.h"

namespace iomode {

// A name table of the script with an index over it.
class NameIndex {
 public:
  explicit NameIndex(std::vector<std::string>& names) : names_(names) {}

  int Find(const std::string& name) const;  // -1: unknown
  int Enter(const std::string& name);       // finds or appends

 private:
  std::vector<std::string>& names_;
  absl::flat_hash_map<std::string, int> index_;
};

struct ScriptNames {
  explicit ScriptNames(Script& script)
      : inodes(script.inodes), backings(script.backings), files(script.files), maps(script.maps) {}

  NameIndex inodes, backings, files, maps;
};

// Reads one result: "4096 via=server", "EIO", "blocked", "KILLED". False: an error was recorded.
bool ParseResult(TokenReader& reader, Result* result);

class StepParser {
 public:
  // `earlier`: steps 1..earlier are those that a reply or intr may name.
  StepParser(ScriptNames& names, TokenReader& reader, int earlier, Step& step)
      : names_(names), reader_(reader), earlier_(earlier), step_(step) {}

  // Reads up to the end of the line. step.number and step.thread are set by the caller before.
  // False: an error was recorded.
  bool Parse();

 private:
  bool Operands();
  bool OperandsOfFile();
  bool Reply();
  bool OpenFlags();
  bool DeclaredBacking();
  bool BackingId();
  bool File();
  bool Map();
  bool StepReference(int64_t* number);
  bool Options();
  bool Option(const std::string& expected);
  bool OptionValue(absl::string_view key);
  bool HoldOption();
  bool AccessOption();
  bool Results();
  bool CompletionOf();
  bool ReadAlternatives(Alternatives* results);
  bool Required();

  ScriptNames& names_;
  TokenReader& reader_;
  int earlier_;
  Step& step_;
  uint32_t seen_ = 0;  // options of this step so far
};

}  // namespace iomode

#endif  // SIM_SCRIPT_STEP_PARSER_H_
