// SPDX-License-Identifier: GPL-2.0-only
//
// The page of `iomode explore --html`: one file without anything from outside, with the graphs of
// some revisions as the kernel sees them, laid out by Graphviz: a row for each iocachectr, a column
// for each fb. Its own sources are in explore_page/.

#ifndef CLI_EXPLORE_PAGE_H_
#define CLI_EXPLORE_PAGE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sim/kernel_graph.h"

namespace iomode {

struct PageRevision {
  std::string name;
  std::string title;
  std::string counts;  // "all 948 states, 3562 edges; 1 inodes, ..."
  KernelGraph graph;
};

// The page's text. The last revision is shown first. Fails when Graphviz does.
absl::StatusOr<std::string> ExplorePage(const std::vector<PageRevision>& revisions);

}  // namespace iomode

#endif  // CLI_EXPLORE_PAGE_H_
