// SPDX-License-Identifier: GPL-2.0-only

#include "sim/shard_parser.h"

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace iomode {

absl::StatusOr<Shard> ParseShard(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '/');
  Shard shard;
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &shard.number) ||
      !absl::SimpleAtoi(parts[1], &shard.count)) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text, "\" is no part such as 2/4, the second of four"));
  }
  if (shard.count < 1 || shard.number < 1 || shard.number > shard.count) {
    return absl::InvalidArgumentError(
        absl::StrCat("there is no part ", text, "; parts are 1/N to N/N"));
  }
  return shard;
}

}  // namespace iomode
