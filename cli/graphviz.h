// SPDX-License-Identifier: GPL-2.0-only
//
// Graphviz, run as a program.

#ifndef CLI_GRAPHVIZ_H_
#define CLI_GRAPHVIZ_H_

#include <string>

#include "absl/status/statusor.h"

namespace iomode {

// The graph that `source` (in the DOT language) describes as an <svg> element, for a page. An error
// says what is missing or what `dot` answered.
absl::StatusOr<std::string> DrawSvg(const std::string& source);

}  // namespace iomode

#endif  // CLI_GRAPHVIZ_H_
