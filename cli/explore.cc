// SPDX-License-Identifier: GPL-2.0-only
//
// iomode explore: the op-level state graph within bounds.

#include <algorithm>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/commands.h"
#include "cli/explore_page.h"
#include "cli/graph_options.h"
#include "cli/kernel.h"
#include "sim/graph_walk.h"

namespace iomode {
namespace {

struct ExploreFlags {
  std::vector<std::string> kernels;
  KernelFlags kernel;  // without --kernel
  GraphOptions graph;
  bool dot = false;
  bool json = false;
  std::string html;
};

std::string StateLabel(OpGraph& graph, int state) {
  Machine& machine = graph.Load(state);
  std::string label;
  for (int i = 0; i < machine.inode_count(); i++) {
    absl::StrAppend(&label, i ? "\\n" : "", machine.script().inodes[i], ": ",
                    machine.InodeState(i));
  }
  return label;
}

void PrintDot(OpGraph& graph, const GraphReport& report) {
  std::cout << "digraph iomode {\n  node [shape=box fontname=monospace fontsize=9];\n  edge "
               "[fontname=monospace fontsize=8];\n";
  for (int state = 0; state < report.states; state++) {
    std::cout << absl::StreamFormat("  s%d [label=\"%d\\n%s\"];\n", state, state,
                                    StateLabel(graph, state));
    for (const OpGraph::Edge& edge : graph.Expand(state)) {
      std::cout << absl::StreamFormat("  s%d -> s%d [label=\"%s\"];\n", state, edge.to,
                                      PrintEdge(graph.universe(), edge));
    }
  }
  std::cout << "}\n";
}

void PrintJson(OpGraph& graph, const Revision& revision, const GraphReport& report) {
  nlohmann::json json = {{"kernel", revision.name},
                         {"complete", report.complete},
                         {"states", nlohmann::json::array()},
                         {"edges", nlohmann::json::array()},
                         {"findings", nlohmann::json::object()}};
  for (int state = 0; state < report.states; state++) {
    json["states"].push_back(StateLabel(graph, state));
    for (const OpGraph::Edge& edge : graph.Expand(state)) {
      json["edges"].push_back(
          {{"from", state}, {"to", edge.to}, {"step", PrintEdge(graph.universe(), edge)}});
    }
  }
  for (const auto& [kind, path] : report.findings)
    json["findings"][FindingName(kind)] = PrintScript(PathScript(graph.universe(), path));
  std::cout << json.dump(1) << "\n";
}

// Those named; none means the newest, or for a page all.
bool ChosenRevisions(const ExploreFlags& flags, std::vector<const Revision*>* chosen) {
  if (flags.kernels.empty() && !flags.html.empty()) {
    for (const Revision& revision : Revisions()) {
      if (!revision.proposal) chosen->push_back(&revision);
    }
    return true;
  }
  for (const std::string& name : flags.kernels) chosen->push_back(RevisionOption(name));
  if (flags.kernels.empty()) chosen->push_back(&NewestRevision());
  return std::find(chosen->begin(), chosen->end(), nullptr) == chosen->end();
}

std::string Counts(const WalkedGraph& walked, const GraphBounds& bounds) {
  return absl::StrFormat("%s%d states, %d edges; %s", PrintCompleteness(walked),
                         walked.report.states, walked.report.edges, PrintBounds(bounds));
}

int ExitCodeOf(const GraphReport& report) {
  if (!report.complete) return kExitIncomplete;
  return report.findings.empty() ? kExitOk : kExitFails;
}

int WritePage(const ExploreFlags& flags, const std::vector<const Revision*>& revisions) {
  const Script universe = MakeUniverse(flags.graph.bounds);
  std::vector<PageRevision> shown;
  int code = kExitOk;
  for (const Revision* revision : revisions) {
    OpGraph graph(universe, *revision);
    const WalkedGraph walked = WalkWithProgress(graph, flags.graph);
    const GraphReport& report = walked.report;
    const std::string counts = Counts(walked, flags.graph.bounds);
    std::cout << revision->name << ": " << counts << "\n";
    shown.push_back({revision->name, revision->title, counts, MakeKernelGraph(graph, report)});
    code = std::max(code, ExitCodeOf(report));
  }
  const absl::StatusOr<std::string> page = ExplorePage(shown);
  if (!page.ok()) {
    std::cerr << "iomode: " << page.status().message() << "\n";
    return kExitBadInput;
  }
  std::ofstream file(flags.html);
  if (!(file << *page).flush()) {
    std::cerr << "iomode: " << flags.html << ": cannot be written\n";
    return kExitBadInput;
  }
  return code;
}

// The one kernel of an exploration that is printed.
int ChooseOne(const ExploreFlags& flags, Kernel* kernel) {
  if (flags.kernels.size() > 1) {
    std::cerr << "iomode: several revisions go into one page only, see --html\n";
    return kExitBadInput;
  }
  KernelFlags one = flags.kernel;
  if (!flags.kernels.empty()) one.kernel = flags.kernels[0];
  return ChooseKernel(one, kernel);
}

int Page(const ExploreFlags& flags) {
  if (flags.kernel.world != "model") {
    std::cerr << "iomode: a page shows revisions of the model only, without --world\n";
    return kExitBadInput;
  }
  std::vector<const Revision*> revisions;
  return ChosenRevisions(flags, &revisions) ? WritePage(flags, revisions) : kExitBadInput;
}

int Explore(const ExploreFlags& flags) {
  if (!flags.html.empty()) return Page(flags);
  Kernel kernel;
  if (const int exit = ChooseOne(flags, &kernel); exit != kExitOk) return exit;
  const Script universe = MakeUniverse(flags.graph.bounds);
  std::unique_ptr<OpGraph> graph;
  const WalkedGraph walked = RunSettled([&] {
    graph = std::make_unique<OpGraph>(universe, *kernel.revision);
    return WalkWithProgress(*graph, flags.graph);
  });
  const GraphReport& report = walked.report;
  if (flags.dot) {
    PrintDot(*graph, report);
  } else if (flags.json) {
    PrintJson(*graph, *kernel.revision, report);
  } else {
    std::cout << kernel.revision->name << ": " << Counts(walked, flags.graph.bounds) << "\n";
    for (const auto& [kind, path] : report.findings) {
      std::cout << "\nfinding " << FindingName(kind) << ", shortest script:\n"
                << PrintScript(PathScript(universe, path));
    }
    if (report.findings.empty()) std::cout << "no findings\n";
    PrintWhoseCode(kernel, "");
  }
  return ExitCodeOf(report);
}

}  // namespace

void AddExploreCommand(CommandLine& line) {
  auto flags = std::make_shared<ExploreFlags>();
  Command command = line.AddCommand("explore", "the whole op-level state graph within bounds");
  command
      .AddOption("--kernel", flags->kernels,
                 "revision (iomode revisions lists them); with --html also several, joined by "
                 "commas; default: the newest, with --html all")
      .Delimiter(',')
      .OneValueATime();
  AddWorldOptions(command, flags->kernel);
  AddGraphOptions(command, flags->graph);
  const Argument dot = command.AddFlag("--dot", flags->dot, "print the graph for Graphviz");
  command.AddFlag("--json", flags->json, "print the graph as JSON").Excludes(dot);
  command.AddOption("--html", flags->html, "write a page to look at into this file");
  command.Does([flags] { return Explore(*flags); });
}

}  // namespace iomode
