// SPDX-License-Identifier: GPL-2.0-only

#include "sim/self_check.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace iomode {
namespace {

constexpr uint64_t kAllOfTheFirst = 1000;
constexpr uint64_t kThenEvery = 1000;

bool SameOperation(const Machine::TraceEvent& a, const Machine::TraceEvent& b) {
  return a.slot == b.slot && a.user == b.user && a.function == b.function && a.verb == b.verb &&
         a.object == b.object && a.value == b.value;
}

std::string Where(Machine& machine, const std::vector<Move>& path, size_t at) {
  const uint32_t user = machine.scheduler().task(path[at].slot).user;
  return absl::StrCat("transition ", at + 1, " of ", path.size(), ", by ", machine.TaskName(user));
}

}  // namespace

SelfCheck::Played SelfCheck::Play(Machine& machine, const Snapshot& root,
                                  const std::vector<Move>& path, const AtState& at_state,
                                  bool trace) {
  Played played;
  Scheduler& s = machine.scheduler();
  root.Restore(s);
  if (at_state) at_state();
  ScheduledWorld::tracing = trace;
  for (size_t i = 0; i < path.size() && played.stuck.empty(); i++) {
    const Move& next = path[i];
    const Task& task = s.task(next.slot);
    if (!s.Enabled(next.slot)) {
      played.stuck = absl::StrCat(Where(machine, path, i), ": the task cannot run");
    } else if (next.choice > 0 &&
               (task.pending != Pending::kChoose || next.choice >= task.choices)) {
      played.stuck = absl::StrCat(Where(machine, path, i), ": there is no choice ", next.choice);
    } else {
      machine.set_trace(&played.ops.emplace_back());
      s.Resume(next.slot, next.choice);
      machine.Finish(next.slot);
      if (at_state) at_state();
      played.keys.push_back(s.Key());
    }
  }
  machine.set_trace(nullptr);
  ScheduledWorld::tracing = false;
  transitions_ += played.keys.size();
  return played;
}

void SelfCheck::Compare(Machine& machine, const Snapshot& root, const std::vector<Move>& path,
                        const AtState& at_state) {
  const Hash128 reached = machine.scheduler().Key();
  const Played states[2] = {Play(machine, root, path, at_state, false),
                            Play(machine, root, path, at_state, false)};
  const Played traces[2] = {Play(machine, root, path, at_state, true),
                            Play(machine, root, path, at_state, true)};
  for (const Played* played : {&states[0], &states[1], &traces[0], &traces[1]}) {
    problem_ = played->stuck;
    if (!problem_.empty()) return;
  }
  for (size_t i = 0; i < path.size(); i++) {
    const char* other = nullptr;
    if (!std::equal(traces[0].ops[i].begin(), traces[0].ops[i].end(), traces[1].ops[i].begin(),
                    traces[1].ops[i].end(), SameOperation))
      other = "other operations";
    if (!(states[0].keys[i] == states[1].keys[i])) other = "another state";
    if (other == nullptr) continue;
    // The task may have gone since: name it where it was.
    Play(machine, root, std::vector<Move>(path.begin(), path.begin() + i), at_state, false);
    problem_ = absl::StrCat(Where(machine, path, i), ": ", other, " when it is replayed again");
    return;
  }
  if (!path.empty() && !(states[0].keys.back() == reached)) {
    problem_ = absl::StrCat("after all ", path.size(),
                            " transitions the replay is in another state than the search");
  }
}

void SelfCheck::Verify(Machine& machine, const Snapshot& root, const std::vector<Move>& path,
                       const AtState& at_state) {
  const uint64_t number = paths_++;
  if (!problem_.empty() || (number >= kAllOfTheFirst && number % kThenEvery != 0)) return;
  Snapshot present;
  present.Save(machine.scheduler());
  Compare(machine, root, path, at_state);
  present.Restore(machine.scheduler());
  replays_++;
}

}  // namespace iomode
