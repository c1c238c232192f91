// SPDX-License-Identifier: GPL-2.0-only

#include "sim/recorded_states.h"

#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

namespace iomode {
namespace {

// One line without what a recording and the model name differently: the backing has the server's
// id in one and the script's name in the other, and who queues for i_rwsem is not shown.
std::string Facts(const std::string& line) {
  std::string facts = absl::StrReplaceAll(line, {{"+waiters", ""}});
  const size_t name = facts.find("fb=");
  if (name == std::string::npos) return facts;
  const size_t end = facts.find_first_of("( ", name);
  if (end != std::string::npos && facts[end] == '(') facts.erase(name + 3, end - name - 3);
  return facts;
}

// "4: open c A KEEP_CACHE -> 0"
bool IsStep(const std::string& line) {
  const size_t colon = line.find_first_not_of("0123456789");
  return colon != 0 && colon != std::string::npos && line.compare(colon, 2, ": ") == 0;
}

}  // namespace

std::vector<std::vector<std::string>> ReadStates(const std::string& path) {
  std::vector<std::vector<std::string>> states(1);
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (IsStep(line)) states.emplace_back();
    if (absl::StrContains(line, "iocachectr=")) states.back().push_back(Facts(line));
  }
  return states;
}

std::vector<std::string> StateDisagreements(const std::string& path, const RunReport& report) {
  const std::vector<std::vector<std::string>> recorded = ReadStates(path);
  if (recorded.size() != report.steps.size() + 1) return {path + ": another number of steps"};
  std::vector<std::string> texts;
  for (size_t step = 1; step < recorded.size(); step++) {
    bool found = false;
    std::string model;
    for (const std::vector<std::string>& lines : report.steps[step - 1].state_lines) {
      std::vector<std::string> facts;
      for (const std::string& line : lines) facts.push_back(Facts(line));
      found |= facts == recorded[step];
      absl::StrAppend(&model, "\n  model    ", absl::StrJoin(facts, "\n           "));
    }
    if (found && !recorded[step].empty()) continue;
    texts.push_back(absl::StrCat(path, ": after step ", step, "\n  recorded ",
                                 absl::StrJoin(recorded[step], "\n           "), model));
  }
  return texts;
}

}  // namespace iomode
