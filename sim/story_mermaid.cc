// SPDX-License-Identifier: GPL-2.0-only

#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "sim/story_formats.h"

namespace iomode {
namespace {

// Mermaid ends a statement at ';' and begins an entity with '#'.
std::string Escape(const std::string& text) {
  return absl::StrReplaceAll(text, {{"#", "#35;"}, {";", "#59;"}, {"\n", " "}});
}

// A participant's id: letters and digits only.
std::string Id(const std::string& name) {
  std::string id = "p_";
  for (const char c : name) id.push_back(absl::ascii_isalnum(c) ? c : '_');
  return id;
}

class Diagram {
 public:
  explicit Diagram(const Story& story) : story_(story) {}

  std::string Draw() {
    absl::StrAppend(&text_, "sequenceDiagram\n  accTitle: ", Escape(story_.script), " at ",
                    story_.revision, "\n");
    Participants();
    int part = -1;
    for (const StoryStep& step : story_.steps) {
      const StoryPart& in = story_.parts[step.part];
      if (step.part != part) {
        std::string title = in.title;
        if (!in.results.empty()) absl::StrAppend(&title, " ", in.results);
        NoteOver({lanes_.front(), lanes_.back()}, title);
      }
      part = step.part;
      if (!in.setup) Draw(step);
    }
    End();
    return std::move(text_);
  }

 private:
  void AddLane(const std::string& name) {
    for (const std::string& lane : lanes_) {
      if (lane == name) return;
    }
    lanes_.push_back(name);
  }

  // Who acts, then the server if it does not, then the inodes.
  void Participants() {
    for (const StoryStep& step : story_.steps) {
      if (!story_.parts[step.part].setup) AddLane(LaneOf(step.task));
    }
    for (const Sleeper& sleeper : story_.sleepers)
      AddLane(LaneOf(sleeper.task.substr(0, sleeper.task.find(" ("))));
    AddLane("the server");
    for (const std::string& state : story_.states) {
      inodes_.push_back(state.substr(0, state.find(':')));
      AddLane(absl::StrCat("inode ", inodes_.back()));
    }
    for (const std::string& lane : lanes_)
      absl::StrAppend(&text_, "  participant ", Id(lane), " as ", Escape(lane), "\n");
  }

  void NoteOver(const std::vector<std::string>& lanes, const std::string& note) {
    const std::string over = lanes.front() == lanes.back()
                                 ? Id(lanes.front())
                                 : absl::StrCat(Id(lanes.front()), ",", Id(lanes.back()));
    absl::StrAppend(&text_, "  Note over ", over, ": ", Escape(note), "\n");
  }

  void Arrow(const std::string& from, const char* arrow, const std::string& to,
             const std::string& message) {
    absl::StrAppend(&text_, "  ", Id(from), arrow, Id(to), ": ", Escape(message), "\n");
  }

  // Where the arrow of an event goes.
  std::string Target(const std::string& lane, const StoryEvent& event) const {
    if (absl::StartsWith(event.verb, "sends")) return "the server";
    for (const std::string& inode : inodes_) {
      if (absl::StartsWith(event.object, absl::StrCat(inode, "."))) return "inode " + inode;
    }
    return lane;
  }

  // Neighbouring events with one target and function are one arrow.
  void Draw(const StoryStep& step) {
    const std::string lane = LaneOf(step.task);
    for (size_t i = 0; i < step.events.size();) {
      const StoryEvent& first = step.events[i];
      const std::string target = Target(lane, first);
      if (first.verb == "wakes") {
        Arrow(lane, "-)", LaneOf(first.object), "wakes");
        i++;
        continue;
      }
      std::vector<std::string> words;
      while (i < step.events.size() && step.events[i].verb != "wakes" &&
             step.events[i].function == first.function && Target(lane, step.events[i]) == target)
        words.push_back(PrintEvent(step.events[i++]));
      const std::string function = first.function.empty() ? "" : first.function + ": ";
      Arrow(lane, "->>", target, absl::StrCat(function, absl::StrJoin(words, ", ")));
    }
    for (const StateChange& change : step.changes) {
      NoteOver({"inode " + change.inode},
               absl::StrCat(change.field, " ", change.from, " to ", change.to));
    }
    for (const Finding& finding : step.findings)
      NoteOver({lanes_.front(), lanes_.back()}, PrintFinding(finding));
  }

  void End() {
    for (const Sleeper& sleeper : story_.sleepers) {
      NoteOver({LaneOf(sleeper.task.substr(0, sleeper.task.find(" (")))},
               absl::StrCat("sleeps on ", sleeper.object, ", woken by ", sleeper.wakes));
    }
    if (!story_.outcome.empty()) NoteOver({lanes_.front(), lanes_.back()}, story_.outcome);
  }

  const Story& story_;
  std::string text_;
  std::vector<std::string> lanes_;
  std::vector<std::string> inodes_;
};

}  // namespace

std::string StoryMermaid(const Counterexample& example) { return Diagram(example.story).Draw(); }

}  // namespace iomode
