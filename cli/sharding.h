// SPDX-License-Identifier: GPL-2.0-only
//
// The option --shard of `iomode check`: which part of the work is done here.

#ifndef CLI_SHARDING_H_
#define CLI_SHARDING_H_

#include <string>

#include "absl/status/statusor.h"
#include "cli/arguments.h"
#include "sim/shard.h"

namespace iomode {

// Adds --shard, which sets `shard`. Returns the option.
Argument AddShard(Command command, std::string& shard);

// What was given: "" is the whole, "2/4" a part, and "env" what the environment of a Bazel test
// says (TEST_SHARD_INDEX, TEST_TOTAL_SHARDS; the whole where they are not set). There, Bazel is
// told that the test divides its work (TEST_SHARD_STATUS_FILE).
absl::StatusOr<Shard> ChooseShard(const std::string& shard);

}  // namespace iomode

#endif  // CLI_SHARDING_H_
