// SPDX-License-Identifier: GPL-2.0-only
//
// Recordings of a real 6.18 kernel against the model: every one holds, their state lines agree, and
// none would hold with any one result changed.

#include <fstream>
#include <map>
#include <random>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "sim/recorded_states.h"
#include "sim/scenario_files.h"
#include "sim/verdict.h"

namespace iomode {
namespace {

constexpr char kFolder[] = "scenarios/recorded/linux-6.18";

const Revision& Recorded() { return *FindRevision("v6.18"); }

Verdict Check(const Script& script) { return CheckScript(script, Recorded(), {}); }

// The verdict on an unchanged recording, from the first time that one is asked for.
const Verdict& FirstVerdict(const Script& script) {
  static auto* const verdicts = new std::map<std::string, Verdict>;
  const auto it = verdicts->find(script.name);
  if (it != verdicts->end()) return it->second;
  return verdicts->emplace(script.name, Check(script)).first->second;
}

// Such a recording takes as long as all others together: not all is done with it.
bool IsLarge(const Script& script) { return FirstVerdict(script).stats.transitions > 20'000; }

TEST(RecordingsTest, EveryRecordingHolds) {
  for (const Script& script : ScriptsBelow(kFolder)) {
    const Verdict& verdict = FirstVerdict(script);
    EXPECT_TRUE(verdict.recording) << script.name << ": a step has no result";
    EXPECT_EQ(verdict.status, Verdict::Status::kHolds) << absl::StrJoin(verdict.problems, "\n");
  }
}

TEST(RecordingsTest, StatesAgree) {
  for (const std::string& path : FilesBelow(kFolder, ".state.txt")) {
    const Script script = ReadScript(path.substr(0, path.rfind(".state.txt")) + ".iom");
    EXPECT_THAT(StateDisagreements(path, FirstVerdict(script).run), testing::IsEmpty());
  }
}

// What may stand in place of `result`, in random order.
std::vector<Result> Replacements(const Result& result, std::mt19937& random) {
  std::vector<Result> all = {{Result::Kind::kBlocked, 0, Via::kNone},
                             {Result::Kind::kKilled, 0, Via::kNone},
                             {Result::Kind::kErrno, EIO, Via::kNone},
                             {Result::Kind::kErrno, ENOENT, Via::kNone},
                             {Result::Kind::kErrno, ETXTBSY, Via::kNone}};
  for (int64_t value : {int64_t{0}, int64_t{4096}, result.value + 1}) {
    for (Via via : {Via::kNone, Via::kServer, Via::kBacking, Via::kCache})
      all.push_back({Result::Kind::kValue, value, via});
  }
  std::erase(all, result);
  std::shuffle(all.begin(), all.end(), random);
  return all;
}

// Checks the script with a result changed, which it restores.
void ExpectFailure(const Script& script, const Step& step, Alternatives& place,
                   const Result& changed) {
  const Alternatives original = place;
  place = {changed};
  const Verdict verdict = Check(script);
  const std::string claim = absl::StrCat("step ", step.number, " claims", PrintResults(step));
  place = original;
  ASSERT_EQ(verdict.status, Verdict::Status::kFails) << script.name << ": " << claim;
  const std::string where = absl::StrCat(script.name, ":", step.result_pos.line, ":");
  EXPECT_TRUE(absl::StartsWith(verdict.problems.front(), where))
      << verdict.problems.front() << "\nexpected " << where << " first, for " << claim;
}

TEST(RecordingsTest, AnyChangedResultFails) {
  std::mt19937 random(20261123);
  int changed = 0;
  for (Script& script : ScriptsBelow(kFolder)) {
    const RunReport& report = FirstVerdict(script).run;
    const size_t only = random() % script.steps.size();  // of a large one, this step
    for (size_t i = 0; i < script.steps.size(); i++) {
      if (IsLarge(script) && i != only) continue;
      Step& step = script.steps[i];
      const std::set<StepOutcome>& outcomes = report.steps[i].outcomes;
      // Where readahead or a race lets the model allow more than was recorded, that is no error.
      const auto possible = [&outcomes](int completed, const Result& result) {
        return std::any_of(outcomes.begin(), outcomes.end(), [&](const StepOutcome& outcome) {
          if (completed == 0) return outcome.own == result;
          const auto it = outcome.completions.find(completed);
          return it != outcome.completions.end() && it->second == result;
        });
      };
      for (size_t place = 0; place <= step.completions.size(); place++) {
        const int completed = place == 0 ? 0 : step.completions[place - 1].step;
        Alternatives& results = place == 0 ? step.result : step.completions[place - 1].results;
        for (const Result& other : Replacements(results.front(), random)) {
          if (possible(completed, other)) continue;
          ExpectFailure(script, step, results, other);
          changed++;
          break;
        }
      }
    }
  }
  EXPECT_GT(changed, 500);
}

std::string Print(const Verdict& verdict) {
  std::string text = absl::StrCat(verdict.stats.states, " ", verdict.stats.transitions, "\n",
                                  absl::StrJoin(verdict.problems, "\n"), "\n",
                                  absl::StrJoin(verdict.notes, "\n"), "\n");
  for (const Finding& finding : verdict.findings)
    absl::StrAppend(&text, PrintFinding(finding), "\n");
  for (const StepReport& step : verdict.run.steps) {
    for (const StepOutcome& outcome : step.outcomes) {
      absl::StrAppend(&text, "-> ", PrintResult(outcome.own));
      for (const auto& [number, result] : outcome.completions)
        absl::StrAppend(&text, "; ", number, " -> ", PrintResult(result));
      absl::StrAppend(&text, "\n");
    }
    for (const std::vector<std::string>& lines : step.state_lines)
      absl::StrAppend(&text, absl::StrJoin(lines, "\n"), "\n");
  }
  return text;
}

TEST(RecordingsTest, SameReportTwice) {
  for (Script& script : ScriptsBelow(kFolder)) {
    const std::string report = Print(FirstVerdict(script));
    EXPECT_GT(report.size(), 40u) << script.name;
    EXPECT_EQ(report, Print(Check(script))) << script.name;
    if (IsLarge(script)) continue;
    script.steps.back().result = {{Result::Kind::kErrno, EXDEV, Via::kNone}};
    EXPECT_EQ(Print(Check(script)), Print(Check(script))) << script.name << ", made to fail";
  }
}

}  // namespace
}  // namespace iomode
