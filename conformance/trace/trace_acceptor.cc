// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/trace/trace_acceptor.h"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "conformance/trace/trace_machine.h"
#include "conformance/trace/trace_places.h"

namespace iomode::conform {
namespace {

constexpr size_t kShownStates = 4;
constexpr size_t kShownEvents = 6;

bool ReturnsValue(TracedFunction function) {
  return function != TracedFunction::kFileIoRelease && function != TracedFunction::kUncachedIoEnd;
}

class Acceptor {
 public:
  Acceptor(const std::vector<TraceEvent>& events, PlacedTrace trace, const Rules& rules,
           const AcceptOptions& options)
      : events_(events),
        options_(options),
        trace_(std::move(trace)),
        machine_(rules, trace_.sizes),
        live_(trace_.sizes.tasks) {
    FindNextSections();
  }

  TraceVerdict Run() {
    Add(states_);
    for (size_t i = 0; i < trace_.events.size() && verdict_.details.empty(); i++) {
      at_ = i;
      const PlacedEvent& event = trace_.events[i];
      const std::vector<Snapshot> before = std::move(states_);
      states_.clear();
      candidates_.clear();
      if (event.kind == TraceKind::kCall) {
        TakeCall(event, before);
      } else if (event.kind == TraceKind::kSection) {
        TakeSection(event, before);
      } else {
        TakeReturn(event, before);
      }
      if (states_.empty()) Reject(event, before);
      verdict_.events = event.index + 1;
      verdict_.most_states = std::max(verdict_.most_states, states_.size());
    }
    if (verdict_.details.empty()) CheckEnd();
    return std::move(verdict_);
  }

 private:
  using Goal = std::function<bool()>;

  // By event, whose section of each inode's lock comes next, at the event or behind it.
  void FindNextSections() {
    std::vector<int> next(trace_.sizes.inodes, -1);
    next_sections_.resize(trace_.events.size() + 1);
    for (size_t i = trace_.events.size(); i > 0; i--) {
      next_sections_[i] = next;
      const PlacedEvent& event = trace_.events[i - 1];
      if (event.kind == TraceKind::kSection) next[event.call.inode] = event.slot;
    }
    next_sections_[0] = next;
  }

  void Add(std::vector<Snapshot>& states) { states.emplace_back().Save(machine_.scheduler()); }

  // Finds the states in which `arrive` gives true, of all that can be reached from those `before`
  // by what the trace does not tell of. It is called in each, may change it, and notes in
  // candidates_ why not.
  void Reach(const std::vector<Snapshot>& before, const Goal& arrive) {
    std::vector<Snapshot> open;
    seen_.clear();
    arrived_.clear();
    for (const Snapshot& state : before) Visit(state, arrive, open);
    while (!open.empty() && verdict_.details.empty()) {
      const Snapshot state = std::move(open.back());
      open.pop_back();
      Visit(state, arrive, open);
    }
  }

  void Visit(const Snapshot& state, const Goal& arrive, std::vector<Snapshot>& open) {
    Expand(state, open);
    state.Restore(machine_.scheduler());
    if (arrive() && arrived_.insert(machine_.scheduler().Key()).second) Add(states_);
  }

  void Expand(const Snapshot& state, std::vector<Snapshot>& open) {
    state.Restore(machine_.scheduler());
    for (int slot = 0; slot < trace_.sizes.tasks; slot++) {
      if (!MayMove(slot)) continue;
      const bool moved = Move(slot);
      if (moved && seen_.insert(machine_.scheduler().Key()).second) {
        Add(open);
        verdict_.states++;
      }
      state.Restore(machine_.scheduler());
    }
    if (seen_.size() <= options_.max_states) return;
    verdict_.kind = TraceVerdict::Kind::kIncomplete;
    verdict_.details = {absl::StrCat("more than ", options_.max_states, " states before event ",
                                     trace_.events[at_].index + 1)};
  }

  // A task stands at the end of a section until the trace tells of it.
  bool MayMove(int slot) const {
    if (!live_[slot] || !machine_.scheduler().Enabled(slot)) return false;
    for (int inode = 0; inode < trace_.sizes.inodes; inode++) {
      if (machine_.unconfirmed(inode).task == slot) return false;
    }
    return true;
  }

  // False when the trace does not let the task take the lock that it took.
  bool Move(int slot) {
    std::vector<bool> unconfirmed(trace_.sizes.inodes);
    for (int i = 0; i < trace_.sizes.inodes; i++)
      unconfirmed[i] = machine_.unconfirmed(i).task >= 0;
    int locked = -1;
    machine_.Step(slot, &locked);
    return locked < 0 || (!unconfirmed[locked] && next_sections_[at_][locked] == slot);
  }

  void TakeCall(const PlacedEvent& event, const std::vector<Snapshot>& before) {
    const TraceEvent& call = events_[event.index];
    live_[event.slot] = true;
    for (const Snapshot& state : before) {
      state.Restore(machine_.scheduler());
      if (event.opens) machine_.InitFile(event.call.file, event.call.inode, call.flags, call.id);
      if (event.call.file >= 0 && machine_.mode(event.call.file) != call.mode) {
        candidates_.insert(absl::StrCat("ff->iomode is ", machine_.mode(event.call.file)));
        continue;
      }
      machine_.Call(event.slot, event.call);
      Add(states_);
    }
  }

  void TakeSection(const PlacedEvent& event, const std::vector<Snapshot>& before) {
    const TraceEvent& section = events_[event.index];
    Reach(before, [&] {
      const SectionEnd& end = machine_.unconfirmed(event.call.inode);
      if (end.task != event.slot) return false;
      // The compiler may have put a function into the one that was called.
      const bool same_function = section.function == event.call.function ||
                                 NameOf(section.function) == std::string(end.function);
      if (!same_function || end.counter != section.counter || end.cache_bit != section.cache_bit ||
          !machine_.IsBacking(end.backing, section.fb)) {
        candidates_.insert(absl::StrCat("lets go of fi->lock in ", end.function, ": ",
                                        machine_.DescribeInode(event.call.inode)));
        return false;
      }
      machine_.Confirm(event.call.inode);
      return true;
    });
  }

  void TakeReturn(const PlacedEvent& event, const std::vector<Snapshot>& before) {
    const TraceEvent& returned = events_[event.index];
    Reach(before, [&] {
      if (!machine_.Returned(event.slot)) return false;
      for (int i = 0; i < trace_.sizes.inodes; i++) {
        if (machine_.unconfirmed(i).task == event.slot) return false;
      }
      const int result = machine_.EndCall(event.slot);
      if (ReturnsValue(event.call.function) && result != returned.result) {
        candidates_.insert(absl::StrCat("returns ", result));
        return false;
      }
      if (event.frees) machine_.FreeFile(event.call.file);
      return true;
    });
    live_[event.slot] = false;
  }

  // Whoever has not returned by now sleeps, in some possible state. No section is left to change
  // what others read, so it does not matter in which order they go on.
  void CheckEnd() {
    at_ = trace_.events.size();
    const bool sleeps = std::any_of(states_.begin(), states_.end(), [this](const Snapshot& state) {
      state.Restore(machine_.scheduler());
      for (int slot = 0; slot < trace_.sizes.tasks; slot++) {
        while (MayMove(slot)) {
          if (!Move(slot)) return false;
        }
        if (live_[slot] && !machine_.Asleep(slot)) return false;
      }
      return true;
    });
    if (sleeps) return;
    verdict_.kind = TraceVerdict::Kind::kRejected;
    verdict_.details = {"the trace ends, and tasks have not returned that the model has running"};
    for (int slot = 0; slot < trace_.sizes.tasks; slot++) {
      if (!live_[slot]) continue;
      verdict_.details.push_back(
          absl::StrCat("task ", TaskAt(slot), " has not returned from ", FunctionAt(slot)));
    }
    ShowStates(states_);
  }

  void Reject(const PlacedEvent& event, const std::vector<Snapshot>& before) {
    if (!verdict_.details.empty()) return;
    verdict_.kind = TraceVerdict::Kind::kRejected;
    const TraceEvent& seen = events_[event.index];
    verdict_.details = {absl::StrCat("event ", event.index + 1, " of ", events_.size(), " (line ",
                                     seen.line, "): ", Describe(seen))};
    for (const std::string& candidate : candidates_)
      verdict_.details.push_back(absl::StrCat("the model: task ", seen.task, " ", candidate));
    if (candidates_.empty()) {
      verdict_.details.push_back(absl::StrCat("the model: task ", seen.task, " cannot get there"));
    }
    ShowStates(before);
    const size_t first = event.index - std::min(event.index, kShownEvents);
    for (size_t i = first; i < event.index; i++)
      verdict_.details.push_back(absl::StrCat("before: ", Describe(events_[i])));
  }

  // Those that read alike are shown once.
  void ShowStates(const std::vector<Snapshot>& states) {
    std::set<std::string> shown;
    for (const Snapshot& state : states) {
      state.Restore(machine_.scheduler());
      shown.insert(DescribeState());
    }
    size_t left = shown.size();
    for (const std::string& state : shown) {
      if (shown.size() - left == kShownStates) {
        verdict_.details.push_back(absl::StrCat("possible before it: ", left, " more"));
        break;
      }
      verdict_.details.push_back("possible before it: " + state);
      left--;
    }
  }

  std::string DescribeState() const {
    std::string text;
    for (int inode = 0; inode < trace_.sizes.inodes; inode++)
      absl::StrAppend(&text, inode ? ", " : "", machine_.DescribeInode(inode));
    for (int slot = 0; slot < trace_.sizes.tasks; slot++) {
      if (!live_[slot] || machine_.scheduler().task(slot).pending == Pending::kFree) continue;
      absl::StrAppend(&text, "; task ", TaskAt(slot), " ", machine_.DescribeTask(slot));
    }
    return text;
  }

  // The last event of whoever has the slot now.
  const PlacedEvent& LastOf(int slot) const {
    size_t i = std::min(at_, trace_.events.size() - 1);
    while (i > 0 && trace_.events[i].slot != slot) i--;
    return trace_.events[i];
  }
  pid_t TaskAt(int slot) const { return events_[LastOf(slot).index].task; }
  const char* FunctionAt(int slot) const { return NameOf(LastOf(slot).call.function); }

  const std::vector<TraceEvent>& events_;
  const AcceptOptions options_;
  const PlacedTrace trace_;
  TraceMachine machine_;
  std::vector<std::vector<int>> next_sections_;  // by event, by inode: a slot, or -1
  std::vector<bool> live_;                       // by slot: a call is under way
  size_t at_ = 0;
  std::vector<Snapshot> states_;
  absl::flat_hash_set<Hash128, Hash128Hasher> seen_;
  absl::flat_hash_set<Hash128, Hash128Hasher> arrived_;
  std::set<std::string> candidates_;
  TraceVerdict verdict_;
};

}  // namespace

TraceVerdict AcceptTrace(const std::vector<TraceEvent>& events, const Rules& rules,
                         const AcceptOptions& options) {
  absl::StatusOr<PlacedTrace> trace = PlaceTrace(events);
  if (!trace.ok()) {
    TraceVerdict verdict;
    verdict.kind = TraceVerdict::Kind::kIncomplete;
    verdict.details = {std::string(trace.status().message())};
    return verdict;
  }
  return Acceptor(events, *std::move(trace), rules, options).Run();
}

}  // namespace iomode::conform
