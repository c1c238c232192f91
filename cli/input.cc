// SPDX-License-Identifier: GPL-2.0-only

#include <algorithm>
#include <filesystem>
#include <iostream>

#include "cli/commands.h"
#include "sim/findings.h"
#include "sim/script_parser.h"

namespace iomode {
namespace {

namespace fs = std::filesystem;

// All scripts that `path` stands for.
bool ExpandPath(const std::string& path, std::vector<std::string>* files) {
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    files->push_back(path);
    return true;
  }
  std::vector<std::string> found;
  for (fs::recursive_directory_iterator it(path, error), end; !error && it != end;
       it.increment(error)) {
    if (it->is_regular_file() && it->path().extension() == ".iom")
      found.push_back(it->path().string());
  }
  if (error || found.empty()) {
    std::cerr << path << ": " << (error ? error.message() : "no *.iom file in this folder") << "\n";
    return false;
  }
  std::sort(found.begin(), found.end());
  files->insert(files->end(), found.begin(), found.end());
  return true;
}

// Whether the script expects only findings that there are.
bool KnowsExpectations(const Script& script) {
  for (const Expectation& expectation : script.expectations) {
    if (FindingFromName(expectation.finding)) continue;
    std::cerr << script.name << ":" << expectation.pos.line << ":" << expectation.pos.column
              << ": no finding \"" << expectation.finding << "\", expected one of "
              << FindingNames() << "\n";
    return false;
  }
  return true;
}

}  // namespace

bool ReadScripts(const std::vector<std::string>& paths, std::vector<Script>* scripts) {
  bool good = true;
  std::vector<std::string> files;
  for (const std::string& path : paths) good &= ExpandPath(path, &files);
  for (const std::string& file : files) {
    absl::StatusOr<Script> script = ParseScriptFile(file);
    if (script.ok()) {
      good &= KnowsExpectations(*script);
      scripts->push_back(*std::move(script));
    } else {
      std::cerr << script.status().message() << "\n";
      good = false;
    }
  }
  return good;
}

const Revision* RevisionOption(const std::string& name) {
  if (name.empty()) return &NewestRevision();
  const Revision* revision = FindRevision(name);
  if (revision == nullptr) {
    std::cerr << "iomode: no revision \"" << name << "\"; there are";
    for (const Revision& known : Revisions()) std::cerr << " " << known.name;
    std::cerr << "\n";
  }
  return revision;
}

}  // namespace iomode
