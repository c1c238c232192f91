// SPDX-License-Identifier: GPL-2.0-only

#include "cli/sampling.h"

#include <cmath>
#include <ostream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace iomode {
namespace {

// What one run showed, and the command that shows it again.
struct Repeat {
  std::string what;
  Sighting sighting;
  std::string command;
};

// For each finding, each condition that failed and each `exists` that was met: its first run.
std::vector<Repeat> RunsToRepeat(const Script& script, const Revision& revision,
                                 const Verdict& verdict, const SamplingFlags& flags) {
  std::vector<Repeat> repeats;
  const auto add = [&](const std::string& what, const Sighting& sighting) {
    std::string command = absl::StrCat("iomode check ", script.name, " --kernel ", revision.name,
                                       " --mode ", flags.mode);
    if (flags.options.mode == SampleOptions::Mode::kPct) {
      absl::StrAppend(&command, " --depth ", flags.options.depth, " --steps ",
                      verdict.sample.steps);
    }
    absl::StrAppend(&command, " --seed ", sighting.seed, " --runs 1");
    repeats.push_back({what, sighting, command});
  };
  for (const auto& [kind, sighting] : verdict.sample.kinds)
    add(absl::StrCat("finding ", FindingName(kind)), sighting);
  for (size_t i = 0; i < verdict.litmus.conditions.size(); i++) {
    const Condition& condition = script.conditions[i];
    const bool always = condition.quantifier == Condition::Quantifier::kAlways;
    Sighting first;
    for (const auto& [outcome, sighting] : verdict.sample.outcomes) {
      if (Holds(condition.expr, outcome) == always) continue;
      if (first.runs == 0 || sighting.seed < first.seed) first.seed = sighting.seed;
      first.runs += sighting.runs;
    }
    if (first.runs > 0) {
      add(absl::StrCat(verdict.litmus.conditions[i] == Truth::kHolds ? "seen " : "broken ",
                       PrintCondition(condition)),
          first);
    }
  }
  return repeats;
}

// "1/29645, 0.0000337 a run".
std::string Guarantee(const SampleReport& sample, const SampleOptions& options) {
  const double one = PctGuarantee(sample, options.depth);
  const double all = -std::expm1(static_cast<double>(sample.runs) * std::log1p(-one));
  std::string text = absl::StrFormat(
      "a bug of depth %d shows in a run with probability 1/(n*k^%d) = 1/%.0f at least, in all of "
      "them with %.3g",
      options.depth, options.depth - 1, 1 / one, one >= 1 ? 1 : all);
  if (sample.longer > 0) {
    absl::StrAppend(&text, "; ", sample.longer,
                    " runs were longer than k, and that is not said of them");
  }
  return text;
}

}  // namespace

std::optional<SampleOptions> SamplingFlags::ToOptions() const {
  if (mode == "all") return std::nullopt;
  return options;
}

void AddSampling(Command command, SamplingFlags& flags) {
  command
      .AddOption("--mode", flags.mode,
                 "of a litmus script's interleavings: all; or some, as pct (priorities) or "
                 "random picks them")
      .OneOf({"all", "pct", "random"})
      .Each([&flags](const std::string& mode) {
        flags.options.mode =
            mode == "random" ? SampleOptions::Mode::kRandom : SampleOptions::Mode::kPct;
      });
  command
      .AddOption("--depth", flags.options.depth,
                 "pct: how many steps must come in the right order for the bug to show")
      .InRange(1, 16);
  command.AddOption("--runs", flags.options.runs, "pct and random: how many").Positive();
  command.AddOption("--seed", flags.options.seed,
                    "pct and random: of the first run; each next one's is one more");
  command
      .AddOption("--steps", flags.options.steps,
                 "pct: steps of a run, among which priorities change; default: measured")
      .Positive();
}

void PrintSample(const Script& script, const Revision& revision, const Verdict& verdict,
                 const SamplingFlags& flags, std::ostream& out) {
  const SampleReport& sample = verdict.sample;
  for (const auto& [outcome, sighting] : sample.outcomes)
    out << "    " << sighting.runs << " runs :> " << PrintOutcome(outcome) << "\n";
  for (size_t i = 0; i < verdict.litmus.conditions.size(); i++) {
    const Condition& condition = script.conditions[i];
    const bool always = condition.quantifier == Condition::Quantifier::kAlways;
    std::string what = "not seen in ";
    if (verdict.litmus.conditions[i] == Truth::kHolds) what = "seen in some of ";
    if (verdict.litmus.conditions[i] == Truth::kFails) what = "FAILS in some of ";
    if (verdict.litmus.conditions[i] == Truth::kOpen && always) what = "otherwise not seen in ";
    out << "    " << what << sample.runs << " runs: " << PrintCondition(condition) << "\n";
  }
  for (const Repeat& repeat : RunsToRepeat(script, revision, verdict, flags)) {
    out << "    " << repeat.what << ": in " << repeat.sighting.runs << " runs, the first again by\n"
        << "      " << repeat.command << "\n";
  }
  out << "    " << PrintExtent(verdict) << "; seeds " << flags.options.seed << " to "
      << flags.options.seed + sample.runs - 1 << "\n"
      << "    n = " << sample.tasks << " tasks, at most " << sample.longest << " steps a run";
  if (flags.options.mode == SampleOptions::Mode::kPct)
    out << ", k = " << sample.steps << ": " << Guarantee(sample, flags.options);
  out << "\n";
}

nlohmann::json SampleToJson(const Script& script, const Revision& revision, const Verdict& verdict,
                            const SamplingFlags& flags) {
  const SampleReport& sample = verdict.sample;
  nlohmann::json json = {{"mode", flags.mode},        {"seed", flags.options.seed},
                         {"runs", sample.runs},       {"tasks", sample.tasks},
                         {"longest", sample.longest}, {"repeat", nlohmann::json::array()}};
  if (flags.options.mode == SampleOptions::Mode::kPct) {
    json["depth"] = flags.options.depth;
    json["steps"] = sample.steps;
    json["longer_than_steps"] = sample.longer;
    json["guarantee_per_run"] = PctGuarantee(sample, flags.options.depth);
  }
  for (const Repeat& repeat : RunsToRepeat(script, revision, verdict, flags)) {
    json["repeat"].push_back({{"what", repeat.what},
                              {"runs", repeat.sighting.runs},
                              {"seed", repeat.sighting.seed},
                              {"command", repeat.command}});
  }
  return json;
}

}  // namespace iomode
