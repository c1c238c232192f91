// SPDX-License-Identifier: GPL-2.0-only
//
// iomode merge: judges scripts whose interleavings were explored in parts, from what `iomode check
// --shard I/N --format json` printed for each part.

#include <algorithm>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "sim/shard.h"

namespace iomode {
namespace {

struct MergeFlags {
  std::vector<std::string> files;
  bool quiet = false;
};

// What all parts say of a script.
struct Whole {
  std::set<int> parts;      // that explored some of it
  std::set<int> elsewhere;  // that left it to its owner
  bool complete = true;
  uint64_t states = 0;  // those that several parts explored count several times
  uint64_t transitions = 0;
  std::vector<std::string> problems;
  std::set<std::string> expected, found;             // findings
  std::map<std::string, nlohmann::json> conditions;  // null: open
  std::map<std::string, uint64_t> outcomes;          // with the states at rest
  std::vector<std::string> order;                    // of the conditions
};

class Merging {
 public:
  // A part's file. An error says what it lacks.
  absl::Status Add(const std::string& file, const nlohmann::json& part) {
    if (!part.contains("shard")) {
      return absl::InvalidArgumentError(
          "is of no part; it must come from `iomode check --shard I/N --format json`");
    }
    const int number = part["shard"]["number"];
    const int count = part["shard"]["count"];
    const std::string kernel = part["kernel"];
    if (files_.empty()) {
      count_ = count;
      kernel_ = kernel;
    }
    if (count != count_ || kernel != kernel_) {
      return absl::InvalidArgumentError(absl::StrCat("is part ", number, "/", count, " at ", kernel,
                                                     "; the first file's is of ", count_, " at ",
                                                     kernel_));
    }
    const auto [same, is_new] = files_.emplace(number, file);
    if (!is_new)
      return absl::InvalidArgumentError(
          absl::StrCat("is part ", number, "/", count, ", as ", same->second, " is"));
    for (const nlohmann::json& script : part["scripts"]) AddScript(number, script);
    for (const nlohmann::json& name : part["elsewhere"])
      wholes_[name.get<std::string>()].elsewhere.insert(number);
    return absl::OkStatus();
  }

  // Whether all parts are there and fit together.
  absl::Status Complete() const {
    for (int number = 1; number <= count_; number++) {
      if (!files_.contains(number))
        return absl::InvalidArgumentError(
            absl::StrCat("part ", number, "/", count_, " is missing"));
    }
    for (const auto& [name, whole] : wholes_) {
      const size_t told = whole.parts.size() + whole.elsewhere.size();
      const bool divided = whole.elsewhere.empty();
      if (told != files_.size() || (!divided && whole.parts.size() != 1)) {
        return absl::InvalidArgumentError(
            absl::StrCat(name, ": ", whole.parts.size(), " parts explored it, ",
                         whole.elsewhere.size(), " left it to others, of ", count_));
      }
    }
    return absl::OkStatus();
  }

  // Prints the verdicts; the exit code.
  int Judge(bool quiet) {
    int count[3] = {};
    for (auto& [name, whole] : wholes_) {
      const int status = JudgeOne(name, whole);
      count[status]++;
      if (!quiet || status != 0) Print(name, whole, status);
    }
    std::cout << wholes_.size() << " scripts at " << kernel_ << ", " << count_
              << " parts: " << count[0] << " hold, " << count[1] << " fail";
    if (count[2]) std::cout << ", " << count[2] << " incomplete";
    std::cout << "\n";
    if (count[1]) return kExitFails;
    return count[2] ? kExitIncomplete : kExitOk;
  }

 private:
  void AddScript(int number, const nlohmann::json& script) {
    Whole& whole = wholes_[script["script"].get<std::string>()];
    whole.parts.insert(number);
    whole.complete &= script["complete"].get<bool>();
    whole.states += script["states"].get<uint64_t>();
    whole.transitions += script["transitions"].get<uint64_t>();
    if (script["status"] == "FAIL") {
      for (const nlohmann::json& problem : script["problems"]) {
        const std::string text = problem;
        if (std::find(whole.problems.begin(), whole.problems.end(), text) == whole.problems.end())
          whole.problems.push_back(text);
      }
    }
    for (const nlohmann::json& finding : script["findings"])
      whole.found.insert(finding["kind"].get<std::string>());
    for (const nlohmann::json& expected : script.value("expected", nlohmann::json::array()))
      whole.expected.insert(expected.get<std::string>());
    for (const nlohmann::json& outcome : script.value("outcomes", nlohmann::json::array()))
      whole.outcomes[outcome["outcome"]] += outcome["states"].get<uint64_t>();
    for (const nlohmann::json& condition : script.value("conditions", nlohmann::json::array())) {
      const std::string text = condition["condition"];
      const auto [it, is_new] = whole.conditions.emplace(text, condition["holds"]);
      if (is_new) whole.order.push_back(text);
      if (!condition["holds"].is_null()) it->second = condition["holds"];
    }
  }

  // 0 holds, 1 fails, 2 incomplete. Decides what the parts left open.
  static int JudgeOne(const std::string& name, Whole& whole) {
    if (whole.complete) {
      for (const std::string& text : whole.order) {
        nlohmann::json& holds = whole.conditions[text];
        if (!holds.is_null()) continue;
        holds = !absl::StartsWith(text, "exists");
        if (!holds) whole.problems.push_back(absl::StrCat(name, ": does not hold: ", text));
      }
      for (const std::string& finding : whole.expected) {
        if (!whole.found.contains(finding))
          whole.problems.push_back(
              absl::StrCat(name, ": expected finding ", finding, " was not found"));
      }
    }
    if (!whole.problems.empty()) return 1;
    return whole.complete ? 0 : 2;
  }

  static void Print(const std::string& name, const Whole& whole, int status) {
    static constexpr const char* kStatus[] = {"ok", "FAIL", "incomplete"};
    std::cout << kStatus[status] << "  " << name << "\n";
    for (const std::string& problem : whole.problems) std::cout << "  " << problem << "\n";
    for (const auto& [outcome, states] : whole.outcomes)
      std::cout << "    " << states << " :> " << outcome << "\n";
    for (const std::string& text : whole.order) {
      const nlohmann::json& holds = whole.conditions.at(text);
      std::cout << "    "
                << (holds.is_null() ? "open   "
                    : holds         ? "holds  "
                                    : "FAILS  ")
                << text << "\n";
    }
    std::cout << "    " << (whole.complete ? "all" : "incomplete:") << " " << whole.states
              << " states, " << whole.transitions << " transitions explored in "
              << whole.parts.size() << (whole.parts.size() == 1 ? " part\n" : " parts\n");
  }

  int count_ = 0;
  std::string kernel_;
  std::map<int, std::string> files_;  // by part
  std::map<std::string, Whole> wholes_;
};

int Merge(const MergeFlags& flags) {
  Merging merging;
  for (const std::string& file : flags.files) {
    std::ifstream stream(file);
    if (!stream) {
      std::cerr << file << ": cannot be read\n";
      return kExitBadInput;
    }
    absl::Status status;
    try {
      status = merging.Add(file, nlohmann::json::parse(stream));
    } catch (const nlohmann::json::exception& error) {
      status = absl::InvalidArgumentError(absl::StrCat("is no part's JSON: ", error.what()));
    }
    if (!status.ok()) {
      std::cerr << file << " " << status.message() << "\n";
      return kExitBadInput;
    }
  }
  if (const absl::Status status = merging.Complete(); !status.ok()) {
    std::cerr << status.message() << "\n";
    return kExitBadInput;
  }
  return merging.Judge(flags.quiet);
}

}  // namespace

void AddMergeCommand(CommandLine& line) {
  auto flags = std::make_shared<MergeFlags>();
  Command command = line.AddCommand(
      "merge", "judge scripts that were checked in parts, from the JSON of `check --shard`");
  command.AddOption("PART", flags->files, "one JSON file for each part").Required();
  command.AddFlag("--quiet", flags->quiet, "print only what does not hold, and the summary");
  command.Does([flags] { return Merge(*flags); });
}

}  // namespace iomode
