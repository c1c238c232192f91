// SPDX-License-Identifier: GPL-2.0-only
//
// iomode tour: sequential scripts that take every edge of the op-level graph.

#include "sim/tour.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/commands.h"
#include "cli/graph_options.h"

namespace iomode {
namespace {

struct TourFlags {
  std::string kernel;
  GraphOptions graph;
  int max_steps = 100;
  std::string out;
};

// Coverage, and the edges that no script can force, each line a comment.
std::string Summary(const Tour& tour, const Revision& revision, const GraphOptions& options,
                    const WalkedGraph& walked) {
  std::string text = absl::StrFormat(
      "# %s: %s%d of %d edges taken; %s\n"
      "# %d scripts, %d steps; a script an edge: %d scripts, %d steps\n",
      revision.name, walked.report.complete ? "" : PrintCompleteness(walked), tour.forced,
      tour.edges, PrintBounds(options.bounds), tour.scripts.size(), tour.steps, tour.naive_scripts,
      tour.naive_steps);
  if (tour.raced > 0) {
    absl::StrAppend(&text, "# ", tour.raced,
                    " edges cannot be forced, because tasks race; the last ", tour.races.size(),
                    " scripts end with these races and allow each result:\n");
  }
  const size_t first = tour.scripts.size() - tour.races.size();
  for (size_t i = 0; i < tour.races.size(); i++) {
    const Script& script = tour.scripts[first + i];
    absl::StrAppend(&text, "#   ", TourFileName(first + i, tour.scripts.size()), ": ",
                    PrintStep(script, script.steps.back()), " may end in ", tour.races[i].ends,
                    " ways\n");
  }
  if (tour.behind > 0) {
    absl::StrAppend(&text, "# ", tour.behind,
                    " edges cannot be forced, because they start where only a race leads\n");
  }
  return text;
}

// A script's text, with what it is on its first line.
std::string Text(const Tour& tour, size_t index, const Revision& revision) {
  return absl::StrCat("# ", TourFileName(index, tour.scripts.size()), " of ", tour.scripts.size(),
                      ", at ", revision.name, "\n", PrintScript(tour.scripts[index]));
}

bool WriteFiles(const Tour& tour, const Revision& revision, const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  for (size_t i = 0; i < tour.scripts.size() && !error; i++) {
    const std::string path = absl::StrCat(folder, "/", TourFileName(i, tour.scripts.size()));
    std::ofstream file(path);
    file << Text(tour, i, revision);
    if (!file.flush()) error = std::error_code(errno, std::generic_category());
  }
  if (error) std::cerr << "iomode: " << folder << ": " << error.message() << "\n";
  return !error;
}

int PrintTour(const TourFlags& flags) {
  const Revision* revision = RevisionOption(flags.kernel);
  if (revision == nullptr) return kExitBadInput;
  const Script universe = MakeUniverse(flags.graph.bounds);
  OpGraph graph(universe, *revision);
  const WalkedGraph walked = WalkWithProgress(graph, flags.graph);
  const Tour tour = MakeTour(graph, walked.report, flags.max_steps);
  std::cout << Summary(tour, *revision, flags.graph, walked);
  if (flags.out.empty()) {
    for (size_t i = 0; i < tour.scripts.size(); i++) std::cout << "\n" << Text(tour, i, *revision);
  } else if (!WriteFiles(tour, *revision, flags.out)) {
    return kExitBadInput;
  }
  return walked.report.complete ? kExitOk : kExitIncomplete;
}

}  // namespace

void AddTourCommand(CommandLine& line) {
  auto flags = std::make_shared<TourFlags>();
  Command command = line.AddCommand(
      "tour", "sequential scripts, few of them, that take every edge of the op-level graph");
  command.AddOption("--kernel", flags->kernel,
                    "revision (iomode revisions lists them); default: the newest");
  AddGraphOptions(command, flags->graph);
  command.AddOption("--steps", flags->max_steps, "steps of a script, at most").InRange(1, 100'000);
  command.AddOption("--out", flags->out, "write the scripts into this folder; else to stdout");
  command.Does([flags] { return PrintTour(*flags); });
}

}  // namespace iomode
