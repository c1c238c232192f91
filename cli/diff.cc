// SPDX-License-Identifier: GPL-2.0-only
//
// iomode diff: the shortest scripts that tell two revisions apart.

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/bounds.h"
#include "cli/commands.h"
#include "cli/kernel.h"
#include "sim/lock_step.h"
#include "sim/revision_diff.h"
#include "sim/script_comparison.h"

namespace iomode {
namespace {

struct DiffFlags {
  std::string left;
  std::string right;
  KernelFlags kernel;
  std::vector<std::string> paths;
  uint64_t max_states = 0;  // of a script, or pairs of them; 0: the default
  int schedules = -1;  // of each script, in lock step; -1: some, where a kernel's own code runs
  bool first = false;
  bool quiet = false;
  std::string format = "text";
  DiffOptions options;
  Watch::Limits limits;
};

constexpr uint64_t kMaxScriptStates = 20'000'000;
constexpr int kSchedules = 20;

void PrintDifference(const DiffFlags& flags, const Difference& difference) {
  const char* const no_rule =
      NamesSource(flags.left) || NamesSource(flags.right) ? "other code" : "several rules together";
  std::cout << (difference.rules.empty() ? no_rule : difference.rules);
  for (const Rule& rule : RuleTable()) {
    if (difference.rules == rule.name)
      std::cout << "  (" << rule.commit << ": " << rule.meaning << ")";
  }
  std::cout << "\n";
  const std::string text = PrintScript(difference.left);
  std::cout << text.substr(0, text.find("\n1: ") + 1);
  for (size_t i = 0; i < difference.left.steps.size(); i++) {
    const Step& left = difference.left.steps[i];
    const Step& right = difference.right.steps[i];
    const std::string step = PrintStep(difference.left, left);
    if (left.result == right.result && PrintResults(left) == PrintResults(right)) {
      std::cout << step << PrintResults(left) << "\n";
      continue;
    }
    std::cout << step << "\n";
    std::cout << absl::StreamFormat("#     %-25s %s\n", flags.left, PrintResults(left));
    std::cout << absl::StreamFormat("#     %-25s %s\n", flags.right, PrintResults(right));
  }
  for (const std::string& finding : difference.left_findings)
    std::cout << "# " << flags.left << " finds " << finding << "\n";
  for (const std::string& finding : difference.right_findings) {
    std::cout << "# " << flags.right << " finds " << finding << "\n";
  }
  for (const std::string& state : difference.left_states)
    std::cout << "# " << flags.left << " alone ends in\n" << state << "\n";
  for (const std::string& state : difference.right_states)
    std::cout << "# " << flags.right << " alone ends in\n" << state << "\n";
  std::cout << "\n";
}

nlohmann::json ToJson(const Difference& difference) {
  return {{"rules", difference.rules},
          {"left", PrintScript(difference.left)},
          {"right", PrintScript(difference.right)},
          {"left_findings", difference.left_findings},
          {"right_findings", difference.right_findings},
          {"left_states", difference.left_states},
          {"right_states", difference.right_states}};
}

// How far the two were compared, one line for each set of capabilities.
void PrintWalks(const DiffReport& report, const DiffFlags& flags) {
  for (const DiffWalk& walk : report.walks) {
    std::cout << absl::StreamFormat(
        "  %s: %s; %d pairs, %d operations; %s %d states, %s %d\n", walk.universe,
        walk.all ? "scripts of any length"
                 : absl::StrFormat("scripts of up to %d operations", walk.steps),
        walk.pairs, walk.edges, flags.left, walk.left_states, flags.right, walk.right_states);
  }
}

nlohmann::json ToJson(const DiffWalk& walk) {
  return {{"universe", walk.universe},
          {"pairs", walk.pairs},
          {"edges", walk.edges},
          {"left_states", walk.left_states},
          {"right_states", walk.right_states},
          {"steps", walk.steps},
          {"all", walk.all}};
}

// What comparing scripts came to.
struct ScriptTotals {
  int compared = 0;
  int differ = 0;
  int incomplete = 0;
  ScriptComparison sets;
  LockStepReport lock_step;

  void Add(const ScriptComparison& one, const LockStepReport& stepped) {
    compared++;
    differ += !one.differences.empty() || !stepped.difference.empty();
    incomplete += !one.complete;
    sets.outcomes += one.outcomes;
    sets.rest_states += one.rest_states;
    sets.left_states += one.left_states;
    sets.right_states += one.right_states;
    lock_step.schedules += stepped.schedules;
    lock_step.states += stepped.states;
    lock_step.alone += stepped.alone;
  }
  int same() const { return compared - differ - incomplete; }
};

void PrintTotals(const ScriptTotals& all, const std::string& left, const std::string& right) {
  std::cout << absl::StreamFormat(
      "%d scripts: %d same, %d differ, %d incomplete\n"
      "as sets: %d outcomes and %d states after steps compared; explored: %s %d states, %s %d\n",
      all.compared, all.same(), all.differ, all.incomplete, all.sets.outcomes, all.sets.rest_states,
      left, all.sets.left_states, right, all.sets.right_states);
  if (all.lock_step.schedules) {
    std::cout << absl::StreamFormat(
        "in lock step: %d schedules, %d states compared; %d transitions of one side alone\n",
        all.lock_step.schedules, all.lock_step.states, all.lock_step.alone);
  }
}

nlohmann::json ToJson(const ScriptTotals& all, const std::string& left, const std::string& right) {
  return {{"left", left},
          {"right", right},
          {"scripts", all.compared},
          {"same", all.same()},
          {"differ", all.differ},
          {"incomplete", all.incomplete},
          {"outcomes", all.sets.outcomes},
          {"rest_states", all.sets.rest_states},
          {"left_states", all.sets.left_states},
          {"right_states", all.sets.right_states},
          {"schedules", all.lock_step.schedules},
          {"lock_step_states", all.lock_step.states}};
}

// The scripts of flags.paths at both sides.
int DiffScripts(const DiffFlags& flags, const Revision& left, const Revision& right) {
  std::vector<Script> scripts;
  if (!ReadScripts(flags.paths, &scripts)) return kExitBadInput;
  const uint64_t max_states = flags.max_states ? flags.max_states : kMaxScriptStates;
  const bool own_code = NamesSource(flags.left) || NamesSource(flags.right);
  const int schedules = flags.schedules >= 0 ? flags.schedules : own_code ? kSchedules : 0;
  ScriptTotals all;
  std::vector<std::string> differences;
  CommandWatch watch(flags.limits);
  for (const Script& script : scripts) {
    if (watch.watch()->Stop({}) || (flags.first && all.differ)) break;
    watch.Begin(absl::StrCat(all.compared + 1, "/", scripts.size(), " ", script.name));
    LockStepReport stepped;
    const ScriptComparison one = RunSettled([&] {
      stepped = {};
      if (schedules) stepped = LockStep(script, left, right).Run(1, schedules);
      return CompareScript(script, left, right, max_states, watch.watch());
    });
    watch.Clear();
    all.Add(one, stepped);
    std::vector<std::string> lines = one.differences;
    lines.insert(lines.end(), stepped.difference.begin(), stepped.difference.end());
    if (!one.complete) lines.push_back(script.name + ": incomplete, not compared as sets");
    if (flags.format == "json") {
      differences.insert(differences.end(), lines.begin(), lines.end());
      continue;
    }
    for (const std::string& line : lines) std::cout << line << "\n";
    if (lines.empty() && !flags.quiet) std::cout << "same  " << script.name << "\n";
  }
  const bool stopped = watch.watch()->stopped();
  if (flags.format == "json") {
    nlohmann::json json = ToJson(all, left.name, right.name);
    json["complete"] = !stopped && all.incomplete == 0;
    json["differences"] = differences;
    std::cout << json.dump(2) << "\n";
  } else {
    PrintTotals(all, left.name, right.name);
    if (stopped) std::cout << "incomplete: " << watch.watch()->reason() << "\n";
  }
  if (all.differ) return kExitFails;
  return all.incomplete || stopped ? kExitIncomplete : kExitOk;
}

// The shortest scripts that tell the sides apart.
int SearchDifferences(DiffFlags& flags, const Revision& left, const Revision& right) {
  flags.options.max_states = flags.max_states;
  flags.options.other_code = NamesSource(flags.left) || NamesSource(flags.right);
  std::string stopped;
  const DiffReport report = RunSettled([&] {
    CommandWatch watch(flags.limits);
    flags.options.watch = watch.watch();
    DiffReport walked = DiffRevisions(left, right, flags.options);
    stopped = watch.watch()->reason();
    return walked;
  });
  const std::string pairs =
      report.max_states == UINT64_MAX
          ? ""
          : absl::StrFormat(", %d pairs of states a connection", report.max_states);
  const std::string bounds = absl::StrFormat(
      "%d files, %d backings, %d held writes a file, %d steps%s; %d pairs, %d operations "
      "compared",
      flags.options.files, flags.options.backings, flags.options.writes, flags.options.max_steps,
      pairs, report.states, report.edges);
  // The default bound is one of those that the answer names; one that was asked for ended the
  // search.
  const bool within_bounds = report.complete || (stopped.empty() && !flags.max_states);
  if (flags.format == "json") {
    nlohmann::json json = {{"left", left.name},
                           {"right", right.name},
                           {"complete", report.complete},
                           {"states", report.states},
                           {"edges", report.edges},
                           {"unseen_rules", report.unseen},
                           {"walks", nlohmann::json::array()},
                           {"differences", nlohmann::json::array()}};
    for (const DiffWalk& walk : report.walks) json["walks"].push_back(ToJson(walk));
    for (const Difference& difference : report.differences)
      json["differences"].push_back(ToJson(difference));
    std::cout << json.dump(2) << "\n";
  } else {
    for (const Difference& difference : report.differences) PrintDifference(flags, difference);
    if (report.differences.empty()) {
      std::cout << "no difference within " << bounds << "\n";
      PrintWalks(report, flags);
    } else {
      std::cout << report.differences.size() << " differences within " << bounds << "\n";
    }
    for (const std::string& rule : report.unseen)
      std::cout << "no script within the bounds shows rule " << rule << "\n";
    if (!within_bounds)
      std::cout << "incomplete: " << (stopped.empty() ? "bound of pairs" : stopped) << "\n";
  }
  if (!stopped.empty()) return kExitIncomplete;
  if (!report.differences.empty()) return kExitFails;
  return within_bounds ? kExitOk : kExitIncomplete;
}

int Diff(DiffFlags& flags) {
  Kernel left;
  Kernel right;
  int exit = ChooseSide(0, flags.left, flags.kernel,
                        NamesSource(flags.right) ? nullptr : FindRevision(flags.right), &left);
  if (exit == kExitOk) {
    exit = ChooseSide(1, flags.right, flags.kernel, left.source ? left.source->base : left.revision,
                      &right);
  }
  if (exit != kExitOk) return exit;
  exit = flags.paths.empty() ? SearchDifferences(flags, *left.revision, *right.revision)
                             : DiffScripts(flags, *left.revision, *right.revision);
  if (flags.format != "json") {
    PrintWhoseCode(left, "");
    PrintWhoseCode(right, "");
  }
  return exit;
}

}  // namespace

void AddDiffCommand(CommandLine& line) {
  auto flags = std::make_shared<DiffFlags>();
  Command command =
      line.AddCommand("diff", "shortest scripts whose results differ between two revisions");
  command
      .AddOption("REV1", flags->left, "a revision; or source, or source:DIR, a kernel's own code")
      .Required();
  command.AddOption("REV2", flags->right, "another").Required();
  command.AddOption("FILE", flags->paths,
                    "compare outcomes, findings and states of these scripts instead, and of all "
                    "below these folders");
  command.AddOption("--kernel", flags->kernel.kernel,
                    "the model around a kernel's own code; default: its version's");
  AddSourceOptions(command, flags->kernel);
  command.AddFlag("--quiet", flags->quiet, "of FILE, print only what differs, and the summary");
  command
      .AddOption("--schedules", flags->schedules,
                 "of each FILE, run so many schedules in lock step and compare all of the "
                 "state after each transition; default: 20 where a kernel's own code runs")
      .InRange(0, 1'000'000);
  command.AddFlag("--first", flags->first, "stop at the first FILE that differs");
  command.AddOption("--files", flags->options.files, "files open at a time").InRange(1, 4);
  command.AddOption("--backings", flags->options.backings, "backing files").InRange(0, 3);
  command.AddOption("--writes", flags->options.writes, "held direct writes for each file")
      .InRange(0, 3);
  command.AddOption("--steps", flags->options.max_steps, "longest script").InRange(1, 12);
  command
      .AddOption("--max-states", flags->max_states,
                 "pairs of states for each set of capabilities; of FILE, states of a script")
      .InRange(1, 1'000'000'000);
  AddLimits(command, flags->limits);
  command.AddOption("--format", flags->format, "text or json").OneOf({"text", "json"});
  command.Does([flags] { return Diff(*flags); });
}

}  // namespace iomode
