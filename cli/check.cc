// SPDX-License-Identifier: GPL-2.0-only
//
// iomode check: holds scripts against the model.

#include <chrono>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "cli/bounds.h"
#include "cli/commands.h"
#include "cli/junit.h"
#include "cli/kernel.h"
#include "cli/sampling.h"
#include "cli/sharding.h"
#include "cli/story.h"
#include "sim/verdict.h"

namespace iomode {
namespace {

struct CheckFlags {
  std::vector<std::string> paths;
  KernelFlags kernel;
  std::string format = "text";
  std::string junit;
  uint64_t max_states = CheckOptions().max_states;
  Watch::Limits limits;
  SamplingFlags sampling;
  bool self_check = false;
  std::string shard;
  bool no_reduction = false;
  bool no_learning = false;
  bool no_stories = false;
  bool quiet = false;
};

const char* StatusName(Verdict::Status status) {
  switch (status) {
    case Verdict::Status::kHolds:
      return "ok";
    case Verdict::Status::kFails:
      return "FAIL";
    case Verdict::Status::kIncomplete:
      return "incomplete";
  }
  return "?";
}

const char* TruthName(Truth truth) {
  switch (truth) {
    case Truth::kFails:
      return "FAILS  ";
    case Truth::kHolds:
      return "holds  ";
    case Truth::kOpen:
      return "open   ";
  }
  return "?";
}

// null: open.
nlohmann::json JsonTruth(Truth truth) {
  if (truth == Truth::kOpen) return nullptr;
  return truth == Truth::kHolds;
}

void PrintLitmus(const Script& script, const Verdict& verdict) {
  for (const auto& [outcome, states] : verdict.litmus.outcomes) {
    std::cout << "    " << states << " :> " << PrintOutcome(outcome) << "\n";
  }
  for (size_t i = 0; i < verdict.litmus.conditions.size(); i++) {
    std::cout << "    " << TruthName(verdict.litmus.conditions[i])
              << PrintCondition(script.conditions[i]) << "\n";
  }
  std::cout << "    " << PrintStats(verdict.stats) << "\n";
}

void PrintText(const Script& script, const Revision& revision, const Verdict& verdict,
               const SamplingFlags& sampling, const std::vector<StoryPointer>& stories) {
  std::cout << StatusName(verdict.status) << "  " << script.name << "\n";
  for (const std::string& problem : verdict.problems) std::cout << "  " << problem << "\n";
  for (const StoryPointer& story : stories) {
    std::cout << "  story of " << story.what << ": " << story.hint << "\n";
    if (!story.command.empty()) std::cout << "    " << story.command << "\n";
  }
  for (const std::string& note : verdict.notes) std::cout << "  " << note << "\n";
  if (verdict.sampled) {
    PrintSample(script, revision, verdict, sampling, std::cout);
  } else if (script.is_litmus()) {
    PrintLitmus(script, verdict);
  }
}

nlohmann::json ToJson(const Script& script, const Verdict& verdict,
                      const std::vector<StoryPointer>& stories) {
  nlohmann::json json = {{"script", script.name},
                         {"status", StatusName(verdict.status)},
                         {"states", verdict.stats.states},
                         {"transitions", verdict.stats.transitions},
                         {"complete", verdict.stats.complete},
                         {"stopped", verdict.stats.stopped},
                         {"replays", verdict.replays},
                         {"problems", verdict.problems},
                         {"findings", nlohmann::json::array()}};
  for (const Finding& f : verdict.findings) {
    json["findings"].push_back({{"kind", FindingName(f.kind)},
                                {"rule", f.rule},
                                {"object", f.object},
                                {"task", f.task},
                                {"function", f.function}});
  }
  for (const StoryPointer& story : stories) {
    json["stories"].push_back(
        {{"of", story.what}, {"hint", story.hint}, {"command", story.command}});
  }
  if (verdict.run.failed_step) json["failed_step"] = verdict.run.failed_step;
  for (const auto& [outcome, states] : verdict.litmus.outcomes) {
    json["outcomes"].push_back({{"outcome", PrintOutcome(outcome)}, {"states", states}});
  }
  for (size_t i = 0; i < verdict.litmus.conditions.size(); i++) {
    json["conditions"].push_back({{"condition", PrintCondition(script.conditions[i])},
                                  {"holds", JsonTruth(verdict.litmus.conditions[i])}});
  }
  for (const Expectation& expectation : script.expectations)
    json["expected"].push_back(expectation.finding);
  return json;
}

// Who judges a script: what --kernel names; else the revision of its path, or `kernel`. nullptr:
// nobody, as the kernel whose code runs is another one than the path's.
const Revision* JudgeOf(const Script& script, const CheckFlags& flags, const Kernel& kernel) {
  const Revision& of_path = RevisionFor(script.name, *kernel.revision);
  if (&of_path == kernel.revision || !flags.kernel.kernel.empty()) return kernel.revision;
  if (!kernel.source) return &of_path;
  return &of_path == kernel.source->base ? kernel.revision : nullptr;
}

int Check(const CheckFlags& flags) {
  const absl::StatusOr<Shard> shard = ChooseShard(flags.shard);
  if (!shard.ok()) {
    std::cerr << "--shard: " << shard.status().message() << "\n";
    return kExitBadInput;
  }
  if (!shard->IsWhole() && flags.sampling.ToOptions().has_value()) {
    std::cerr << "--shard divides an exploration; divide samples by --seed and --runs\n";
    return kExitBadInput;
  }
  std::vector<Script> scripts;
  if (!ReadScripts(flags.paths, &scripts)) return kExitBadInput;
  Kernel kernel;
  if (const int exit = ChooseKernel(flags.kernel, &kernel); exit != kExitOk) return exit;
  int count[3] = {};
  nlohmann::json left_out = nlohmann::json::array();
  nlohmann::json elsewhere = nlohmann::json::array();  // what other parts do
  bool mixed = false;
  uint64_t replays = 0;
  nlohmann::json all = nlohmann::json::array();
  JunitReport junit("iomode check");
  CommandWatch watch(flags.limits);
  size_t checked = 0;
  for (const Script& script : scripts) {
    if (watch.watch()->Stop({})) break;
    watch.Begin(absl::StrCat(++checked, "/", scripts.size(), " ", script.name));
    const auto begin = std::chrono::steady_clock::now();
    const Revision* judge = JudgeOf(script, flags, kernel);
    if (judge == nullptr) {
      left_out.push_back(script.name);
      continue;
    }
    mixed |= judge != kernel.revision;
    const Verdict verdict = RunSettled([&] {
      return CheckScript(script, *judge,
                         {.max_states = flags.max_states,
                          .reduce = !flags.no_reduction,
                          .learn = !flags.no_learning,
                          .watch = watch.watch(),
                          .sample = flags.sampling.ToOptions(),
                          .self_check = flags.self_check,
                          .shard = *shard,
                          .owner = shard->Owns(checked - 1)});
    });
    watch.Clear();
    if (verdict.elsewhere) {
      elsewhere.push_back(script.name);
      continue;
    }
    // A story is told, and told again from its token, of revisions.
    const std::vector<StoryPointer> stories = kernel.source || flags.no_stories
                                                  ? std::vector<StoryPointer>()
                                                  : PointToStories(script, *judge, verdict);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    count[static_cast<int>(verdict.status)]++;
    replays += verdict.replays;
    junit.Add(script.name, seconds.count(), verdict.problems);
    if (flags.format == "json") {
      all.push_back(ToJson(script, verdict, stories));
      if (verdict.sampled)
        all.back()["sample"] = SampleToJson(script, *judge, verdict, flags.sampling);
    } else if (!flags.quiet || verdict.status != Verdict::Status::kHolds) {
      PrintText(script, *judge, verdict, flags.sampling, stories);
    }
  }
  const std::string not_checked = absl::StrCat("not checked: ", watch.watch()->reason());
  for (size_t i = checked; i < scripts.size(); i++) junit.Add(scripts[i].name, 0, {not_checked});
  if (flags.format == "json") {
    nlohmann::json json = {{"kernel", kernel.revision->name},
                           {"complete", checked == scripts.size() && count[2] == 0},
                           {"scripts", all}};
    if (!left_out.empty()) json["left_out"] = left_out;
    if (!shard->IsWhole()) {
      json["shard"] = {{"number", shard->number}, {"count", shard->count}};
      json["elsewhere"] = elsewhere;
    }
    std::cout << json.dump(2) << "\n";
  } else {
    if (!shard->IsWhole()) std::cout << "part " << PrintShard(*shard) << ": ";
    std::cout << scripts.size() - left_out.size() - elsewhere.size() << " scripts at "
              << kernel.revision->name << (mixed ? " (recordings at their kernel's revision)" : "")
              << ": " << count[0] << " hold, " << count[1] << " fail";
    if (count[2]) std::cout << ", " << count[2] << " incomplete";
    if (checked < scripts.size())
      std::cout << ", " << scripts.size() - checked << " " << not_checked;
    if (flags.self_check) std::cout << "; " << replays << " schedules replayed";
    std::cout << "\n";
    if (!left_out.empty())
      std::cout << left_out.size() << " scripts left out, for other revisions than "
                << kernel.source->base->name << "\n";
    PrintWhoseCode(kernel, "");
  }
  if (!flags.junit.empty() && !junit.Write(flags.junit)) {
    std::cerr << flags.junit << ": cannot be written\n";
    return kExitBadInput;
  }
  if (count[1]) return kExitFails;
  return count[2] || checked < scripts.size() ? kExitIncomplete : kExitOk;
}

}  // namespace

void AddCheckCommand(CommandLine& line) {
  auto flags = std::make_shared<CheckFlags>();
  Command command =
      line.AddCommand("check", "hold scripts' results and conditions against the model");
  command.AddOption("FILE", flags->paths, "scripts, or folders of them").Required();
  AddKernelOptions(command, flags->kernel,
                   "the one that a folder in the script's path names (v6.12, linux-6.18), else the "
                   "newest");
  command.AddOption("--format", flags->format, "text or json").OneOf({"text", "json"});
  command.AddOption("--junit", flags->junit, "also write the verdicts to this file as JUnit XML");
  command.AddOption("--max-states", flags->max_states, "give up on a script after so many states")
      .Positive();
  AddLimits(command, flags->limits);
  AddSampling(command, flags->sampling);
  AddShard(command, flags->shard);
  command.AddFlag("--self-check", flags->self_check,
                  "replay schedules, each of which has to do the same again");
  command.AddFlag("--no-reduction", flags->no_reduction,
                  "explore interleavings that show nothing new, too");
  command.AddFlag("--no-learning", flags->no_learning,
                  "run each transition, those that were met before, too");
  command.AddFlag("--no-stories", flags->no_stories,
                  "do not look for the shortest run into each finding and failure, which may take "
                  "longer than the verdict");
  command.AddFlag("--quiet", flags->quiet, "print only what does not hold, and the summary");
  command.Does([flags] { return Check(*flags); });
}

}  // namespace iomode
