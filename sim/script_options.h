// SPDX-License-Identifier: GPL-2.0-only
//
// The arguments of a step that go by name (off=, hold, cpu=...), and which operations take which.
// Constant data; private to the script parser.

#ifndef SIM_SCRIPT_OPTIONS_H_
#define SIM_SCRIPT_OPTIONS_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "sim/script.h"

namespace iomode {

enum OptionBit : uint32_t {
  OPTION_OFF = 1u << 0,
  OPTION_LEN = 1u << 1,
  OPTION_APPEND = 1u << 2,
  OPTION_HOLD = 1u << 3,
  OPTION_HOLD_CLOSE = 1u << 4,  // hold=FLUSH or hold=RELEASE
  OPTION_BACKING = 1u << 5,
  OPTION_ACCESS = 1u << 6,
  OPTION_ERR = 1u << 7,
  OPTION_FLAGS = 1u << 8,
  OPTION_READ_ONLY = 1u << 9,
  OPTION_CPU = 1u << 10,
  OPTION_SCHED = 1u << 11,
};

struct OptionName {
  absl::string_view key;
  uint32_t bit;             // OptionBit
  absl::string_view shape;  // for messages
};

// The option that `key` names for this operation; nullptr if it takes none of that name.
const OptionName* FindOption(Op op, absl::string_view key);

// "off=N, hold, ... or end of line": what may follow the operands of this operation, for messages.
std::string ListOptions(Op op);

}  // namespace iomode

#endif  // SIM_SCRIPT_OPTIONS_H_
