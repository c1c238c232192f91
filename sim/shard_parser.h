// SPDX-License-Identifier: GPL-2.0-only
//
// Reads which part of an exploration is meant. Apart from shard.h, which every search includes.

#ifndef SIM_SHARD_PARSER_H_
#define SIM_SHARD_PARSER_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sim/shard.h"

namespace iomode {

// "2/4". An error says what is wrong.
absl::StatusOr<Shard> ParseShard(absl::string_view text);

}  // namespace iomode

#endif  // SIM_SHARD_PARSER_H_
