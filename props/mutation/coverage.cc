// SPDX-License-Identifier: GPL-2.0-only

#include "props/mutation/coverage.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <set>

#include "props/mutation/mutant.h"
#include "sim/graph_walk.h"
#include "sim/script_parser.h"
#include "sim/verdict.h"

namespace iomode {
namespace {

constexpr int kMaxGraphStates = 200'000;

// False after an error on stderr.
bool ReadScripts(const std::vector<std::string>& paths, std::vector<Script>& scripts) {
  for (const std::string& path : paths) {
    std::vector<std::string> files = {path};
    if (std::filesystem::is_directory(path)) {
      files.clear();
      for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
        if (entry.path().extension() == ".iom") files.push_back(entry.path().string());
      }
      std::sort(files.begin(), files.end());
    }
    for (const std::string& file : files) {
      absl::StatusOr<Script> script = ParseScriptFile(file);
      if (!script.ok()) {
        std::fprintf(stderr, "%s\n", std::string(script.status().message()).c_str());
        return false;
      }
      scripts.push_back(*std::move(script));
    }
  }
  return true;
}

const char* Completeness(bool complete) { return complete ? "complete" : "incomplete"; }

void CoverScripts(const std::vector<Script>& scripts, const Revision* kernel,
                  std::set<std::string>& revisions) {
  uint64_t states = 0;
  uint64_t transitions = 0;
  bool complete = true;
  for (const Script& script : scripts) {
    const Revision& revision =
        kernel != nullptr ? *kernel : RevisionFor(script.name, NewestRevision());
    revisions.insert(revision.name);
    const Verdict verdict = CheckScript(script, revision, {});
    states += verdict.stats.states;
    transitions += verdict.stats.transitions;
    complete &= verdict.stats.complete;
  }
  std::printf("explored %zu %llu %llu %s\n", scripts.size(),
              static_cast<unsigned long long>(states), static_cast<unsigned long long>(transitions),
              Completeness(complete));
}

void CoverGraph(const Revision& revision, std::set<std::string>& revisions) {
  revisions.insert(revision.name);
  const Script universe = MakeUniverse(GraphBounds());
  OpGraph graph(universe, revision);
  const GraphReport report = WalkGraph(graph, kMaxGraphStates, nullptr);
  std::printf("graph %s %d %llu %s\n", revision.name, report.states,
              static_cast<unsigned long long>(report.edges), Completeness(report.complete));
}

}  // namespace

int Cover(const CoverageOptions& options) {
  const Revision* kernel = nullptr;
  if (!options.kernel.empty()) {
    kernel = FindRevision(options.kernel);
    if (kernel == nullptr) {
      std::fprintf(stderr, "there is no revision %s\n", options.kernel.c_str());
      return 2;
    }
  }
  std::vector<Script> scripts;
  if (!ReadScripts(options.paths, scripts)) return 2;
  std::fill_n(mutants_reached, kMaxMutants, uint8_t{0});
  std::set<std::string> revisions;
  CoverScripts(scripts, kernel, revisions);
  if (options.graph) CoverGraph(kernel != nullptr ? *kernel : NewestRevision(), revisions);
  for (const std::string& name : revisions) std::printf("revision %s\n", name.c_str());
  for (int number = 1; number < kMaxMutants; number++) {
    if (mutants_reached[number] != 0)
      std::printf("place %d %d\n", number, static_cast<int>(mutants_reached[number]));
  }
  return 0;
}

}  // namespace iomode
