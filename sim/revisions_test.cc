// SPDX-License-Identifier: GPL-2.0-only
//
// Revisions against one another: upstream's bugs are found where they are and nowhere else, the
// scripts that pin a revision hold there, the proposals mend what they are for, and no rule is
// without a script that shows it.

#include <filesystem>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "model/revision.h"
#include "sim/recorded_states.h"
#include "sim/scenario_files.h"
#include "sim/verdict.h"

namespace iomode {
namespace {

// More than any script needs. One that gets here is incomplete, which no test takes for a pass.
constexpr CheckOptions kOptions = {.max_states = 1'000'000};

// The script as a question: without claims every interleaving is followed to its end.
Script WithoutClaims(Script script) {
  script.conditions.clear();
  for (Step& step : script.steps) {
    step.has_result = false;
    step.result.clear();
    step.completions.clear();
  }
  return script;
}

// "starvation warn": the kinds of finding, sorted.
std::set<std::string> Kinds(const Script& script, const Revision& revision) {
  const Verdict verdict = CheckScript(WithoutClaims(script), revision, kOptions);
  EXPECT_TRUE(verdict.stats.complete) << script.name << " at " << revision.name;
  std::set<std::string> kinds;
  for (const Finding& finding : verdict.findings) kinds.insert(FindingName(finding.kind));
  return kinds;
}

struct UpstreamBug {
  const char* script;
  const char* finding;
  std::set<std::string> broken;
};

TEST(RevisionsTest, UpstreamBugsAreFoundWhereTheyAre) {
  const std::vector<UpstreamBug> bugs = {
      {"U1-overlapping-writes-warn",
       "warn",
       {"205c1d8026", "fc8ff397b2", "4a90451bbc", "v6.9-rc1"}},
      {"U2-passthrough-writes-never-overlap", "false-busy", {"4a90451bbc", "v6.9-rc1"}},
      {"U3-cached-opener-starves",
       "starvation",
       {"205c1d8026", "fc8ff397b2", "4a90451bbc", "v6.9-rc1", "v6.9"}},
      {"U4-async-write-leaves-stale-page",
       "stale-page",
       {"205c1d8026", "fc8ff397b2", "4a90451bbc", "v6.9-rc1", "v6.9", "v6.12", "v6.18"}},
  };
  for (const UpstreamBug& bug : bugs) {
    const Script script = ReadScript(absl::StrCat("scenarios/upstream/", bug.script, ".iom"));
    for (const Revision& revision : Revisions()) {
      EXPECT_EQ(Kinds(script, revision).contains(bug.finding), bug.broken.contains(revision.name))
          << bug.finding << " in " << script.name << " at " << revision.name;
    }
  }
}

// Both at the start and at the end of the second write.
TEST(RevisionsTest, BothWarningsOfOverlappingWritesFire) {
  const Script script = ReadScript("scenarios/upstream/U1-overlapping-writes-warn.iom");
  for (const char* name : {"205c1d8026", "fc8ff397b2", "4a90451bbc", "v6.9-rc1"}) {
    std::set<std::string> rules;
    for (const Finding& finding : CheckScript(script, *FindRevision(name), kOptions).findings)
      rules.insert(finding.rule);
    const std::set<std::string> both = {"WARN_ON(ff->iomode != IOM_NONE)",
                                        "WARN_ON(ff->iomode != IOM_UNCACHED)"};
    EXPECT_EQ(rules, both) << name;
  }
}

// Whether the script passes: its verdict, and its states where a `.state.txt` stands beside it.
Verdict::Status Judge(const Script& script, const Revision& revision, const CheckOptions& options) {
  const Verdict verdict = CheckScript(script, revision, options);
  const std::string states = script.name.substr(0, script.name.rfind(".iom")) + ".state.txt";
  const bool judged = verdict.status == Verdict::Status::kHolds &&
                      absl::StrContains(script.name, "/revisions/") &&
                      std::filesystem::exists(states);
  if (judged && !StateDisagreements(states, verdict.run).empty()) return Verdict::Status::kFails;
  return verdict.status;
}

TEST(RevisionsTest, PinsHold) {
  for (const Revision& revision : Revisions()) {
    if (revision.proposal) continue;
    const std::vector<Script> pins =
        ScriptsBelow(absl::StrCat("scenarios/revisions/", revision.name));
    EXPECT_GE(pins.size(), 12u) << revision.name;
    for (const Script& script : pins) {
      const Verdict verdict = CheckScript(script, revision, kOptions);
      EXPECT_TRUE(verdict.recording) << script.name << ": a step has no result";
      EXPECT_EQ(verdict.status, Verdict::Status::kHolds) << absl::StrJoin(verdict.problems, "\n");
      EXPECT_EQ(Judge(script, revision, kOptions), Verdict::Status::kHolds) << script.name;
    }
  }
}

// Scripts that expect `finding`: at v7.3 it is found, at `proposal` it is not.
void ExpectMended(const std::string& finding, const char* proposal) {
  int count = 0;
  for (const char* folder : {"scenarios/hazards", "scenarios/litmus"}) {
    for (const Script& script : ScriptsBelow(folder)) {
      const bool expected = std::any_of(
          script.expectations.begin(), script.expectations.end(),
          [&finding](const Expectation& expectation) { return expectation.finding == finding; });
      if (!expected) continue;
      count++;
      // What is found counts, however little was explored; what is not must not be there at all.
      const Verdict found =
          CheckScript(WithoutClaims(script), *FindRevision("v7.3"), {.max_states = 1'000'000});
      EXPECT_TRUE(
          std::any_of(found.findings.begin(), found.findings.end(),
                      [&finding](const Finding& f) { return FindingName(f.kind) == finding; }))
          << script.name;
      EXPECT_FALSE(Kinds(script, *FindRevision(proposal)).contains(finding))
          << script.name << " at " << proposal;
    }
  }
  EXPECT_GE(count, 4) << finding;
}

TEST(RevisionsTest, WakeOnAttachMendsLostWakeups) {
  ExpectMended("lost-wakeup", "v7.3+wake-on-attach");
}

TEST(RevisionsTest, RecheckBitInWaitMendsStarvation) {
  ExpectMended("starvation", "v7.3+recheck-bit-in-wait");
}

TEST(RevisionsTest, ProposalsBreakNothing) {
  for (const Script& script : ScriptsBelow("scenarios/hazards")) {
    const std::set<std::string> before = Kinds(script, *FindRevision("v7.3"));
    for (const Revision& revision : Revisions()) {
      if (!revision.proposal) continue;
      for (const std::string& kind : Kinds(script, revision)) {
        EXPECT_TRUE(before.contains(kind))
            << kind << " in " << script.name << " at " << revision.name << ", not at v7.3";
      }
    }
  }
}

// Scripts with their verdicts at one revision.
struct Suite {
  const Revision* revision;
  std::vector<std::pair<Script, Verdict>> scripts;
};

// Scripts of more states are left out, for the time they take.
constexpr CheckOptions kFlipOptions = {.max_states = 14'500};

// The scripts by rising number of states.
Suite MakeSuite(const Revision& revision, std::vector<Script> scripts) {
  Suite suite = {&revision, {}};
  for (Script& script : scripts) {
    Verdict verdict = CheckScript(script, revision, kFlipOptions);
    if (verdict.status == Verdict::Status::kIncomplete) continue;
    suite.scripts.emplace_back(std::move(script), std::move(verdict));
  }
  std::stable_sort(suite.scripts.begin(), suite.scripts.end(), [](const auto& a, const auto& b) {
    return a.second.stats.states < b.second.stats.states;
  });
  return suite;
}

// The first script of the suite that the rule decides, or "".
std::string FirstThatShows(const Rule& rule, const Suite& suite) {
  Revision flipped = *suite.revision;
  rule.Flip(flipped.rules);
  for (const auto& [script, verdict] : suite.scripts) {
    const Verdict::Status status = Judge(script, flipped, kFlipOptions);
    if (status != Verdict::Status::kIncomplete && status != verdict.status) return script.name;
  }
  return "";
}

// Pins of the newest revision, every other script at the newest, then each older revision's pins.
std::vector<Suite> AllSuites() {
  std::vector<Suite> suites;
  for (const Revision& revision : Revisions()) {
    if (revision.proposal) continue;
    suites.insert(
        suites.begin(),
        MakeSuite(revision, ScriptsBelow(absl::StrCat("scenarios/revisions/", revision.name))));
  }
  std::vector<Script> others;
  for (Script& script : ScriptsBelow("scenarios")) {
    if (!absl::StrContains(script.name, "/revisions/")) others.push_back(std::move(script));
  }
  suites.insert(suites.begin() + 1, MakeSuite(NewestRevision(), std::move(others)));
  return suites;
}

TEST(RevisionsTest, EveryRuleHasAScriptThatShowsIt) {
  const std::vector<Suite> suites = AllSuites();
  for (const Rule& rule : RuleTable()) {
    std::string shown_by;
    for (const Suite& suite : suites) {
      shown_by = FirstThatShows(rule, suite);
      if (!shown_by.empty()) break;
    }
    EXPECT_NE(shown_by, "") << rule.name << ": flipping it makes no script fail";
    RecordProperty(rule.name, shown_by);
  }
}

// Between 4864a6dd8320 and 7cc911262835 neither may be without the other: a parallel write that
// marks a passthrough file takes that file's own mark away, and its reference is never dropped.
TEST(RevisionsTest, AReferenceThatIsNeverDroppedIsFound) {
  const Script script = *ParseScript("leak.iom",
                                     "conn passthrough direct_io_allow_mmap\n"
                                     "inode A\n"
                                     "backing B1\n"
                                     "1: backing_open B1\n"
                                     "2: open q A PASSTHROUGH|DIRECT_IO|PARALLEL_DIRECT_WRITES "
                                     "backing=B1\n"
                                     "3: write q\n"
                                     "4: close q\n");
  Revision leaks = *FindRevision("v6.9");
  leaks.rules.parallel_write_marks_file = true;
  EXPECT_TRUE(Kinds(script, leaks).contains("leak"));
  EXPECT_FALSE(Kinds(script, *FindRevision("v6.9")).contains("leak"));
}

}  // namespace
}  // namespace iomode
