// SPDX-License-Identifier: GPL-2.0-only
//
// iomode explore: the op-level state graph within bounds.

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/bounds.h"
#include "cli/commands.h"
#include "cli/kernel.h"
#include "sim/graph_walk.h"

namespace iomode {
namespace {

struct ExploreFlags {
  KernelFlags kernel;
  GraphBounds bounds;
  int max_states = 200'000;
  Watch::Limits limits = {.memory = 0, .seconds = 600};
  bool dot = false;
  bool json = false;
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

std::string EdgeLabel(const Script& universe, const OpGraph::Edge& edge) {
  Script step = PathScript(universe, {{edge.op, {edge.outcome.own, {}}}});
  const std::string text = PrintStep(step, step.steps[0]);
  std::string label =
      absl::StrCat(text.substr(text.find(' ') + 1), " -> ", PrintResult(edge.outcome.own));
  for (const auto& [number, result] : edge.outcome.completions) {
    const Step& done = universe.steps[number - 1];
    const std::string what = PrintStep(universe, done);
    absl::StrAppend(&label, "; ", what.substr(what.find(' ') + 1), " -> ", PrintResult(result));
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
                                      EdgeLabel(graph.universe(), edge));
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
          {{"from", state}, {"to", edge.to}, {"step", EdgeLabel(graph.universe(), edge)}});
    }
  }
  for (const auto& [kind, path] : report.findings)
    json["findings"][FindingName(kind)] = PrintScript(PathScript(graph.universe(), path));
  std::cout << json.dump(1) << "\n";
}

int Explore(const ExploreFlags& flags) {
  Kernel kernel;
  if (const int exit = ChooseKernel(flags.kernel, &kernel); exit != kExitOk) return exit;
  const Script universe = MakeUniverse(flags.bounds);
  std::unique_ptr<OpGraph> graph;
  std::string stopped;
  const GraphReport report = RunSettled([&] {
    graph = std::make_unique<OpGraph>(universe, *kernel.revision);
    CommandWatch command(flags.limits);
    Watch& watch = *command.watch();
    GraphReport walked = WalkGraph(*graph, flags.max_states, [&watch](int expanded, int known) {
      return watch.Stop(
          {static_cast<uint64_t>(expanded), static_cast<uint64_t>(known - expanded), 0});
    });
    stopped =
        watch.stopped() ? watch.reason() : absl::StrCat("bound of ", flags.max_states, " states");
    return walked;
  });
  if (flags.dot) {
    PrintDot(*graph, report);
  } else if (flags.json) {
    PrintJson(*graph, *kernel.revision, report);
  } else {
    std::cout << absl::StreamFormat(
        "%s: %s%d states, %d edges; %d inodes, %d files, %d backings, %d held writes a file, %d "
        "maps\n",
        kernel.revision->name,
        report.complete ? "all " : absl::StrCat("incomplete: ", stopped, "; "), report.states,
        report.edges, flags.bounds.inodes, flags.bounds.files, flags.bounds.backings,
        flags.bounds.writes, flags.bounds.maps);
    for (const auto& [kind, path] : report.findings) {
      std::cout << "\nfinding " << FindingName(kind) << ", shortest script:\n"
                << PrintScript(PathScript(universe, path));
    }
    if (report.findings.empty()) std::cout << "no findings\n";
    PrintWhoseCode(kernel, "");
  }
  if (!report.complete) return kExitIncomplete;
  return report.findings.empty() ? kExitOk : kExitFails;
}

}  // namespace

void AddExploreCommand(CLI::App& app, Action& action) {
  auto flags = std::make_shared<ExploreFlags>();
  CLI::App* command = app.add_subcommand("explore", "the whole op-level state graph within bounds");
  AddKernelOptions(*command, flags->kernel, "the newest");
  command->add_option("--inodes", flags->bounds.inodes, "inodes")->check(CLI::Range(1, 4));
  command->add_option("--files", flags->bounds.files, "files open at a time")
      ->check(CLI::Range(1, 6));
  command->add_option("--backings", flags->bounds.backings, "backing files")
      ->check(CLI::Range(0, 4));
  command->add_option("--writes", flags->bounds.writes, "held direct writes for each file")
      ->check(CLI::Range(0, 4));
  command->add_option("--maps", flags->bounds.maps, "files that can be mapped shared")
      ->check(CLI::Range(0, 6));
  command->add_flag("--page-cache", flags->bounds.page_cache,
                    "also reads, aio, fsync, stat and writes past the end");
  command->add_option("--max-states", flags->max_states, "give up after so many states");
  AddLimits(command, flags->limits);
  command->add_option("--seconds", flags->limits.seconds, "the same as --max-time");
  CLI::Option* dot = command->add_flag("--dot", flags->dot, "print the graph for Graphviz");
  command->add_flag("--json", flags->json, "print the graph as JSON")->excludes(dot);
  command->callback([flags, &action] { action = [flags] { return Explore(*flags); }; });
}

}  // namespace iomode
