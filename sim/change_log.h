// SPDX-License-Identifier: GPL-2.0-only
//
// What each transition changes in a scheduler's arena, so that a search can go back, and the
// state's identity, kept up to date change by change.
//
// A copy of the arena as it was before the transition shows which lanes of 16 bytes differ after
// it. Only those are logged and hashed: a key is a sum over lanes, so a changed lane costs one
// subtraction and one addition, whatever the size of the arena.
//
// Invariant between calls: the copy holds the shared part and the live stacks of the state that the
// arena is in, and zeros below each stack pointer. Used by the thread that drives the scheduler.

#ifndef SIM_CHANGE_LOG_H_
#define SIM_CHANGE_LOG_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "sim/scheduler.h"

namespace iomode {

class ChangeLog {
 public:
  explicit ChangeLog(Scheduler& scheduler) : scheduler_(scheduler) {}
  ~ChangeLog();
  ChangeLog(const ChangeLog&) = delete;
  ChangeLog& operator=(const ChangeLog&) = delete;

  // Forgets everything and takes the state that the arena is in as the start.
  void Begin();

  // Logs what changed since the last call, where only the task in `slot` ran; -1: none did, and the
  // shared part was changed by the driver.
  void Note(int slot);

  // A point of the log to go back to.
  struct Mark {
    size_t changes;
    Hash128 key;
  };
  Mark mark() const { return {changes_, key_}; }
  // Puts the arena back to what it was at `mark`.
  void Undo(const Mark& mark);

  // Scheduler::Key() of the state that the arena is in.
  Hash128 key() const { return key_; }

 private:
  struct Lane {
    uint64_t words[2];
  };
  struct Change {
    size_t lane;  // number in the arena
    Lane before;
  };

  // Lanes are compared in blocks first.
  static constexpr size_t kBlockLanes = 4;
  static constexpr size_t kBlockBytes = kBlockLanes * sizeof(Lane);

  uint8_t* at(size_t lane) const { return scheduler_.shared() + lane * sizeof(Lane); }
  void MapCopy();
  // The stack pointer of the task in the copy; the stack's top when it has no stack there.
  const uint8_t* StackInCopy(int slot) const;
  void MakeRoom();
  void Add(size_t lane, Lane before) { log_[changes_++] = {lane, before}; }
  void Set(size_t lane);
  void SetBlock(size_t lane);
  void Drop(size_t lane);
  void NoteShared();
  void NoteStack(int slot, const uint8_t* sp_before);

  Scheduler& scheduler_;
  uint8_t* copy_ = nullptr;
  size_t copy_bytes_ = 0;
  std::unique_ptr<Change[]> log_;
  size_t changes_ = 0;  // in it
  size_t room_ = 0;     // for so many
  Hash128 key_;
};

}  // namespace iomode

#endif  // SIM_CHANGE_LOG_H_
