// SPDX-License-Identifier: GPL-2.0-only

#include "cli/graph_options.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace iomode {

void AddGraphOptions(Command command, GraphOptions& options) {
  command.AddOption("--inodes", options.bounds.inodes, "inodes").InRange(1, 4);
  command.AddOption("--files", options.bounds.files, "files open at a time").InRange(1, 6);
  command.AddOption("--backings", options.bounds.backings, "backing files").InRange(0, 4);
  command.AddOption("--writes", options.bounds.writes, "held direct writes for each file")
      .InRange(0, 4);
  command.AddOption("--maps", options.bounds.maps, "files that can be mapped shared").InRange(0, 6);
  command.AddFlag("--page-cache", options.bounds.page_cache,
                  "also reads, aio, fsync, stat and writes past the end");
  command.AddOption("--max-states", options.max_states, "give up after so many states");
  AddLimits(command, options.limits);
  command.AddOption("--seconds", options.limits.seconds, "the same as --max-time");
}

WalkedGraph WalkWithProgress(OpGraph& graph, const GraphOptions& options) {
  CommandWatch command(options.limits);
  Watch& watch = *command.watch();
  WalkedGraph walked;
  walked.report = WalkGraph(graph, options.max_states, [&watch](int expanded, int known) {
    return watch.Stop(
        {static_cast<uint64_t>(expanded), static_cast<uint64_t>(known - expanded), 0});
  });
  if (!walked.report.complete) {
    walked.stopped =
        watch.stopped() ? watch.reason() : absl::StrCat("bound of ", options.max_states, " states");
  }
  return walked;
}

std::string PrintBounds(const GraphBounds& bounds) {
  return absl::StrFormat("%d inodes, %d files, %d backings, %d held writes a file, %d maps",
                         bounds.inodes, bounds.files, bounds.backings, bounds.writes, bounds.maps);
}

std::string PrintCompleteness(const WalkedGraph& walked) {
  return walked.report.complete ? "all " : absl::StrCat("incomplete: ", walked.stopped, "; ");
}

}  // namespace iomode
