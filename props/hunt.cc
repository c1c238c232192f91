// SPDX-License-Identifier: GPL-2.0-only
//
// Hunts for findings in programs that nobody chose: systematic ones (scenes.h: every two or three
// calls at once) and random ones (random_script.h), at every revision. docs/findings.md says what
// was found.
//
//   bazel run //props:hunt -- --programs=scenes --calls=3
//   bazel run //props:hunt -- --programs=litmus --seconds=600 --seed=1
//   bazel run //props:hunt -- --programs=sequences --kernel=v7.3
//
// Findings of the same kind, rule, kernel function and operation of the task are one; for each is
// printed where it was found, how often, and the smallest script that shows it, with steps left out
// that it does not need. With --out=DIR each of these scripts becomes a file.
//
// Ctrl-C ends the hunt; what was found by then is printed. Exit code 0; 2 on bad flags.

#include <regex.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "props/random_script.h"
#include "props/scenes.h"
#include "sim/litmus.h"
#include "sim/runner.h"
#include "sim/script_parser.h"

ABSL_FLAG(std::string, programs, "scenes", "scenes, litmus or sequences");
ABSL_FLAG(std::string, kernel, "all", "a revision, or all");
ABSL_FLAG(int, calls, 2, "scenes: how many calls at once");
ABSL_FLAG(int, threads, 3, "litmus: threads, at most");
ABSL_FLAG(int, steps, 2, "litmus: steps a thread, at most");
ABSL_FLAG(int, genes, 16, "sequences: steps, about");
ABSL_FLAG(uint64_t, seed, 1, "litmus, sequences: the first seed");
ABSL_FLAG(double, seconds, 300, "give up after so long");
ABSL_FLAG(uint64_t, max_states, 100'000, "give up on a program after so many states");
ABSL_FLAG(std::string, out, "", "folder for the scripts");

namespace iomode {
namespace {

volatile std::sig_atomic_t interrupted = 0;

// What makes findings one.
struct Signature {
  FindingKind kind;
  std::string rule;
  std::string function;
  std::string op;  // of the task: "open"

  friend auto operator<=>(const Signature&, const Signature&) = default;
};

// The rule without the steps that it names.
std::string RuleOf(const Finding& finding) {
  static const regex_t step = [] {
    regex_t pattern;
    regcomp(&pattern, R"((step [0-9]+|P[0-9]+\.[0-9]+) \([^)]*\))", REG_EXTENDED);
    return pattern;
  }();
  std::string rule;
  const char* rest = finding.rule.c_str();
  for (regmatch_t found; regexec(&step, rest, 1, &found, 0) == 0; rest += found.rm_eo)
    rule.append(rest, found.rm_so).append("a step");
  return rule + rest;
}

// "open" of "step 4 (open c A KEEP_CACHE)".
std::string OpOf(const std::string& task) {
  const size_t open = task.find('(');
  if (open == std::string::npos) return task;
  const size_t end = task.find_first_of(" )", open);
  return task.substr(open + 1, end - open - 1);
}

std::set<Signature> SignaturesOf(const Script& script, const Revision& revision, bool* complete) {
  std::set<Finding> findings;
  const uint64_t max_states = absl::GetFlag(FLAGS_max_states);
  if (script.is_litmus()) {
    const LitmusReport report = RunLitmus(script, revision, {.max_states = max_states});
    findings = report.findings;
    *complete = report.stats.complete;
  } else {
    RunnerOptions options;
    options.max_states = max_states;
    const RunReport report = Runner(script, revision, options).Run();
    findings = report.findings;
    *complete = report.stats.complete;
  }
  std::set<Signature> signatures;
  for (const Finding& f : findings)
    signatures.insert({f.kind, RuleOf(f), f.function, OpOf(f.task)});
  return signatures;
}

// The script without step `dropped`, counted over the sequential steps and then those of the
// threads; nullopt: what remains is no script.
std::optional<Script> Without(const Script& script, size_t dropped) {
  Script smaller = script;
  smaller.lines.clear();
  if (dropped < script.steps.size()) {
    std::vector<bool> keep(script.steps.size(), true);
    keep[dropped] = false;
    smaller = KeepSteps(smaller, keep);
  } else {
    dropped -= script.steps.size();
    for (std::vector<Step>& thread : smaller.threads) {
      if (dropped >= thread.size()) {
        dropped -= thread.size();
        continue;
      }
      thread.erase(thread.begin() + static_cast<std::ptrdiff_t>(dropped));
      break;
    }
    std::erase_if(smaller.threads, [](const auto& thread) { return thread.empty(); });
  }
  for (size_t t = 0; t < smaller.threads.size(); t++) {
    for (Step& step : smaller.threads[t]) step.thread = static_cast<int>(t);
  }
  // Only what the parser takes: names that are used are made somewhere.
  absl::StatusOr<Script> parsed = ParseScript("smaller.iom", PrintScript(smaller));
  if (!parsed.ok()) return std::nullopt;
  return *std::move(parsed);
}

size_t StepCount(const Script& script) {
  size_t count = script.steps.size();
  for (const std::vector<Step>& thread : script.threads) count += thread.size();
  return count;
}

// Leaves out one step after the other that the finding does not need.
Script Smallest(Script script, const Revision& revision, const Signature& signature) {
  for (size_t i = StepCount(script); i-- > 0;) {
    const std::optional<Script> smaller = Without(script, i);
    bool complete = false;
    if (smaller.has_value() && SignaturesOf(*smaller, revision, &complete).contains(signature)) {
      script = *smaller;
      i = std::min(i, StepCount(script));
    }
  }
  return script;
}

class Hunt {
 public:
  explicit Hunt(std::vector<const Revision*> revisions) : revisions_(std::move(revisions)) {}

  // False when it is time to stop.
  bool Try(const Script& script) {
    PrintOnCrash(script);
    for (const Revision* revision : revisions_) {
      bool complete = false;
      for (const Signature& signature : SignaturesOf(script, *revision, &complete))
        Note(signature, script, *revision);
      incomplete_ += !complete;
    }
    programs_++;
    ShowProgress();
    return interrupted == 0 && Seconds() < absl::GetFlag(FLAGS_seconds);
  }

  void Report(bool all) {
    std::printf("%llu programs at %zu revisions in %.0f s%s, %llu not to their end; %zu findings\n",
                static_cast<unsigned long long>(programs_), revisions_.size(), Seconds(),
                all ? "" : " (there are more)", static_cast<unsigned long long>(incomplete_),
                found_.size());
    for (const auto& [signature, found] : found_) {
      std::vector<std::string> where;
      for (const Revision* revision : revisions_) {
        if (const auto it = found.times.find(revision); it != found.times.end())
          where.push_back(absl::StrCat(revision->name, " ", it->second));
      }
      const Script smallest = Smallest(found.script, *found.revision, signature);
      const std::string name = absl::StrCat(FindingName(signature.kind), "-", signature.op, "-",
                                            absl::StrReplaceAll(signature.function, {{" ", "_"}}));
      const std::string by =
          absl::StrCat(signature.op, signature.op.empty() ? "" : " in ", signature.function);
      std::printf("\n%s: %s%s%s\n  %s\n%s", FindingName(signature.kind), signature.rule.c_str(),
                  by.empty() ? "" : "; ", by.c_str(), absl::StrJoin(where, ", ").c_str(),
                  PrintScript(smallest).c_str());
      Write(name, smallest, *found.revision);
    }
  }

 private:
  struct Found {
    std::map<const Revision*, uint64_t> times;
    Script script;  // the one with the fewest steps
    const Revision* revision;
  };

  double Seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }

  void Note(const Signature& signature, const Script& script, const Revision& revision) {
    const auto [it, is_new] = found_.try_emplace(signature);
    it->second.times[&revision]++;
    if (is_new || StepCount(script) < StepCount(it->second.script)) {
      it->second.script = script;
      it->second.revision = &revision;
    }
  }

  void ShowProgress() {
    if (!isatty(fileno(stderr)) || Seconds() - shown_ < 1) return;
    shown_ = Seconds();
    std::fprintf(stderr, "\r%llu programs, %zu findings, %.0f s ",
                 static_cast<unsigned long long>(programs_), found_.size(), shown_);
  }

  static void Write(const std::string& name, const Script& script, const Revision& revision) {
    const std::string folder = absl::GetFlag(FLAGS_out);
    if (folder.empty()) return;
    std::filesystem::create_directories(folder);
    std::string path = absl::StrCat(folder, "/", name, ".iom");
    for (int i = 2; std::filesystem::exists(path); i++)
      path = absl::StrCat(folder, "/", name, "-", i, ".iom");
    std::ofstream(path) << "# found at " << revision.name << "\n" << PrintScript(script);
  }

  const std::vector<const Revision*> revisions_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::map<Signature, Found> found_;
  uint64_t programs_ = 0;
  uint64_t incomplete_ = 0;
  double shown_ = 0;
};

// Every set of `calls` calls of a scene. False when the hunt ends before all were tried.
bool HuntScene(Hunt& hunt, const Scene& scene, size_t calls, size_t first,
               std::vector<const char*>& chosen) {
  if (chosen.size() == calls) return hunt.Try(SceneScript(scene, chosen));
  for (size_t i = first; i < scene.calls.size(); i++) {
    chosen.push_back(scene.calls[i]);
    if (!HuntScene(hunt, scene, calls, i + NamesWhatItMakes(scene.calls[i]), chosen)) return false;
    chosen.pop_back();
  }
  return true;
}

bool HuntScenes(Hunt& hunt) {
  for (const Scene& scene : Scenes()) {
    std::vector<const char*> chosen;
    if (!HuntScene(hunt, scene, static_cast<size_t>(absl::GetFlag(FLAGS_calls)), 0, chosen))
      return false;
  }
  return true;
}

void HuntSeeds(Hunt& hunt, const std::function<Script(uint64_t)>& script_of) {
  for (uint64_t seed = absl::GetFlag(FLAGS_seed); hunt.Try(script_of(seed)); seed++) continue;
}

// Empty after an error on stderr.
std::vector<const Revision*> ChosenRevisions() {
  const std::string name = absl::GetFlag(FLAGS_kernel);
  std::vector<const Revision*> revisions;
  for (const Revision& revision : Revisions()) {
    if (name == "all" || name == revision.name) revisions.push_back(&revision);
  }
  if (revisions.empty()) std::fprintf(stderr, "--kernel: there is no revision %s\n", name.c_str());
  return revisions;
}

int Main() {
  const std::vector<const Revision*> revisions = ChosenRevisions();
  if (revisions.empty()) return 2;
  std::signal(SIGINT, [](int) { interrupted = 1; });
  std::signal(SIGTERM, [](int) { interrupted = 1; });
  Hunt hunt(revisions);
  const std::string programs = absl::GetFlag(FLAGS_programs);
  bool all = false;
  if (programs == "scenes") {
    all = HuntScenes(hunt);
  } else if (programs == "litmus") {
    HuntSeeds(hunt, [](uint64_t seed) {
      return LitmusFromSeed(seed, absl::GetFlag(FLAGS_threads), absl::GetFlag(FLAGS_steps));
    });
  } else if (programs == "sequences") {
    HuntSeeds(hunt,
              [&](uint64_t seed) { return SequenceFromSeed(seed, absl::GetFlag(FLAGS_genes)); });
  } else {
    std::fprintf(stderr, "--programs: %s is not scenes, litmus or sequences\n", programs.c_str());
    return 2;
  }
  hunt.Report(all);
  return 0;
}

}  // namespace
}  // namespace iomode

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("hunts for findings in systematic and random programs");
  absl::ParseCommandLine(argc, argv);
  return iomode::Main();
}
