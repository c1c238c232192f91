// SPDX-License-Identifier: GPL-2.0-only
//
// iomode_source: scripts on a kernel's own functions, and on these and the model's side by side.

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <iostream>

#include "absl/strings/str_join.h"
#include "conformance/source/compare.h"
#include "conformance/source/source_ops.h"
#include "sim/script_parser.h"
#include "sim/verdict.h"

namespace iomode {
namespace {

struct Flags {
  std::string library;
  std::string kernel = "v6.12";
  std::vector<std::string> paths;
  uint64_t max_states = 20'000'000;
  bool quiet = false;
  bool first = false;
};

enum ExitCode { kExitOk = 0, kExitFails = 1, kExitBadInput = 2, kExitIncomplete = 3 };

bool ReadScripts(const std::vector<std::string>& paths, std::vector<Script>* scripts) {
  namespace fs = std::filesystem;
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    if (!fs::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(path)) {
      if (entry.path().extension() == ".iom") files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  bool good = true;
  for (const std::string& file : files) {
    absl::StatusOr<Script> script = ParseScriptFile(file);
    if (script.ok()) {
      scripts->push_back(*std::move(script));
    } else {
      std::cerr << script.status().message() << "\n";
      good = false;
    }
  }
  if (good && scripts->empty()) std::cerr << "iomode_source: no script\n";
  return good && !scripts->empty();
}

// The base's revision with the library's functions in place of the model's; nullptr after an error
// on stderr.
const Revision* SourceRevision(const Flags& flags, const Revision& base) {
  SourceInfo info;
  std::string error;
  const Revision* source = LoadSource(flags.library, base, &info, &error);
  if (source == nullptr) {
    std::cerr << "iomode_source: " << error << "\n";
    return nullptr;
  }
  std::cout << "kernel's (" << info.origin << "): " << absl::StrJoin(info.kernel, " ") << "\n"
            << "model's (" << base.name << "): all else" << (info.model.empty() ? "" : ", and ")
            << absl::StrJoin(info.model, " ") << "\n";
  return source;
}

double Seconds(std::chrono::steady_clock::time_point since) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - since).count();
}

int Check(const Flags& flags, const std::vector<Script>& scripts, const Revision& source) {
  int count[3] = {};
  uint64_t states = 0;
  for (const Script& script : scripts) {
    Verdict verdict = CheckScript(script, source, {.max_states = flags.max_states});
    if (UnlockedWriteAppeared())
      verdict = CheckScript(script, source, {.max_states = flags.max_states});
    count[static_cast<int>(verdict.status)]++;
    states += verdict.stats.states;
    const bool holds = verdict.status == Verdict::Status::kHolds;
    if (flags.quiet && holds) continue;
    const char* const names[] = {"ok", "FAIL", "incomplete"};
    std::cout << names[static_cast<int>(verdict.status)] << "  " << script.name << "\n";
    for (const std::string& problem : verdict.problems) std::cout << "  " << problem << "\n";
    for (const std::string& note : verdict.notes) std::cout << "  " << note << "\n";
  }
  std::cout << scripts.size() << " scripts: " << count[0] << " hold, " << count[1] << " fail, "
            << count[2] << " incomplete; " << states << " states\n";
  if (count[1]) return kExitFails;
  return count[2] ? kExitIncomplete : kExitOk;
}

int CompareAll(const Flags& flags, const std::vector<Script>& scripts, const Revision& base,
               const Revision& source) {
  Comparison all;
  int compared = 0;
  int differ = 0;
  int incomplete = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (const Script& script : scripts) {
    Comparison one = Compare(script, base, source, flags.max_states);
    if (UnlockedWriteAppeared()) one = Compare(script, base, source, flags.max_states);
    for (const std::string& difference : one.differences) std::cout << difference << "\n";
    if (!one.complete) std::cout << script.name << ": incomplete, not compared\n";
    if (!flags.quiet) {
      std::cout << (one.complete ? one.differences.empty() ? "same" : "DIFFER" : "incomplete")
                << "  " << script.name << "  states: model " << one.model_states << ", source "
                << one.source_states << "\n";
    }
    differ += !one.differences.empty();
    incomplete += !one.complete;
    all.outcomes += one.outcomes;
    all.model_states += one.model_states;
    all.source_states += one.source_states;
    compared++;
    if (flags.first && differ) break;
  }
  std::cout << compared << " scripts: " << compared - differ - incomplete << " same, " << differ
            << " differ, " << incomplete << " incomplete; " << all.outcomes
            << " outcomes; states: model " << all.model_states << ", source " << all.source_states
            << "; " << static_cast<int>(Seconds(begin) * 1000) << " ms\n";
  if (differ) return kExitFails;
  return incomplete ? kExitIncomplete : kExitOk;
}

int Main(int argc, char** argv) {
  CLI::App app("Scripts on a kernel's own io-mode code (conformance/source/build compiles it).",
               "iomode_source");
  app.require_subcommand(1);
  Flags flags;
  const auto add = [&](const char* name, const char* what) {
    CLI::App* command = app.add_subcommand(name, what);
    command->add_option("--library", flags.library, "made by conformance/source/build")->required();
    command->add_option("--kernel", flags.kernel,
                        "revision of everything that is not the library's");
    command->add_option("--max-states", flags.max_states, "give up on a script after so many");
    command->add_flag("--quiet", flags.quiet, "print only what does not hold, and the summary");
    command->add_option("FILE", flags.paths, "scripts, or folders of them")->required();
    return command;
  };
  CLI::App* check = add("check", "hold scripts' results and conditions against the kernel's code");
  add("compare", "the model and the kernel's code side by side")
      ->add_flag("--first", flags.first, "stop at the first script that differs");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    std::cerr << "iomode_source: " << error.what() << "\n";
    return kExitBadInput;
  }
  const Revision* base = FindRevision(flags.kernel);
  if (base == nullptr) {
    std::cerr << "iomode_source: no revision \"" << flags.kernel << "\"\n";
    return kExitBadInput;
  }
  std::vector<Script> scripts;
  if (!ReadScripts(flags.paths, &scripts)) return kExitBadInput;
  const Revision* source = SourceRevision(flags, *base);
  if (source == nullptr) return kExitBadInput;
  return *check ? Check(flags, scripts, *source) : CompareAll(flags, scripts, *base, *source);
}

}  // namespace
}  // namespace iomode

int main(int argc, char** argv) { return iomode::Main(argc, argv); }
