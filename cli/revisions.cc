// SPDX-License-Identifier: GPL-2.0-only
//
// iomode revisions: the table of rules, or what changed with one revision.

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"
#include "cli/commands.h"

namespace iomode {
namespace {

void PrintRows(bool proposals) {
  for (const Revision& revision : Revisions()) {
    if (revision.proposal == proposals)
      std::cout << absl::StreamFormat("  %-25s %s\n", revision.name, revision.title);
  }
}

void PrintTable() {
  std::cout << "revisions\n";
  PrintRows(false);
  std::cout << "proposals\n";
  PrintRows(true);
  std::cout << "\nrules, with the values of the revisions from left to right (+ yes, - no)\n";
  for (const Rule& rule : RuleTable()) {
    std::string values;
    for (const Revision& revision : Revisions()) {
      if (rule.flag != nullptr) {
        values += revision.rules.*rule.flag ? "+" : "-";
      } else {
        values += absl::StrFormat("%d", static_cast<int>(revision.rules.passthrough));
      }
    }
    std::cout << absl::StreamFormat("  %-37s %s  %-12s  %s\n", rule.name, values, rule.commit,
                                    rule.meaning);
  }
  std::cout << "  (passthrough: 0 unknown bit, 1 refused, 2 open only, 3 full)\n";
}

void PrintRevision(const Revision& revision) {
  const Revision* before = PreviousRevision(revision);
  std::cout << revision.name << "  " << revision.title << "\n";
  for (const Change& change : revision.changes)
    std::cout << "  " << change.commit << "  " << change.what << "\n";
  if (before == nullptr) {
    std::cout << "rules\n";
  } else {
    std::cout << "rules that changed against " << before->name << "\n";
  }
  for (const Rule& rule : RuleTable()) {
    const std::string now = rule.Value(revision.rules);
    const std::string then = before ? rule.Value(before->rules) : "";
    if (now == then) continue;
    std::cout << absl::StreamFormat("  %-37s %s%s%s  (%s: %s)\n", rule.name, then,
                                    before ? " -> " : "", now, rule.commit, rule.meaning);
  }
}

nlohmann::json TableAsJson() {
  nlohmann::json json = nlohmann::json::array();
  for (const Revision& revision : Revisions()) {
    nlohmann::json rules;
    for (const Rule& rule : RuleTable()) rules[rule.name] = rule.Value(revision.rules);
    json.push_back({{"name", revision.name},
                    {"title", revision.title},
                    {"proposal", revision.proposal},
                    {"rules", rules}});
  }
  return json;
}

}  // namespace

void AddRevisionsCommand(CommandLine& line) {
  auto name = std::make_shared<std::string>();
  auto format = std::make_shared<std::string>("text");
  Command command = line.AddCommand("revisions", "list the revisions and their rules");
  command.AddOption("REV", *name, "show what changed with this revision");
  command.AddOption("--format", *format, "text or json").OneOf({"text", "json"});
  command.Does([name, format]() -> int {
    if (!name->empty()) {
      const Revision* revision = RevisionOption(*name);
      if (revision == nullptr) return kExitBadInput;
      PrintRevision(*revision);
    } else if (*format == "json") {
      std::cout << TableAsJson().dump(2) << "\n";
    } else {
      PrintTable();
    }
    return kExitOk;
  });
}

}  // namespace iomode
