// SPDX-License-Identifier: GPL-2.0-only
//
// Reads the `.iom` text form (docs/scripts.md) into a Script. Nothing here runs anything.

#ifndef SIM_SCRIPT_PARSER_H_
#define SIM_SCRIPT_PARSER_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sim/script.h"

namespace iomode {

// Parses `text`; `name` is used in messages only. Errors are InvalidArgument with the message
// "name:line:column: what was found, what was expected".
absl::StatusOr<Script> ParseScript(absl::string_view name, absl::string_view text);

// Whether a step of a sequence may say that the server holds its request.
bool TakesHold(Op op);

// Parses an expression over the results of a litmus script's threads, such as "P1.1 == blocked";
// `name` is used in messages only.
absl::StatusOr<Condition::Expr> ParseOutcome(const Script& script, absl::string_view name,
                                             absl::string_view text);

// Reads and parses one file. A missing or unreadable file, or a directory, is an error that names
// it.
absl::StatusOr<Script> ParseScriptFile(const std::string& path);

}  // namespace iomode

#endif  // SIM_SCRIPT_PARSER_H_
