// SPDX-License-Identifier: GPL-2.0-only
//
// iomode run: prints a script with the model's results.

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/bounds.h"
#include "cli/commands.h"
#include "cli/kernel.h"
#include "cli/story.h"
#include "sim/verdict.h"

namespace iomode {
namespace {

struct RunFlags {
  std::string path;
  KernelFlags kernel;
  std::string format = "text";
  uint64_t max_states = RunnerOptions().max_states;
  uint64_t seed = 0;
  Watch::Limits limits;
  bool has_seed = false;
  bool state = false;
  StoryFlags story;
};

// The script's text, with the state lines behind each step.
void PrintWithStates(const Script& script, const RunReport& report, bool states) {
  for (const Line& line : script.lines) {
    if (line.kind != Line::Kind::kStep) {
      std::cout << PrintLine(script, line) << "\n";
      continue;
    }
    std::cout << PrintLine(script, line) << "\n";
    if (!states || line.index >= static_cast<int>(report.steps.size())) continue;
    const std::set<std::vector<std::string>>& alternatives = report.steps[line.index].state_lines;
    for (const std::vector<std::string>& lines : alternatives) {
      if (alternatives.size() > 1 && &lines != &*alternatives.begin()) std::cout << "#     or\n";
      for (const std::string& text : lines) std::cout << text << "\n";
    }
  }
}

int RunLitmusScript(const Script& script, const Kernel& kernel, const RunFlags& flags) {
  CommandWatch watch(flags.limits);
  const LitmusReport report = RunSettled([&] {
    return RunLitmus(script, *kernel.revision,
                     {.max_states = flags.max_states, .watch = watch.watch()});
  });
  watch.Clear();
  std::cout << PrintScript(script);
  for (const auto& [outcome, states] : report.outcomes)
    std::cout << "# " << states << " :> " << PrintOutcome(outcome) << "\n";
  for (const Finding& finding : DistinctFindings(report.findings))
    std::cout << "# finding " << PrintFinding(finding) << "\n";
  std::cout << "# " << PrintStats(report.stats) << "\n";
  PrintWhoseCode(kernel, "# ");
  return report.stats.complete ? kExitOk : kExitIncomplete;
}

int Run(const RunFlags& flags) {
  std::vector<Script> scripts;
  if (!ReadScripts({flags.path}, &scripts)) return kExitBadInput;
  if (scripts.size() != 1) {
    std::cerr << flags.path << ": is a folder, expected one script\n";
    return kExitBadInput;
  }
  Kernel kernel;
  if (const int exit = ChooseKernel(flags.kernel, &kernel); exit != kExitOk) return exit;
  Script& script = scripts.front();
  if (flags.story.asked()) {
    if (!kernel.source) return RunStory(script, flags.kernel.kernel, flags.story, flags.max_states);
    std::cerr << "iomode: stories are told of the model's revisions, without --world source\n";
    return kExitBadInput;
  }
  if (script.is_litmus()) return RunLitmusScript(script, kernel, flags);

  CommandWatch watch(flags.limits);
  RunnerOptions options;
  options.watch = watch.watch();
  options.max_states = flags.max_states;
  options.narrow = false;
  if (flags.has_seed) options.seed = flags.seed;
  const RunReport report =
      RunSettled([&] { return Runner(script, *kernel.revision, options).Run(); });
  watch.Clear();
  for (size_t i = 0; i < report.steps.size(); i++) SetResults(report.steps[i], script.steps[i]);
  if (flags.format == "json") {
    nlohmann::json json = {{"kernel", kernel.revision->name},
                           {"complete", report.stats.complete},
                           {"steps", nlohmann::json::array()},
                           {"findings", nlohmann::json::array()}};
    for (size_t i = 0; i < report.steps.size(); i++) {
      json["steps"].push_back({{"step", PrintStep(script, script.steps[i])},
                               {"results", PrintResults(script.steps[i])}});
    }
    for (const Finding& finding : DistinctFindings(report.findings))
      json["findings"].push_back(PrintFinding(finding));
    std::cout << json.dump(2) << "\n";
  } else {
    PrintWithStates(script, report, flags.state);
    for (const Finding& finding : DistinctFindings(report.findings)) {
      const int step = report.found_at.at(finding.kind);
      std::cout << "# finding";
      if (step) std::cout << " after step " << step;
      std::cout << ": " << PrintFinding(finding) << "\n";
    }
    if (!report.stats.complete) {
      std::cout << "# in step " << report.steps.size() << ": " << PrintStats(report.stats) << "\n";
    }
    PrintWhoseCode(kernel, "# ");
  }
  return report.stats.complete ? kExitOk : kExitIncomplete;
}

}  // namespace

void AddRunCommand(CommandLine& line) {
  auto flags = std::make_shared<RunFlags>();
  Command command = line.AddCommand("run", "print a script with the model's results");
  command.AddOption("FILE", flags->path, "a script").Required();
  AddKernelOptions(command, flags->kernel, "the newest");
  command.AddOption("--format", flags->format, "text or json").OneOf({"text", "json"});
  command.AddOption("--max-states", flags->max_states, "give up after so many states").Positive();
  AddLimits(command, flags->limits);
  const Argument seed = command.AddOption(
      "--seed", flags->seed, "one interleaving, picked by this number, instead of all");
  command.AddFlag("--state", flags->state, "print the kernel's state after every step");
  AddStoryOptions(command, flags->story);
  command.Does([flags, seed] {
    flags->has_seed = seed.given();
    return Run(*flags);
  });
}

}  // namespace iomode
