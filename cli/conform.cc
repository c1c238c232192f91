// SPDX-License-Identifier: GPL-2.0-only
//
// iomode conform: runs scripts on a real kernel and holds what it did against the model.

#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/junit.h"
#include "conformance/kernel/child_process.h"
#include "conformance/kernel/judgement.h"
#include "conformance/kernel/kernel_runs.h"
#include "conformance/kernel/report.h"
#include "conformance/kernel/scratch_folder.h"

namespace iomode {
namespace {

using conform::Judgement;
using conform::KernelRuns;

struct ConformFlags {
  std::vector<std::string> paths;
  std::string on = "native";
  std::string kernel;
  std::string flip;
  std::string junit;
  std::string out;
  conform::AgentOptions agent;
  uint64_t max_states = conform::JudgeOptions().max_states;
  bool ktap = false;
  bool quiet = false;
};

// The agent beside this program: in the folder that ./iomode keeps both in, or where Bazel puts it.
std::string FindAgent() {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  for (const char* place : {"agent", "../conformance/agent/agent"}) {
    const std::filesystem::path found = self.parent_path() / place;
    if (access(found.c_str(), X_OK) == 0) return found.lexically_normal().string();
  }
  return "";
}

// The line that shows how far a run is, on a terminal.
class ProgressLine {
 public:
  explicit ProgressLine(size_t of) : of_(of), terminal_(isatty(STDERR_FILENO)) {}
  ~ProgressLine() {
    if (shown_) std::cerr << "\r\033[K" << std::flush;
  }
  void operator()(size_t done) {
    if (!terminal_) return;
    std::cerr << "\r\033[K" << done << " of " << of_ << " scripts" << std::flush;
    shown_ = true;
  }

 private:
  const size_t of_;
  const bool terminal_;
  bool shown_ = false;
};

// The scripts that the agent can run, and where in the list of all they are.
struct Selection {
  std::vector<Script> scripts;
  std::vector<size_t> places;
};

Selection SelectRunnable(const std::vector<Script>& all, std::vector<Judgement>* judgements) {
  Selection selection;
  for (size_t i = 0; i < all.size(); i++) {
    const std::string reason = conform::WhyNotRunnable(all[i]);
    if (reason.empty()) {
      selection.scripts.push_back(all[i]);
      selection.places.push_back(i);
    } else {
      (*judgements)[i] = conform::NotRun(reason);
    }
  }
  return selection;
}

// The revision that a kernel is held against, with the rule of --flip the other way round. False
// after a message.
bool JudgingRevision(const ConformFlags& flags, const std::string& release, Revision* judge) {
  const Revision* revision =
      flags.kernel.empty() ? conform::RevisionOfRelease(release) : FindRevision(flags.kernel);
  if (revision == nullptr) {
    std::cerr << "iomode: Linux " << release
              << " is older than every revision with io modes and passthrough; name one with "
                 "--kernel (iomode revisions lists them)\n";
    return false;
  }
  *judge = *revision;
  for (const Rule& rule : RuleTable()) {
    if (flags.flip == rule.name) rule.Flip(judge->rules);
  }
  return true;
}

bool KnowsRule(const std::string& name) {
  if (name.empty()) return true;
  for (const Rule& rule : RuleTable()) {
    if (name == rule.name) return true;
  }
  std::cerr << "iomode: no rule \"" << name << "\"; iomode revisions v7.3 lists them\n";
  return false;
}

// One file an outcome: its script's path with the slashes made dots.
bool WriteRecordings(const std::string& folder, const std::string& name,
                     const Judgement& judgement) {
  std::string base = name;
  for (char& c : base) c = c == '/' ? '.' : c;
  for (size_t i = 0; i < judgement.recordings.size(); i++) {
    const std::string path = absl::StrCat(folder, "/", i ? absl::StrCat(i + 1, ".") : "",
                                          base.substr(base.find_first_not_of('.')));
    const absl::Status written = conform::WriteWholeFile(path, judgement.recordings[i]);
    if (!written.ok()) {
      std::cerr << written.message() << "\n";
      return false;
    }
  }
  return true;
}

void Print(const ConformFlags& flags, size_t number, const std::string& name,
           const Judgement& judgement) {
  if (flags.ktap) {
    std::cout << conform::KtapLines(number, name, judgement);
  } else if (!flags.quiet || !judgement.passed()) {
    std::cout << conform::TextLines(name, judgement);
  }
}

int ExitCodeOf(const conform::Sums& sums, const KernelRuns& runs) {
  if (sums.disagree || sums.hung) return kExitFails;
  if (sums.incomplete || !runs.trouble.empty()) return kExitIncomplete;
  return kExitOk;
}

// Everything that is said of a run that took place.
int Report(const ConformFlags& flags, const std::vector<Script>& scripts, const KernelRuns& runs,
           const Revision& revision, const std::vector<Judgement>& judgements) {
  conform::Sums sums;
  JunitReport junit(absl::StrCat("iomode conform, Linux ", runs.release));
  if (flags.ktap) std::cout << conform::KtapHead(scripts.size());
  for (size_t i = 0; i < scripts.size(); i++) {
    const Judgement& judgement = judgements[i];
    sums.Add(judgement);
    Print(flags, i + 1, scripts[i].name, judgement);
    if (judgement.kind == Judgement::Kind::kNotRun) {
      junit.AddSkipped(scripts[i].name, judgement.details.front());
    } else {
      junit.Add(scripts[i].name, judgement.seconds,
                judgement.passed() ? std::vector<std::string>() : judgement.details);
    }
    if (!flags.out.empty() && !WriteRecordings(flags.out, scripts[i].name, judgement)) {
      return kExitBadInput;
    }
  }
  const char* front = flags.ktap ? "# " : "";
  if (!runs.trouble.empty()) {
    std::cout << front << "The run ended early: " << runs.trouble << "\n";
    for (const std::string& line : runs.details) std::cout << front << "  " << line << "\n";
  }
  std::cout << front << "Linux " << runs.release << " (" << flags.on << ") against "
            << revision.name
            << (flags.flip.empty() ? "" : absl::StrCat(" with ", flags.flip, " flipped")) << "; "
            << sums.Line() << "\n";
  if (!flags.junit.empty() && !junit.Write(flags.junit)) {
    std::cerr << flags.junit << ": cannot be written\n";
    return kExitBadInput;
  }
  return ExitCodeOf(sums, runs);
}

absl::StatusOr<KernelRuns> RunScripts(const ConformFlags& flags,
                                      const std::vector<Script>& scripts) {
  ProgressLine progress(scripts.size());
  return conform::RunNative(scripts, flags.agent, [&](size_t done) { progress(done); });
}

int Conform(ConformFlags flags) {
  std::vector<Script> scripts;
  if (RevisionOption(flags.kernel) == nullptr || !KnowsRule(flags.flip) ||
      !ReadScripts(flags.paths, &scripts)) {
    return kExitBadInput;
  }
  if (flags.agent.agent.empty()) flags.agent.agent = FindAgent();
  if (flags.agent.agent.empty()) {
    std::cerr << "iomode: there is no agent beside this program; build //conformance/agent and "
                 "name it with --agent\n";
    return kExitBadInput;
  }
  conform::CatchInterrupts();
  std::vector<Judgement> judgements(scripts.size(), conform::NotRun("the run ended before"));
  const Selection selection = SelectRunnable(scripts, &judgements);
  const absl::StatusOr<KernelRuns> runs = RunScripts(flags, selection.scripts);
  if (!runs.ok()) {
    const bool skipped = absl::IsFailedPrecondition(runs.status());
    std::cerr << "iomode conform: " << (skipped ? "skipped: " : "") << runs.status().message()
              << "\n";
    return skipped ? kExitNoKernel : kExitBadInput;
  }
  Revision revision;
  if (!JudgingRevision(flags, runs->release, &revision)) return kExitBadInput;
  const conform::JudgeOptions options = {.max_states = flags.max_states};
  for (size_t i = 0; i < selection.scripts.size(); i++) {
    if (!runs->outcomes[i].has_value()) continue;
    judgements[selection.places[i]] =
        conform::Judge(selection.scripts[i], *runs->outcomes[i], revision, options);
  }
  return Report(flags, scripts, *runs, revision, judgements);
}

void AddJudgingOptions(CLI::App* command, ConformFlags& flags) {
  command->add_option("--kernel", flags.kernel,
                      "revision to hold the kernel against; default: the newest that is not newer "
                      "than the kernel's own version");
  command->add_option("--flip", flags.flip,
                      "judge with this rule of the revision the other way round, to see what "
                      "shows it");
  command->add_option("--max-states", flags.max_states,
                      "give up judging a script after so many states");
}

void AddRunOptions(CLI::App* command, ConformFlags& flags) {
  command->add_option("--repeat", flags.agent.repeat, "runs of each script")
      ->check(CLI::Range(1, 1000));
  command
      ->add_option("--timeout", flags.agent.step_seconds,
                   "seconds in which a step has to come to rest")
      ->check(CLI::Range(1, 3600));
  command->add_option("--agent", flags.agent.agent,
                      "the program that runs scripts (//conformance/agent)");
}

void AddReportOptions(CLI::App* command, ConformFlags& flags) {
  command->add_flag("--ktap", flags.ktap, "print KTAP");
  command->add_flag("--quiet", flags.quiet, "print only what does not agree, and the sums");
  command->add_option("--junit", flags.junit, "also write the verdicts to this file as JUnit XML");
  command->add_option("--out", flags.out, "also write each script with the kernel's results here")
      ->check(CLI::ExistingDirectory);
}

}  // namespace

void AddConformCommand(CLI::App& app, Action& action) {
  auto flags = std::make_shared<ConformFlags>();
  CLI::App* command = app.add_subcommand(
      "conform", "run scripts on a real kernel and hold what it did against the model");
  command->add_option("FILE", flags->paths, "scripts, or folders of them")->required();
  command->add_option("--on", flags->on, "native: the kernel that is running")
      ->check(CLI::IsMember({"native"}));
  AddJudgingOptions(command, *flags);
  AddRunOptions(command, *flags);
  AddReportOptions(command, *flags);
  command->callback([flags, &action] { action = [flags] { return Conform(*flags); }; });
}

}  // namespace iomode
