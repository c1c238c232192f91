// SPDX-License-Identifier: GPL-2.0-only
//
// Transitions of a machine's tasks, learned: each is run once, and then known for all states that
// agree in what it read.
//
// A task's *local* part is its stack and those lanes of its record that nobody else uses. What its
// next transition does is a function of that and of the lanes (16 bytes) of the shared part that it
// reads. An AccessRecorder tells which these were when it ran. So a local has *branches*, the sets
// of lanes that runs from it have read, and for each branch the contents met so far, each with what
// the transition then did: lanes written, next local, accesses for the reduction. A search through
// three million states meets three thousand different transitions; all others are looked up and
// applied without running anything. (On-the-fly learning of a transition relation: Blom, van de
// Pol, Weber, LTSmin, 2010.)
//
// The present state: the shared part as it is in the arena, and each task's local. Stacks are put
// into the arena only when a task is to run, or by Materialize().
//
// Used by the thread that drives the scheduler. Between Begin() and the last use nothing else moves
// the machine, but for what NoteFindings() says.

#ifndef SIM_LEARNED_TRANSITIONS_H_
#define SIM_LEARNED_TRANSITIONS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

#include "sim/access_recorder.h"
#include "sim/change_log.h"
#include "sim/machine.h"
#include "sim/reduction.h"

namespace iomode {

class LearnedTransitions {
 public:
  // Lanes, of which several may have one bit.
  struct LaneSet {
    uint64_t bits[4] = {};

    void Add(size_t lane) { bits[lane / 64 % 4] |= uint64_t{1} << lane % 64; }
    bool Meets(const LaneSet& other) const {
      return ((bits[0] & other.bits[0]) | (bits[1] & other.bits[1]) | (bits[2] & other.bits[2]) |
              (bits[3] & other.bits[3])) != 0;
    }
  };

  // One transition; it stays where it is. Of the numbers learned_transitions.cc knows more.
  struct Transition {
    Hash128 key_change;        // what it adds to the state's key
    int32_t accesses = -1;     // as in Reduction::Noted
    int16_t place_after = -1;  // for the reduction
    int16_t slot = 0;
    int16_t choice = 0;
    uint16_t writes_count = 0;
    uint32_t branch = 0;
    uint32_t local_after = 0;
    LaneSet written;
    size_t reads = 0;   // in contents_, as many as the branch has lanes
    size_t writes = 0;  // in writes_
  };

  // Both outlive this.
  LearnedTransitions(Machine& machine, Reduction& reduction)
      : machine_(machine),
        scheduler_(machine.scheduler()),
        reduction_(reduction),
        recorder_(machine.scheduler()) {}

  // The present state is the one that the arena is in. What was learned stays.
  void Begin();

  // The next transition of the task in `slot`, nullptr when it has not been met yet.
  const Transition* Find(int slot, int choice) const;
  // Whether `next`, of another task, is still that task's next transition after `taken`. May say no
  // although it is.
  bool StaysNext(const Transition& next, const Transition& taken) const {
    return !branches_[next.branch].read.Meets(taken.written);
  }
  void Apply(const Transition& transition);
  // Lets the task run and learns its transition. `notes`: the reduction, too.
  const Transition& Learn(int slot, int choice, bool notes);

  // The driver's checks added to the kinds of findings that the present state has; they were
  // `before`. Checks may change nothing else.
  void NoteFindings(uint32_t before);

  // The transition that has led to the present state; nullptr: none, or findings were noted since.
  const Transition* last() const { return taken_.empty() ? nullptr : taken_.back().transition; }
  ChangeLog::Mark mark() const { return {taken_.size(), key_}; }
  void Undo(const ChangeLog::Mark& mark);

  // A state to go to from anywhere. Restoring one leaves nothing to undo.
  class Saved {
   public:
    size_t bytes() const { return shared_.bytes() + present_.size() * sizeof(uint32_t); }

   private:
    friend class LearnedTransitions;
    Snapshot shared_;
    std::vector<uint32_t> present_;
    Hash128 key_;
  };
  void Save(Saved* saved) const;
  void Restore(const Saved& saved);
  // Somebody else has put stacks into the arena.
  void ForgetArena() { in_arena_.assign(in_arena_.size(), kNobody); }

  // Scheduler::Key() of the present state.
  Hash128 key() const { return key_; }
  // Of the state that the transition leads to from here.
  Hash128 KeyAfter(const Transition& transition) const {
    Hash128 key = key_;
    key += transition.key_change;
    return key;
  }

  // Puts all stacks of the present state into the arena.
  void Materialize();

  // Cannot go on: a task used the stack of another one, or there is too much to learn. The present
  // state is lost.
  bool failed() const { return failed_; }
  // How much may be learned; as it is, some 100 MB.
  void set_most(size_t transitions) { most_ = transitions; }

 private:
  struct Lane {
    uint64_t words[2];

    friend bool operator==(const Lane&, const Lane&) = default;
  };
  struct Write {
    size_t lane;
    Lane before;
    Lane after;
  };
  struct Local {
    std::vector<uint8_t> stack;  // its live part
    Hash128 hash;                // what that adds to the state's key
    std::vector<uint32_t> branches;
    mutable const Transition* found = nullptr;  // last
  };
  struct Branch {
    std::vector<uint32_t> lanes;
    LaneSet read;  // the same
  };
  // Of the search, to go back.
  struct Taken {
    const Transition* transition;  // nullptr: kinds of findings were added
    uint32_t before;               // the task's local, or the kinds
  };

  static constexpr uint32_t kNobody = ~uint32_t{0};

  Lane* lanes() const { return reinterpret_cast<Lane*>(scheduler_.shared()); }
  size_t lane_count() const { return (scheduler_.shared_used() + sizeof(Lane) - 1) / sizeof(Lane); }
  size_t LaneOf(const void* address) const {
    return static_cast<size_t>(static_cast<const uint8_t*>(address) - scheduler_.shared()) /
           sizeof(Lane);
  }
  uint32_t InternLocal(int slot);
  uint32_t InternBranch(uint32_t local, const std::vector<uint32_t>& lanes);
  std::vector<uint32_t> LanesRead(int slot) const;
  void PutStack(int slot);
  void AddWrites(Transition& transition);
  uint64_t HashReads(uint32_t branch, int choice, const Lane* from) const;
  bool Agrees(const Transition& transition) const;
  void AddToTable(uint64_t hash, const Transition* transition);
  void Rehash();

  Machine& machine_;
  Scheduler& scheduler_;
  Reduction& reduction_;
  AccessRecorder recorder_;

  Hash128 key_;
  std::vector<uint32_t> present_;   // by slot: its local
  std::vector<uint32_t> in_arena_;  // by slot: whose stack lies there, or kNobody
  std::vector<Taken> taken_;

  std::vector<Local> locals_;
  std::unordered_map<Hash128, uint32_t, Hash128Hasher> local_numbers_;
  std::vector<Branch> branches_;
  std::deque<Transition> transitions_;
  std::vector<Lane> contents_;
  std::vector<Write> writes_;
  std::vector<Lane> before_;  // the shared part before a run
  // Open addressing; a free place has no transition.
  struct Place {
    uint64_t hash;
    const Transition* transition;
  };
  std::vector<Place> table_;
  size_t most_ = 1 << 18;
  bool failed_ = false;
};

}  // namespace iomode

#endif  // SIM_LEARNED_TRANSITIONS_H_
