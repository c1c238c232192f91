// SPDX-License-Identifier: GPL-2.0-only

#include "sim/reduction.h"

#include <algorithm>
#include <bit>

#include "absl/container/flat_hash_map.h"
#include "model/racy.h"

namespace iomode {

void NoteRacyAccesses(bool on) {
  racy_observer = on ? [](const void* variable, bool write) {
    if (Scheduler* scheduler = Scheduler::current()) scheduler->Touch(variable, write);
  } : static_cast<void (*)(const void*, bool)>(nullptr);
}

struct Reduction::Numbers {
  absl::flat_hash_map<uint64_t, int16_t> places;
  absl::flat_hash_map<const void*, int> objects;
  absl::flat_hash_map<uint64_t, int32_t> seen;  // place, footprint, next place: in noted_
};

Reduction::Reduction(const Scheduler& scheduler)
    : scheduler_(scheduler), numbers_(std::make_unique<Numbers>()) {}

Reduction::~Reduction() = default;

void Reduction::Begin() {
  stale_ = false;
  relations_changed_++;
  for (size_t a = 0; a < known_.size(); a++) {
    for (size_t b = 0; b < known_.size(); b++) {
      if (relation(a, b) == kAssumed) relation(a, b) = kIndependent;
    }
  }
}

void Reduction::Enter() {
  for (int slot = 0; slot < scheduler_.task_count(); slot++)
    places_[slot] = static_cast<int16_t>(scheduler_.live(slot) ? PlaceOf(slot) : kNone);
}

int Reduction::PlaceOf(int slot) {
  const Task& t = scheduler_.task(slot);
  // A sleeper that was woken stands where it slept.
  const bool lock = t.pending == Pending::kLock;
  const Hash128 h = HashMix(
      HashMix({}, reinterpret_cast<uintptr_t>(t.object), reinterpret_cast<uintptr_t>(t.function)),
      uint64_t{t.user} << 8 | lock, t.pending == Pending::kChoose);
  const auto [it, added] =
      numbers_->places.emplace(h.lo ^ h.hi, static_cast<int16_t>(known_.size()));
  if (!added) return it->second;
  if (known_.size() == kMaxPlaces) {
    numbers_->places.erase(it);
    overflow_ = true;
    return 0;
  }
  known_.emplace_back();
  relations_.resize(known_.size() * known_.size(), kUnknown);
  if (lock) {
    Place& place = known_.back();
    const int n = ObjectNumber(t.object);
    place.now.any.set(n);
    place.now.writes.set(n);
    place.future = place.now;
  }
  return static_cast<int>(known_.size()) - 1;
}

int Reduction::ObjectNumber(const void* object) {
  const int next = std::min(static_cast<int>(numbers_->objects.size()), kMaxObjects - 1);
  return numbers_->objects.emplace(object, next).first->second;
}

Reduction::Noted Reduction::Note(int slot) {
  Noted noted;
  noted.place_before = places_[slot];
  const int next = scheduler_.live(slot) ? PlaceOf(slot) : kNone;
  places_[slot] = static_cast<int16_t>(next);
  const Footprint& footprint = scheduler_.footprint();
  const Hash128 h =
      HashMix({}, footprint.hash(),
              static_cast<uint64_t>(noted.place_before) << 32 | static_cast<uint32_t>(next));
  const auto [it, added] = numbers_->seen.emplace(h.lo ^ h.hi, -1);
  if (added) it->second = Learn(noted.place_before, footprint, next);
  noted.accesses = it->second;
  return noted;
}

// Returns the number of the footprint's accesses; -1 when not all of them are known.
int32_t Reduction::Learn(int place, const Footprint& footprint, int next) {
  if (!footprint.complete()) overflow_ = true;
  Accesses accesses;
  for (const Footprint::Access& access : footprint) {
    const int n = ObjectNumber(access.object);
    accesses.any.set(n);
    if (access.write || n == kMaxObjects - 1) accesses.writes.set(n);
  }
  if (next != kNone) {
    std::vector<int16_t>& before = known_[next].before;
    if (std::find(before.begin(), before.end(), place) == before.end())
      before.push_back(static_cast<int16_t>(place));
  }
  Place& p = known_[place];
  p.now |= accesses;
  p.future |= p.now;
  if (next != kNone) p.future |= known_[next].future;
  Grow(place);
  if (!footprint.complete()) return -1;
  noted_.push_back(accesses);
  return static_cast<int32_t>(noted_.size()) - 1;
}

// The future of the place, or what is done there, has grown: so has that of those before it.
void Reduction::Grow(int place) {
  std::vector<int> work = {place};
  while (!work.empty()) {
    const int at = work.back();
    work.pop_back();
    Recheck(at);
    for (int before : known_[at].before) {
      Accesses future = known_[before].future;
      future |= known_[at].future;
      if (future == known_[before].future) continue;
      known_[before].future = future;
      work.push_back(before);
    }
  }
}

void Reduction::Recheck(int place) {
  const auto recheck = [this](int a, int b) {
    Relation& r = relation(a, b);
    if (r == kUnknown || r == kConflict || !Conflicts(a, b)) return;
    if (r == kAssumed) stale_ = true;
    r = kConflict;
    relations_changed_++;
  };
  for (int other = 0; other < static_cast<int>(known_.size()); other++) {
    recheck(place, other);
    recheck(other, place);
  }
}

// The tasks whose future conflicts with what that of `slot` does next.
uint64_t Reduction::Rivals(int slot, uint64_t live) {
  uint64_t rivals = 0;
  for (uint64_t rest = live & ~(uint64_t{1} << slot); rest != 0; rest &= rest - 1) {
    const int r = std::countr_zero(rest);
    Relation& relation_qr = relation(places_[slot], places_[r]);
    if (relation_qr == kUnknown)
      relation_qr = Conflicts(places_[slot], places_[r]) ? kConflict : kIndependent;
    rivals |= uint64_t{relation_qr == kConflict} << r;
  }
  return rivals;
}

uint64_t Reduction::ChooseAnew(uint64_t enabled) {
  uint64_t live = 0;
  for (int slot = 0; slot < scheduler_.task_count(); slot++)
    live |= uint64_t{scheduler_.live(slot)} << slot;
  uint64_t rivals[64];
  uint64_t known = 0;  // whose rivals are there
  // The tasks that have to be tried with that of `slot`: their rivals, and so on.
  const auto closure = [&](int slot) {
    uint64_t set = uint64_t{1} << slot;
    for (uint64_t work = set; work != 0 && (set & enabled) != enabled;) {
      const int q = std::countr_zero(work);
      if (!(known >> q & 1)) rivals[q] = Rivals(q, live);
      known |= uint64_t{1} << q;
      work = (work & (work - 1)) | (rivals[q] & ~set);
      set |= rivals[q];
    }
    return set;
  };
  uint64_t best = live;
  for (uint64_t rest = enabled; rest != 0; rest &= rest - 1) {
    const uint64_t set = closure(std::countr_zero(rest));
    if (std::popcount(set & enabled) < std::popcount(best & enabled)) best = set;
    if (std::popcount(best & enabled) == 1) break;
  }
  if ((best & enabled) == enabled) return enabled;
  for (uint64_t in = best; in != 0; in &= in - 1) {
    for (uint64_t out = live & ~best; out != 0; out &= out - 1)
      relation(places_[std::countr_zero(in)], places_[std::countr_zero(out)]) = kAssumed;
  }
  return best & enabled;
}

}  // namespace iomode
