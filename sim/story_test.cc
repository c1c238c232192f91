// SPDX-License-Identifier: GPL-2.0-only
//
// Stories of what the litmus scripts find: that they replay, what they say, and their formats.

#include "sim/story.h"

#include <regex.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "model/revision.h"
#include "sim/run_goals.h"
#include "sim/scenario_files.h"
#include "sim/story_formats.h"

namespace iomode {
namespace {

constexpr uint64_t kMaxStates = 2'000'000;

Counterexample ShortestOf(const Script& script, const Revision& revision, const RunTest& goal) {
  const FoundSchedule found =
      FindShortestRun(script, revision, {.goal = goal, .max_states = kMaxStates});
  EXPECT_TRUE(found.found) << script.name << " at " << revision.name;
  return Explain(script, revision, found.schedule, kMaxStates);
}

Counterexample StoryOf(const char* name, const char* revision = "v7.3") {
  return ShortestOf(ReadScript(absl::StrCat("scenarios/", name, ".iom")), *FindRevision(revision),
                    FindsAnything());
}

std::string AllFormats(const Counterexample& example) {
  return absl::StrCat(StoryText(example), StoryJson(example), StoryMermaid(example),
                      StoryChromeTrace(example));
}

// Every finding of every litmus script: its story has it, and its token gives the story again.
// Scripts of more than `max_states` states are left out.
void ExpectStoriesReplay(const Revision& revision, uint64_t max_states, size_t at_least) {
  size_t stories = 0;
  for (const Script& script : ScriptsBelow("scenarios/litmus")) {
    const Verdict verdict = CheckScript(script, revision, {.max_states = max_states});
    if (!verdict.stats.complete) continue;
    for (const Finding& finding : verdict.findings) {
      const FoundSchedule found =
          FindShortestRun(script, revision, {.goal = FindsLike(finding), .max_states = kMaxStates});
      ASSERT_TRUE(found.found) << script.name << ": " << PrintFinding(finding);
      const Story story = TellStory(script, revision, found.schedule);
      EXPECT_TRUE(std::any_of(story.findings.begin(), story.findings.end(),
                              [&](const Finding& f) { return IsLike(f, finding); }))
          << script.name << ": " << PrintFinding(finding);
      EXPECT_EQ(story.cost, found.cost) << script.name;
      const absl::StatusOr<ReplayedRun> replay = ReadToken(script, story.token);
      ASSERT_TRUE(replay.ok()) << script.name << ": " << replay.status().message();
      EXPECT_EQ(replay->schedule, found.schedule) << script.name;
      EXPECT_EQ(replay->revision, &revision);
      EXPECT_EQ(StoryText({TellStory(script, revision, replay->schedule), {}, {}, {}}),
                StoryText({story, {}, {}, {}}));
      stories++;
    }
  }
  EXPECT_GE(stories, at_least) << revision.name;
}

TEST(StoryTest, EveryFindingHasAStoryThatReplays) {
  ExpectStoriesReplay(*FindRevision("v7.3"), kMaxStates, 7);
}

// Older revisions have more kinds of finding: warn, false-busy, stale-page.
TEST(StoryTest, EveryFindingOfAnOldRevisionHasAStoryThatReplays) {
  ExpectStoriesReplay(*FindRevision("v6.9-rc1"), 3000, 10);
}

TEST(StoryTest, TwiceIsTheSame) {
  const Counterexample first = StoryOf("litmus/H1-lost-wakeup");
  // Another machine meanwhile, so that the second one lies elsewhere in memory.
  const Script other = ReadScript("scenarios/litmus/H15-two-openers.iom");
  const ScriptRun run(other, NewestRevision(), false);
  EXPECT_EQ(AllFormats(first), AllFormats(StoryOf("litmus/H1-lost-wakeup")));
}

TEST(StoryTest, LostWakeup) {
  const Counterexample example = StoryOf("litmus/H1-lost-wakeup");
  const Story& story = example.story;
  EXPECT_EQ(story.cost.switches, 3u);
  ASSERT_EQ(story.findings.size(), 1u);
  EXPECT_EQ(story.findings[0].kind, FindingKind::kLostWakeup);
  EXPECT_EQ(story.outcome, "P0.1=4096 via=server  P1.1=blocked  P2.1=0");
  ASSERT_EQ(story.sleepers.size(), 1u);
  EXPECT_EQ(story.sleepers[0].task, "P1.1 (open c A KEEP_CACHE)");
  EXPECT_EQ(story.sleepers[0].object, "A.direct_io_waitq");
  EXPECT_EQ(story.sleepers[0].function, "fuse_file_cached_io_open");
  EXPECT_TRUE(absl::StrContains(story.sleepers[0].waits_for, "which is so now"));
  EXPECT_TRUE(absl::EndsWith(story.sleepers[0].wakes, "held by file p")) << story.sleepers[0].wakes;

  // The sleeper sleeps, then the backing comes, and nobody is woken from there on.
  const auto step_with = [&story](const char* verb, const char* object) {
    for (size_t i = 0; i < story.steps.size(); i++) {
      for (const StoryEvent& event : story.steps[i].events) {
        if (event.verb == verb && event.object == object) return static_cast<int>(i);
      }
    }
    return -1;
  };
  const int sleeps = step_with("sleeps on", "A.direct_io_waitq");
  const int attaches = step_with("exchanges", "A.fb");
  ASSERT_GE(sleeps, 0);
  ASSERT_GT(attaches, sleeps);
  EXPECT_EQ(story.steps[attaches].task, "P2.1");
  EXPECT_EQ(story.steps[attaches].events[0].function, "fuse_inode_uncached_io_start");
  ASSERT_EQ(story.steps[attaches].changes.size(), 1u);
  EXPECT_EQ(PrintChange(story.steps[attaches].changes[0]), "A: fb - -> B1(refs=2)");
  EXPECT_EQ(step_with("wakes", "P1.1"), -1);

  // Up to the attaching the write could have ended first, and the opener with it.
  ASSERT_TRUE(example.good.has_value());
  EXPECT_LE(example.nearest->common, static_cast<size_t>(attaches));
  EXPECT_GT(example.nearest->common, static_cast<size_t>(sleeps));
  EXPECT_TRUE(example.good->findings.empty());
  EXPECT_TRUE(example.good->sleepers.empty());
}

TEST(StoryTest, LostCacheBit) {
  const Counterexample example = StoryOf("litmus/H15-two-openers");
  ASSERT_FALSE(example.story.findings.empty());
  EXPECT_EQ(example.story.findings[0].kind, FindingKind::kStarvation);
  ASSERT_EQ(example.story.sleepers.size(), 1u);
  EXPECT_TRUE(absl::StrContains(example.story.sleepers[0].waits_for, "which is not so yet"));
  // The bit is clear although somebody sleeps.
  EXPECT_TRUE(absl::StrContains(example.story.states[0], "CACHE_IO_MODE=0"));
  EXPECT_TRUE(absl::StrContains(example.story.states[0], "waiters=1"));
  ASSERT_TRUE(example.good.has_value());
}

// A sequence: the story runs over its steps, and their results stand with them.
TEST(StoryTest, Sequence) {
  const Counterexample example = StoryOf("hazards/H1-lost-wakeup");
  const Story& story = example.story;
  ASSERT_EQ(story.findings.size(), 1u);
  EXPECT_EQ(story.findings[0].kind, FindingKind::kLostWakeup);
  ASSERT_EQ(story.parts.size(), 6u);  // the sixth step is ready to start
  EXPECT_EQ(story.parts[3].title, "step 4: open c A KEEP_CACHE");
  EXPECT_EQ(story.parts[3].results, "-> blocked");
  EXPECT_FALSE(example.sequence.has_value());
}

// Nothing to blame: every run of a script that always has the finding.
TEST(StoryTest, NoRunEndsWell) {
  const Script script = *ParseScript("leak.iom",
                                     "conn passthrough direct_io_allow_mmap\ninode A\nbacking B1\n"
                                     "1: backing_open B1\n"
                                     "2: open w A DIRECT_IO|PARALLEL_DIRECT_WRITES\n"
                                     "3: write w hold -> blocked\n"
                                     "4: open c A KEEP_CACHE -> blocked\n"
                                     "5: open p A PASSTHROUGH backing=B1 -> 0\n");
  const Counterexample example = ShortestOf(script, NewestRevision(), FindsAnything());
  EXPECT_FALSE(example.nearest->found);
  EXPECT_TRUE(example.nearest->complete);
  EXPECT_TRUE(absl::StrContains(StoryText(example), "no interleaving ends well"));
}

// The run that ends well parts as late as possible: from one step further on nothing ends well.
TEST(StoryTest, TheNearestGoodRunPartsLast) {
  for (const char* name : {"H1-lost-wakeup", "H1-lost-wakeup-of-mmap", "abort-lost-wakeup"}) {
    const Script script = ReadScript(absl::StrCat("scenarios/litmus/", name, ".iom"));
    const Counterexample example = ShortestOf(script, NewestRevision(), FindsAnything());
    ASSERT_TRUE(example.good.has_value()) << name;
    const FindingKind kind = example.story.findings[0].kind;
    const FoundSchedule bad = FindShortestRun(script, NewestRevision(), {.goal = FindsAnything()});
    ScriptRun run(script, NewestRevision(), true);
    for (size_t i = 0; i < example.nearest->common; i++) {
      EXPECT_EQ(bad.schedule[i], example.nearest->schedule[i]);
      run.Take(bad.schedule[i]);
    }
    EXPECT_NE(bad.schedule[example.nearest->common],
              example.nearest->schedule[example.nearest->common]);
    const RunTest met = FindsLike({kind, "", "", "", ""});
    const RunTest well = [&met](const ScriptRun& r) { return r.at_end() && !met(r); };
    EXPECT_TRUE(FindShortestSchedule(run, {.goal = well, .avoid = met}).found);
    run.Take(bad.schedule[example.nearest->common]);
    if (!met(run)) {
      EXPECT_FALSE(FindShortestSchedule(run, {.goal = well, .avoid = met}).found);
    }
  }
}

TEST(StoryTest, OutcomesHaveStoriesToo) {
  const Script script = ReadScript("scenarios/litmus/H1-closed-in-time.iom");
  const absl::StatusOr<Condition::Expr> expr = ParseOutcome(script, "o", "P1.1 == EIO");
  ASSERT_TRUE(expr.ok());
  const Counterexample example = ShortestOf(script, NewestRevision(), EndsWith(*expr));
  EXPECT_TRUE(example.story.findings.empty());
  EXPECT_TRUE(absl::StrContains(example.story.outcome, "P1.1=EIO"));
  ASSERT_TRUE(example.good.has_value());
  EXPECT_NE(example.good->outcome, example.story.outcome);
}

TEST(SequenceTest, LostWakeupAsASequence) {
  for (const char* name : {"litmus/H1-lost-wakeup", "litmus/H1-lost-wakeup-of-mmap"}) {
    const Counterexample example = StoryOf(name);
    ASSERT_TRUE(example.sequence.has_value() && example.sequence->found) << name;
    EXPECT_TRUE(example.sequence->every_run) << name;
    // As text it is a script that holds, and expects the finding.
    const absl::StatusOr<Script> script =
        ParseScript("sequence.iom", PrintScript(example.sequence->script));
    ASSERT_TRUE(script.ok()) << script.status().message();
    EXPECT_FALSE(script->is_litmus());
    const Verdict verdict = CheckScript(*script, NewestRevision(), {});
    EXPECT_EQ(verdict.status, Verdict::Status::kHolds);
    ASSERT_FALSE(verdict.findings.empty());
    EXPECT_EQ(verdict.findings[0].kind, FindingKind::kLostWakeup);
  }
}

// What needs a task to stop between two requests cannot be had by holding requests.
TEST(SequenceTest, NoneWhereRequestsDoNotHelp) {
  const Counterexample example = StoryOf("litmus/H15-two-openers");
  ASSERT_TRUE(example.sequence.has_value());
  EXPECT_FALSE(example.sequence->found);
  EXPECT_TRUE(example.sequence->complete);
}

TEST(FormatsTest, JsonSaysWhatTheStorySays) {
  const Counterexample example = StoryOf("litmus/H1-lost-wakeup");
  const nlohmann::json json = nlohmann::json::parse(StoryJson(example));
  EXPECT_EQ(json["kernel"], "v7.3");
  EXPECT_EQ(json["replay"], example.story.token);
  EXPECT_EQ(json["steps"].size(), example.story.steps.size());
  EXPECT_EQ(json["steps"][9]["number"], 10);
  EXPECT_EQ(json["findings"][0]["kind"], "lost-wakeup");
  EXPECT_EQ(json["end"]["sleepers"][0]["object"], "A.direct_io_waitq");
  EXPECT_EQ(json["nearest_good_run"]["parts_at_step"], example.nearest->common + 1);
  EXPECT_EQ(json["sequence"]["found"], true);
}

// Slices of one track are nested or apart, arrows have two ends, as Perfetto wants them.
void ExpectTraceIsWellFormed(const std::string& text) {
  const nlohmann::json json = nlohmann::json::parse(text);
  ASSERT_TRUE(json["traceEvents"].is_array());
  std::map<int, std::vector<std::pair<int64_t, int64_t>>> open;  // by track: slices around
  std::map<int, int> arrows;
  std::set<int> named;
  for (const nlohmann::json& event : json["traceEvents"]) {
    const std::string ph = event["ph"];
    ASSERT_EQ(event["pid"], 1);
    if (ph == "M" && event["name"] == "thread_name") named.insert(event["tid"].get<int>());
    if (ph == "s") arrows[event["id"]]++;
    if (ph == "f") arrows[event["id"]]--;
    if (ph != "X") continue;
    const int64_t begin = event["ts"];
    const int64_t end = begin + event["dur"].get<int64_t>();
    EXPECT_LT(begin, end);
    EXPECT_TRUE(named.contains(event["tid"].get<int>()));
    std::vector<std::pair<int64_t, int64_t>>& around = open[event["tid"]];
    while (!around.empty() && around.back().second <= begin) around.pop_back();
    if (!around.empty()) {
      EXPECT_LE(around.back().first, begin) << event;
      EXPECT_GE(around.back().second, end) << event;
    }
    around.push_back({begin, end});
  }
  EXPECT_FALSE(open.empty());
  for (const auto& [id, ends] : arrows) EXPECT_EQ(ends, 0) << id;
}

// What the groups of a POSIX pattern match, after the match itself; empty when it has none.
// (<regex> takes seconds to compile.)
std::vector<std::string> Groups(const std::string& line, const char* pattern) {
  regex_t compiled;
  EXPECT_EQ(regcomp(&compiled, pattern, REG_EXTENDED), 0) << pattern;
  regmatch_t found[6];
  std::vector<std::string> groups;
  if (regexec(&compiled, line.c_str(), std::size(found), found, 0) == 0) {
    for (const regmatch_t& group : found)
      groups.push_back(group.rm_so < 0 ? "" : line.substr(group.rm_so, group.rm_eo - group.rm_so));
  }
  regfree(&compiled);
  return groups;
}

// Each line is a statement of a sequence diagram, and names participants that are declared.
void ExpectDiagramIsWellFormed(const std::string& text) {
  const std::vector<std::string> lines = absl::StrSplit(text, '\n', absl::SkipEmpty());
  ASSERT_EQ(lines[0], "sequenceDiagram");
  constexpr char kTitle[] = "^  accTitle: .+$";
  constexpr char kParticipant[] = "^  participant (p_\\w+) as [^;#]+$";
  constexpr char kMessage[] = "^  (p_\\w+)(->>|-\\))(p_\\w+): ([^;#]|#35;|#59;)+$";
  constexpr char kNote[] = "^  Note over (p_\\w+)(,(p_\\w+))?: ([^;#]|#35;|#59;)+$";
  std::set<std::string> declared;
  int messages = 0;
  for (size_t i = 1; i < lines.size(); i++) {
    if (!Groups(lines[i], kTitle).empty()) continue;
    std::vector<std::string> match;
    if (match = Groups(lines[i], kParticipant); !match.empty()) {
      EXPECT_TRUE(declared.insert(match[1]).second) << lines[i];
    } else if (match = Groups(lines[i], kMessage); !match.empty()) {
      EXPECT_TRUE(declared.contains(match[1]) && declared.contains(match[3])) << lines[i];
      messages++;
    } else if (match = Groups(lines[i], kNote); !match.empty()) {
      EXPECT_TRUE(declared.contains(match[1])) << lines[i];
      EXPECT_TRUE(match[3].empty() || declared.contains(match[3])) << lines[i];
    } else {
      ADD_FAILURE() << lines[i];
    }
  }
  EXPECT_GE(messages, 5);
}

TEST(FormatsTest, TracesAndDiagramsAreWellFormed) {
  for (const char* name :
       {"litmus/H1-lost-wakeup", "litmus/H1-lost-wakeup-of-mmap", "litmus/H15-two-openers",
        "litmus/abort-lost-wakeup", "hazards/H1-lost-wakeup", "hazards/H15-lost-cache-bit"}) {
    SCOPED_TRACE(name);
    const Counterexample example = StoryOf(name);
    ExpectTraceIsWellFormed(StoryChromeTrace(example));
    ExpectDiagramIsWellFormed(StoryMermaid(example));
  }
}

// A task that is woken: an arrow in both.
TEST(FormatsTest, WakeupsAreArrows) {
  const Script script = ReadScript("scenarios/waits/cached-open-waits.iom");
  const Counterexample example = ShortestOf(script, NewestRevision(), Ends());
  EXPECT_TRUE(absl::StrContains(StoryMermaid(example), ": wakes\n")) << StoryMermaid(example);
  EXPECT_TRUE(absl::StrContains(StoryMermaid(example), "-)"));
  const std::string trace = StoryChromeTrace(example);
  EXPECT_TRUE(absl::StrContains(trace, "\"cat\": \"wakeup\"")) << trace;
  ExpectTraceIsWellFormed(trace);
}

}  // namespace
}  // namespace iomode
