// SPDX-License-Identifier: GPL-2.0-only
//
// Partial-order reduction: which of the tasks that can run have to be tried in a state, so that
// every rest state, every finding and every state that CheckStarvation() sees is still reached.
//
// What tasks may access is learned while exploring. A *place* is where a task stands: its step, the
// kernel function that it is in, and what its next operation is about. For each place are known the
// accesses of the operations done from there so far, and the places that followed; so also
// `future`: all accesses on all paths from there. A set T of tasks may be explored alone when for
// each task q in it and each task r outside, what q does next does not conflict with anything in
// r's future. Each such answer is an assumption: if something is learned later that contradicts it,
// stale() says so and the search has to start over, knowing more. docs/design.md says why a search
// that ends without a contradiction has missed nothing.
//
// Used by the thread that drives the scheduler.

#ifndef SIM_REDUCTION_H_
#define SIM_REDUCTION_H_

#include <bitset>
#include <cstdint>
#include <memory>
#include <vector>

#include "sim/hash.h"
#include "sim/scheduler.h"

namespace iomode {

// Whether footprints have accesses to racy variables from now on. To be the same wherever states of
// one search come from: what notes them leaves bytes of its own in the holes of frames, and equal
// states would look different.
void NoteRacyAccesses(bool on);

class Reduction {
 public:
  explicit Reduction(const Scheduler& scheduler);
  ~Reduction();

  // Forgets the assumptions, and keeps what was learned. The present state is where a search
  // starts.
  void Begin();
  // As Begin(), but for a further start of the same search: assumptions stay.
  void Enter();

  struct Noted {
    int16_t place_before = -1;  // for Undo()
    int32_t accesses = -1;      // the number of what was accessed, for Independent()
  };
  // The task in `slot` was resumed and did what the footprint says.
  Noted Note(int slot);
  // Where the task in `slot` stands.
  int16_t place(int slot) const { return places_[slot]; }
  // It stands there now: its transition was undone, or is one that was noted before.
  void set_place(int slot, int16_t place) { places_[slot] = place; }

  // Of the tasks in `enabled`, bits by slot, those that have to be tried.
  uint64_t Choose(uint64_t enabled) {
    if (overflow_ || (enabled & (enabled - 1)) == 0) return enabled;
    if (choices_.empty()) choices_.resize(kChoices);
    const Hash128 key = ChoiceKey(enabled);
    Choice& choice = choices_[key.lo % kChoices];
    if (!(choice.key == key)) choice = {key, ChooseAnew(enabled)};
    return choice.tasks;
  }

  // Whether two transitions, each possible in one state, can be taken in either order with the same
  // result: neither wrote what the other accessed.
  bool Independent(int32_t accesses, int32_t other) const {
    return accesses >= 0 && other >= 0 && !Conflict(noted_[accesses], noted_[other]);
  }

  // An assumption has proved wrong since Begin().
  bool stale() const { return stale_; }

 private:
  static constexpr int kNone = -1;
  static constexpr int kMaxPlaces = 512;
  static constexpr int kMaxObjects = 256;  // the last stands for all that have no number
  using Objects = std::bitset<kMaxObjects>;

  struct Accesses {
    Objects any, writes;

    Accesses& operator|=(const Accesses& other) {
      any |= other.any;
      writes |= other.writes;
      return *this;
    }
    friend bool operator==(const Accesses&, const Accesses&) = default;
  };
  struct Place {
    Accesses now;                 // of the operations done from here
    Accesses future;              // of these and all that follow
    std::vector<int16_t> before;  // the places that this one follows
  };
  // What was met so far, by hash. In reduction.cc: hash tables take long to compile.
  struct Numbers;
  enum Relation : uint8_t { kUnknown = 0, kIndependent = 1, kConflict = 2, kAssumed = 3 };

  int PlaceOf(int slot);
  int ObjectNumber(const void* object);
  int32_t Learn(int place, const Footprint& footprint, int next);
  static bool Conflict(const Accesses& a, const Accesses& b) {
    return (a.writes & b.any).any() || (a.any & b.writes).any();
  }
  void Grow(int place);
  void Recheck(int place);
  // Whether what is done at `place` conflicts with the future of `other`.
  bool Conflicts(int place, int other) const {
    return Conflict(known_[place].now, known_[other].future);
  }
  uint64_t Rivals(int slot, uint64_t live);
  uint64_t ChooseAnew(uint64_t enabled);
  // Of what a choice is a function of, as long as relations_ do not change.
  Hash128 ChoiceKey(uint64_t enabled) const {
    Hash128 key = HashMix({}, enabled, relations_changed_);
    for (int slot = 0; slot < scheduler_.task_count(); slot += 8) {
      uint64_t places[2];
      __builtin_memcpy(places, places_ + slot, sizeof(places));
      key = HashMix(key, places[0], places[1]);
    }
    return key;
  }
  // Those among the first n places are the first n * n.
  Relation& relation(int a, int b) { return relations_[a >= b ? a * a + b : b * b + b + 1 + a]; }

  const Scheduler& scheduler_;
  int16_t places_[64] = {};  // by slot
  std::vector<Place> known_;
  const std::unique_ptr<Numbers> numbers_;
  std::vector<Accesses> noted_;
  std::vector<Relation> relations_;
  uint64_t relations_changed_ = 0;  // how often what was chosen may have become wrong
  // Choices made, by key.
  struct Choice {
    Hash128 key;
    uint64_t tasks;
  };
  static constexpr size_t kChoices = 4096;
  std::vector<Choice> choices_;
  bool stale_ = false;
  bool overflow_ = false;  // too many places: no reduction
};

}  // namespace iomode

#endif  // SIM_REDUCTION_H_
