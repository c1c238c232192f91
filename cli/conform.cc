// SPDX-License-Identifier: GPL-2.0-only
//
// iomode conform: runs scripts on a real kernel and holds what it did against the model.

#include <sys/utsname.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "cli/bounds.h"
#include "cli/commands.h"
#include "cli/conform_flags.h"
#include "cli/conform_tour.h"
#include "cli/conform_trace.h"
#include "cli/junit.h"
#include "conformance/kernel/child_process.h"
#include "conformance/kernel/judgement.h"
#include "conformance/kernel/kernel_build.h"
#include "conformance/kernel/kernel_edits.h"
#include "conformance/kernel/kernel_runs.h"
#include "conformance/kernel/qemu_runs.h"
#include "conformance/kernel/report.h"
#include "conformance/kernel/scratch_folder.h"
#include "conformance/trace/probes.h"

namespace iomode {
namespace {

using conform::Judgement;
using conform::KernelRuns;

// A program that is built with this one: in the folder that ./iomode keeps all in, or where Bazel
// puts it. "" and a message when it is not there.
std::string FindProgram(const std::string& package, const std::string& name) {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  for (const std::string& place : {name, absl::StrCat("../", package, "/", name)}) {
    const std::filesystem::path found = self.parent_path() / place;
    if (access(found.c_str(), X_OK) == 0) return found.lexically_normal().string();
  }
  std::cerr << "iomode: there is no program " << name << " beside this one; build //" << package
            << ":" << name << "\n";
  return "";
}

// The line that says on a terminal what is going on.
class ProgressLine {
 public:
  ProgressLine() : terminal_(isatty(STDERR_FILENO)) {}
  ~ProgressLine() {
    if (!shown_.empty()) std::cerr << "\r\033[K" << std::flush;
  }
  void operator()(const std::string& text) {
    if (!terminal_ || text == shown_) return;
    std::cerr << "\r\033[K" << text << std::flush;
    shown_ = text;
  }

 private:
  const bool terminal_;
  std::string shown_;
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

// The revision that a kernel of this release is held against; without one there is nothing to run.
absl::StatusOr<Revision> RevisionOf(const std::string& name, const std::string& release) {
  const Revision* revision =
      name.empty() ? conform::RevisionOfRelease(release) : FindRevision(name);
  if (revision != nullptr) return *revision;
  return absl::FailedPreconditionError(
      absl::StrCat("Linux ", release,
                   " is older than every revision with io modes and passthrough; name one with "
                   "--kernel (iomode revisions lists them)"));
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
  } else if (!flags.quiet || !(judgement.passed() || judgement.kind == Judgement::Kind::kNotRun)) {
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
           const std::string& against, const std::vector<Judgement>& judgements,
           const std::string& edges) {
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
  if (flags.times) std::cout << front << conform::TimesLine(runs) << "\n";
  for (absl::string_view line : absl::StrSplit(edges, '\n', absl::SkipEmpty())) {
    std::cout << front << line << "\n";
  }
  std::cout << front << "Linux " << runs.release << " (" << flags.on << ") against " << against
            << "; " << sums.Line() << "\n";
  if (!flags.junit.empty() && !junit.Write(flags.junit)) {
    std::cerr << flags.junit << ": cannot be written\n";
    return kExitBadInput;
  }
  return ExitCodeOf(sums, runs);
}

// A kernel that is ready to run scripts, and what it is held against.
struct ReadyKernel {
  Revision revision;
  std::string against;  // its name, and how the rules differ from it
  conform::TraceReading reading;
};

// Adds the edits that make the sources those of --as. `scratch` keeps the files.
absl::Status AddEdits(ConformFlags& flags, const conform::ScratchFolder& scratch,
                      const conform::SayFunction& say, ReadyKernel& kernel) {
  const auto release = conform::ReleaseOfSource(flags.build.source, say);
  if (!release.ok()) return release.status();
  const auto from = RevisionOf("", *release);
  if (!from.ok()) return from.status();
  const conform::KernelEdits edits = conform::EditsInto(*from, *FindRevision(flags.as));
  const auto files = conform::WriteEdits(edits, scratch.path());
  if (!files.ok()) return files.status();
  std::vector<std::string>& patches = flags.build.source.patches;
  patches.insert(patches.begin(), files->begin(), files->end());
  kernel.revision = *FindRevision(flags.as);
  kernel.revision.rules = edits.rules;
  kernel.against = absl::StrCat(flags.as, ", made of ", from->name);
  if (!edits.not_made.empty()) {
    absl::StrAppend(&kernel.against, " but for ", absl::StrJoin(edits.not_made, ", "));
  }
  return absl::OkStatus();
}

absl::Status BuildGuest(ConformFlags& flags, const conform::SayFunction& say, ReadyKernel& kernel,
                        std::string* release) {
  const auto scratch = conform::ScratchFolder::Make();
  if (!scratch.ok()) return scratch.status();
  if (!flags.as.empty()) {
    if (absl::Status added = AddEdits(flags, *scratch, say, kernel); !added.ok()) return added;
  }
  const auto build = conform::BuildKernel(flags.build, say);
  if (!build.ok()) return build.status();
  for (const std::string& option : build->missing_options) {
    std::cerr << flags.build.fragment << ": this kernel cannot have " << option << "\n";
  }
  if (flags.trace > 0) {
    const auto probes = conform::MakeProbes(build->folder);
    if (!probes.ok()) return probes.status();
    flags.guest.probes = probes->definitions;
    kernel.reading = probes->reading;
  }
  flags.guest.vmlinux = build->vmlinux;
  *release = build->release;
  return absl::OkStatus();
}

absl::StatusOr<ReadyKernel> MakeReady(ConformFlags& flags) {
  ProgressLine line;
  ReadyKernel kernel;
  std::string release;
  if (flags.on == "native") {
    utsname name;
    uname(&name);
    release = name.release;
  } else {
    const auto say = [&line](const std::string& what) { line(what); };
    if (absl::Status built = BuildGuest(flags, say, kernel, &release); !built.ok()) return built;
  }
  if (kernel.against.empty()) {
    auto revision = RevisionOf(flags.kernel, release);
    if (!revision.ok()) return revision.status();
    kernel.revision = *std::move(revision);
    kernel.against = kernel.revision.name;
  }
  for (const Rule& rule : RuleTable()) {
    if (flags.flip == rule.name) rule.Flip(kernel.revision.rules);
  }
  if (!flags.flip.empty()) absl::StrAppend(&kernel.against, " with ", flags.flip, " flipped");
  return kernel;
}

absl::StatusOr<KernelRuns> RunScripts(const ConformFlags& flags,
                                      const std::vector<Script>& scripts) {
  ProgressLine line;
  const conform::ProgressFunction progress = [&](size_t done) {
    line(absl::StrCat(done, " of ", scripts.size(), " scripts"));
  };
  if (flags.on == "native") return conform::RunNative(scripts, flags.agent, progress);
  line("starting the guest");
  return conform::RunInGuest(scripts, flags.agent, flags.guest, progress);
}

bool FindPrograms(ConformFlags& flags) {
  if (flags.agent.agent.empty()) flags.agent.agent = FindProgram("conformance/agent", "agent");
  if (flags.agent.agent.empty()) return false;
  if (flags.on == "qemu") flags.guest.init = FindProgram("conformance/kernel", "guest_init");
  return flags.on != "qemu" || !flags.guest.init.empty();
}

// Says why nothing was run.
int Refuse(const absl::Status& status) {
  const bool skipped = absl::IsFailedPrecondition(status);
  std::cerr << "iomode conform: " << (skipped ? "skipped: " : "") << status.message() << "\n";
  if (absl::IsCancelled(status)) return kExitIncomplete;
  return skipped ? kExitNoKernel : kExitBadInput;
}

// A guest that never got as far as its init.
int ReportNoBoot(const KernelRuns& runs) {
  std::cout << "The kernel did not start: " << runs.trouble << "\n";
  for (const std::string& line : runs.details) std::cout << "  " << line << "\n";
  return kExitIncomplete;
}

// Judges what was run. An interrupt leaves the rest incomplete.
void JudgeAll(const ConformFlags& flags, const Selection& selection, const KernelRuns& runs,
              const ReadyKernel& kernel, std::vector<Judgement>* judgements) {
  CommandWatch watch({});
  const conform::JudgeOptions options = {.max_states = flags.max_states, .watch = watch.watch()};
  for (size_t i = 0; i < selection.scripts.size(); i++) {
    if (!runs.outcomes[i].has_value()) continue;
    const Script& script = selection.scripts[i];
    watch.Begin(absl::StrCat("judging ", i + 1, "/", selection.scripts.size(), " ", script.name));
    (*judgements)[selection.places[i]] =
        flags.trace > 0
            ? JudgeTrace(script, *runs.outcomes[i], kernel.reading, kernel.revision.rules)
            : conform::Judge(script, *runs.outcomes[i], kernel.revision, options);
  }
}

bool OptionsMakeSense(const ConformFlags& flags) {
  if (flags.tour + (flags.trace > 0) + !flags.paths.empty() != 1) {
    std::cerr << "iomode conform: name scripts, or --tour, or --trace\n";
    return false;
  }
  if (flags.trace > 0 && flags.agent.repeat > 1) {
    std::cerr << "iomode conform: a load is traced once; give --trace a larger number instead of "
                 "--repeat\n";
    return false;
  }
  if ((!flags.as.empty() || flags.trace > 0) && flags.on != "qemu") {
    std::cerr << "iomode conform: " << (flags.trace > 0 ? "--trace" : "--as")
              << " builds a kernel, for --on qemu\n";
    return false;
  }
  return true;
}

int Conform(ConformFlags flags) {
  std::vector<Script> scripts;
  if (!OptionsMakeSense(flags) || RevisionOption(flags.kernel) == nullptr ||
      RevisionOption(flags.as) == nullptr || !KnowsRule(flags.flip) ||
      !ReadScripts(flags.paths, &scripts) || !FindPrograms(flags)) {
    return kExitBadInput;
  }
  conform::CatchInterrupts();
  flags.agent.hurry = flags.trace > 0;
  const absl::StatusOr<ReadyKernel> kernel = MakeReady(flags);
  if (!kernel.ok()) return Refuse(kernel.status());
  std::unique_ptr<ConformTour> tour;
  if (flags.tour) {
    tour = std::make_unique<ConformTour>(kernel->revision);
    if (!tour->complete()) return Refuse(absl::CancelledError("interrupted"));
    scripts = tour->scripts();
    conform::CatchInterrupts();  // the walk had them
  }
  if (flags.trace > 0) scripts = LoadScripts(flags.seed, flags.trace);
  std::vector<Judgement> judgements(scripts.size(), conform::NotRun("the run ended before"));
  const Selection selection = SelectRunnable(scripts, &judgements);
  const absl::StatusOr<KernelRuns> runs = RunScripts(flags, selection.scripts);
  if (!runs.ok()) return Refuse(runs.status());
  if (runs->release.empty()) return ReportNoBoot(*runs);
  JudgeAll(flags, selection, *runs, *kernel, &judgements);
  const std::string edges = tour != nullptr ? tour->Report(judgements) : "";
  return Report(flags, scripts, *runs, kernel->against, judgements, edges);
}

}  // namespace

void AddConformCommand(CommandLine& line) {
  auto flags = std::make_shared<ConformFlags>();
  Command command = line.AddCommand(
      "conform", "run scripts on a real kernel and hold what it did against the model");
  AddConformOptions(command, *flags);
  command.Does([flags] { return Conform(*flags); });
}

}  // namespace iomode
