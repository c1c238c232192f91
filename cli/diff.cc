// SPDX-License-Identifier: GPL-2.0-only
//
// iomode diff: the shortest scripts that tell two revisions apart.

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/bounds.h"
#include "cli/commands.h"
#include "sim/revision_diff.h"

namespace iomode {
namespace {

struct DiffFlags {
  std::string left;
  std::string right;
  std::string format = "text";
  DiffOptions options;
  Watch::Limits limits;
};

void PrintDifference(const DiffFlags& flags, const Difference& difference) {
  std::cout << (difference.rules.empty() ? "several rules together" : difference.rules);
  for (const Rule& rule : RuleTable()) {
    if (difference.rules == rule.name)
      std::cout << "  (" << rule.commit << ": " << rule.meaning << ")";
  }
  std::cout << "\n";
  const std::string text = PrintScript(difference.left);
  std::cout << text.substr(0, text.find("\n1: ") + 1);
  for (size_t i = 0; i < difference.left.steps.size(); i++) {
    const Step& left = difference.left.steps[i];
    const Step& right = difference.right.steps[i];
    const std::string step = PrintStep(difference.left, left);
    if (left.result == right.result && PrintResults(left) == PrintResults(right)) {
      std::cout << step << PrintResults(left) << "\n";
      continue;
    }
    std::cout << step << "\n";
    std::cout << absl::StreamFormat("#     %-25s %s\n", flags.left, PrintResults(left));
    std::cout << absl::StreamFormat("#     %-25s %s\n", flags.right, PrintResults(right));
  }
  for (const std::string& finding : difference.left_findings)
    std::cout << "# " << flags.left << " finds " << finding << "\n";
  for (const std::string& finding : difference.right_findings) {
    std::cout << "# " << flags.right << " finds " << finding << "\n";
  }
  std::cout << "\n";
}

nlohmann::json ToJson(const Difference& difference) {
  return {{"rules", difference.rules},
          {"left", PrintScript(difference.left)},
          {"right", PrintScript(difference.right)},
          {"left_findings", difference.left_findings},
          {"right_findings", difference.right_findings}};
}

int Diff(DiffFlags& flags) {
  const Revision* left = RevisionOption(flags.left);
  const Revision* right = RevisionOption(flags.right);
  if (left == nullptr || right == nullptr) return kExitBadInput;
  DiffReport report;
  std::string stopped;
  {
    CommandWatch watch(flags.limits);
    flags.options.watch = watch.watch();
    report = DiffRevisions(*left, *right, flags.options);
    stopped = watch.watch()->reason();
  }
  const std::string bounds = absl::StrFormat(
      "%d files, %d backings, %d held writes a file, %d steps, %d pairs of states a connection; %d "
      "pairs, %d operations compared",
      flags.options.files, flags.options.backings, flags.options.writes, flags.options.max_steps,
      flags.options.max_states, report.states, report.edges);
  if (flags.format == "json") {
    nlohmann::json json = {{"left", left->name},
                           {"right", right->name},
                           {"complete", report.complete},
                           {"states", report.states},
                           {"edges", report.edges},
                           {"unseen_rules", report.unseen},
                           {"differences", nlohmann::json::array()}};
    for (const Difference& difference : report.differences)
      json["differences"].push_back(ToJson(difference));
    std::cout << json.dump(2) << "\n";
  } else {
    for (const Difference& difference : report.differences) PrintDifference(flags, difference);
    if (report.differences.empty()) std::cout << "no difference within " << bounds << "\n";
    if (!report.differences.empty())
      std::cout << report.differences.size() << " differences within " << bounds << "\n";
    for (const std::string& rule : report.unseen)
      std::cout << "no script within the bounds shows rule " << rule << "\n";
    if (!stopped.empty()) std::cout << "incomplete: " << stopped << "\n";
  }
  if (!stopped.empty()) return kExitIncomplete;
  return report.differences.empty() ? kExitOk : kExitFails;
}

}  // namespace

void AddDiffCommand(CLI::App& app, Action& action) {
  auto flags = std::make_shared<DiffFlags>();
  CLI::App* command =
      app.add_subcommand("diff", "shortest scripts whose results differ between two revisions");
  command->add_option("REV1", flags->left, "a revision")->required();
  command->add_option("REV2", flags->right, "another")->required();
  command->add_option("--files", flags->options.files, "files open at a time")
      ->check(CLI::Range(1, 4));
  command->add_option("--backings", flags->options.backings, "backing files")
      ->check(CLI::Range(0, 3));
  command->add_option("--writes", flags->options.writes, "held direct writes for each file")
      ->check(CLI::Range(0, 3));
  command->add_option("--steps", flags->options.max_steps, "longest script")
      ->check(CLI::Range(1, 12));
  command->add_option("--max-states", flags->options.max_states,
                      "pairs of states for each set of capabilities");
  AddLimits(command, flags->limits);
  command->add_option("--format", flags->format, "text or json")
      ->check(CLI::IsMember({"text", "json"}));
  command->callback([flags, &action] { action = [flags] { return Diff(*flags); }; });
}

}  // namespace iomode
