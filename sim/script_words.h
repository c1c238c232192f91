// SPDX-License-Identifier: GPL-2.0-only
//
// The words of the `.iom` language: names of operations, flags and capabilities. What the printer
// writes and the parser reads comes from these tables alone. Constant data; private to script.cc
// and the parser.

#ifndef SIM_SCRIPT_WORDS_H_
#define SIM_SCRIPT_WORDS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sim/script.h"

namespace iomode {

struct FlagName {
  absl::string_view name;
  uint32_t bits;
};

// In the order in which they are printed.
absl::Span<const FlagName> ConnCapNames();
absl::Span<const FlagName> FopenFlagNames();
// RDWR, RDONLY and WRONLY come first; RDWR is the bits of both others.
absl::Span<const FlagName> OpenFlagNames();
// The subset that setfl takes.
absl::Span<const FlagName> SetflFlagNames();

absl::string_view OpName(Op op);
std::optional<Op> OpFromName(absl::string_view name);

absl::string_view ViaName(Via via);  // "" for kNone

// The bits of one name; 0 for an unknown one.
uint32_t FlagBits(absl::Span<const FlagName> names, absl::string_view name);

// `bits` as names joined by `separator`: `written` if it says exactly that, else the table's order.
// "" for no bits, unless written as "0".
std::string FlagsText(absl::Span<const FlagName> names, uint32_t bits, char separator,
                      const std::string& written);

// "A, B or C", for messages.
std::string ListNames(absl::Span<const FlagName> names);

}  // namespace iomode

#endif  // SIM_SCRIPT_WORDS_H_
