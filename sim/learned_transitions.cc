// SPDX-License-Identifier: GPL-2.0-only

#include "sim/learned_transitions.h"

#include <cstring>

namespace iomode {
namespace {

// Lanes of a task's record: what only the task and its driver use, then what wakers use, too.
constexpr size_t kOwnRecordLanes = 2;
static_assert(sizeof(Task) == 16 * (kOwnRecordLanes + 1));
static_assert(offsetof(Task, pending) == 16 * kOwnRecordLanes);

}  // namespace

void LearnedTransitions::Begin() {
  present_.clear();
  for (int slot = 0; slot < scheduler_.task_count(); slot++) present_.push_back(InternLocal(slot));
  in_arena_ = present_;
  taken_.clear();
  key_ = scheduler_.Key();
  if (table_.empty()) table_.resize(1024);
}

// The number of the local that the task has in the arena.
uint32_t LearnedTransitions::InternLocal(int slot) {
  Local local;
  const Lane* record = lanes() + LaneOf(&scheduler_.task(slot));
  if (scheduler_.live(slot)) {
    local.stack.assign(scheduler_.stack_begin(slot), scheduler_.stack_top(slot));
    local.hash = scheduler_.StackKey(slot);
  }
  Hash128 id = HashMix(local.hash, static_cast<uint64_t>(slot), local.stack.size());
  for (size_t i = 0; i < kOwnRecordLanes; i++)
    id = HashMix(id, record[i].words[0], record[i].words[1]);
  const auto [it, added] = local_numbers_.emplace(id, static_cast<uint32_t>(locals_.size()));
  if (added) locals_.push_back(std::move(local));
  return it->second;
}

void LearnedTransitions::PutStack(int slot) {
  if (in_arena_[slot] == present_[slot]) return;
  in_arena_[slot] = present_[slot];
  if (!scheduler_.live(slot)) return;
  scheduler_.ClearStack(slot);
  const std::vector<uint8_t>& stack = locals_[present_[slot]].stack;
  std::memcpy(scheduler_.task(slot).sp, stack.data(), stack.size());
}

void LearnedTransitions::Materialize() {
  for (int slot = 0; slot < scheduler_.task_count(); slot++) PutStack(slot);
}

// Different contents of the same lanes; with what is compared then, any function will do.
uint64_t LearnedTransitions::HashReads(uint32_t branch, int choice, const Lane* from) const {
  using hash_internal::Fold;
  using hash_internal::kLane0;
  using hash_internal::kLane1;
  uint64_t hash = (uint64_t{branch} << 8 | static_cast<uint64_t>(choice)) * kLane1;
  uint64_t salt = kLane0;
  for (const uint32_t lane : branches_[branch].lanes) {
    hash += Fold(from[lane].words[0] ^ salt, from[lane].words[1] ^ ~salt);
    salt += kLane0;
  }
  return hash;
}

// Whether the lanes that the transition read are as it found them.
inline bool LearnedTransitions::Agrees(const Transition& transition) const {
  const Lane* read = contents_.data() + transition.reads;
  const Lane* const now = lanes();
  for (const uint32_t lane : branches_[transition.branch].lanes) {
    if (!(*read++ == now[lane])) return false;
  }
  return true;
}

const LearnedTransitions::Transition* LearnedTransitions::Find(int slot, int choice) const {
  const Local& local = locals_[present_[slot]];
  if (local.found != nullptr && local.found->choice == choice && Agrees(*local.found))
    return local.found;
  const size_t mask = table_.size() - 1;
  for (const uint32_t branch : local.branches) {
    const uint64_t hash = HashReads(branch, choice, lanes());
    for (size_t at = hash & mask; table_[at].transition != nullptr; at = (at + 1) & mask) {
      const Transition& transition = *table_[at].transition;
      if (table_[at].hash == hash && transition.branch == branch && transition.choice == choice &&
          Agrees(transition))
        return local.found = &transition;
    }
  }
  return nullptr;
}

void LearnedTransitions::Apply(const Transition& transition) {
  const Write* write = writes_.data() + transition.writes;
  for (size_t i = 0; i < transition.writes_count; i++) lanes()[write[i].lane] = write[i].after;
  taken_.push_back({&transition, present_[transition.slot]});
  present_[transition.slot] = transition.local_after;
  key_ += transition.key_change;
}

void LearnedTransitions::Undo(const ChangeLog::Mark& mark) {
  for (; taken_.size() > mark.changes; taken_.pop_back()) {
    const Taken& taken = taken_.back();
    if (taken.transition == nullptr) {
      lanes()[LaneOf(machine_.finding_kinds_at())].words[0] = taken.before;
      continue;
    }
    const Transition& transition = *taken.transition;
    const Write* write = writes_.data() + transition.writes;
    for (size_t i = 0; i < transition.writes_count; i++) lanes()[write[i].lane] = write[i].before;
    present_[transition.slot] = taken.before;
  }
  key_ = mark.key;
}

void LearnedTransitions::Save(Saved* saved) const {
  saved->shared_.SaveShared(scheduler_);
  saved->present_ = present_;
  saved->key_ = key_;
}

void LearnedTransitions::Restore(const Saved& saved) {
  saved.shared_.RestoreShared(scheduler_);
  present_ = saved.present_;
  key_ = saved.key_;
  taken_.clear();
}

void LearnedTransitions::NoteFindings(uint32_t before) {
  if (machine_.finding_kinds() == before) return;
  const size_t lane = LaneOf(machine_.finding_kinds_at());
  key_ -= HashLane(lane, before, 0);
  key_ += HashLane(lane, machine_.finding_kinds(), 0);
  taken_.push_back({nullptr, before});
}

// After a run of the task in `slot`: the lanes that it read, or wrote other contents to, but for
// those of its local.
std::vector<uint32_t> LearnedTransitions::LanesRead(int slot) const {
  const size_t record = LaneOf(&scheduler_.task(slot));
  std::vector<uint32_t> read;
  for (size_t lane = 0; lane < lane_count(); lane++) {
    if (lane >= record && lane < record + kOwnRecordLanes) continue;
    if (recorder_.Has(lane) || lane == record + kOwnRecordLanes ||
        !(before_[lane] == lanes()[lane]))
      read.push_back(static_cast<uint32_t>(lane));
  }
  return read;
}

uint32_t LearnedTransitions::InternBranch(uint32_t local, const std::vector<uint32_t>& lanes) {
  for (const uint32_t branch : locals_[local].branches) {
    if (branches_[branch].lanes == lanes) return branch;
  }
  branches_.push_back({lanes, {}});
  for (const uint32_t lane : lanes) branches_.back().read.Add(lane);
  locals_[local].branches.push_back(static_cast<uint32_t>(branches_.size() - 1));
  return locals_[local].branches.back();
}

void LearnedTransitions::AddWrites(Transition& transition) {
  transition.writes = writes_.size();
  for (size_t lane = 0; lane < lane_count(); lane++) {
    const Lane& before = before_[lane];
    const Lane& after = lanes()[lane];
    if (before == after) continue;
    writes_.push_back({lane, before, after});
    transition.written.Add(lane);
    transition.writes_count++;
    transition.key_change -= HashLane(lane, before.words[0], before.words[1]);
    transition.key_change += HashLane(lane, after.words[0], after.words[1]);
  }
}

void LearnedTransitions::AddToTable(uint64_t hash, const Transition* transition) {
  const size_t mask = table_.size() - 1;
  size_t at = hash & mask;
  while (table_[at].transition != nullptr) at = (at + 1) & mask;
  table_[at] = {hash, transition};
}

void LearnedTransitions::Rehash() {
  std::vector<Place> old(table_.size() * 2);
  old.swap(table_);
  for (const Place& place : old) {
    if (place.transition != nullptr) AddToTable(place.hash, place.transition);
  }
}

const LearnedTransitions::Transition& LearnedTransitions::Learn(int slot, int choice, bool notes) {
  Materialize();
  before_.assign(lanes(), lanes() + lane_count());
  Transition transition;
  transition.slot = static_cast<int16_t>(slot);
  transition.choice = static_cast<int16_t>(choice);

  recorder_.Start(slot);
  scheduler_.Resume(slot, choice);
  machine_.Finish(slot);
  recorder_.Stop();
  if (recorder_.other_stacks() || transitions_.size() >= most_) failed_ = true;
  if (notes) transition.accesses = reduction_.Note(slot).accesses;
  transition.place_after = reduction_.place(slot);

  const uint32_t local = present_[slot];
  transition.branch = InternBranch(local, LanesRead(slot));
  transition.reads = contents_.size();
  for (const uint32_t lane : branches_[transition.branch].lanes) contents_.push_back(before_[lane]);
  AddWrites(transition);
  transition.local_after = InternLocal(slot);
  transition.key_change -= locals_[local].hash;
  transition.key_change += locals_[transition.local_after].hash;

  if (transitions_.size() * 2 > table_.size()) Rehash();
  const Transition& learned = transitions_.emplace_back(transition);
  AddToTable(HashReads(transition.branch, choice, before_.data()), &learned);
  taken_.push_back({&learned, local});
  present_[slot] = in_arena_[slot] = transition.local_after;
  key_ += transition.key_change;
  return learned;
}

}  // namespace iomode
