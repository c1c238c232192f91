// SPDX-License-Identifier: GPL-2.0-only

#include "sim/lock_step.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace iomode {
namespace {

using W = ScheduledWorld;

// A side that is behind may take so many transitions that change nothing.
constexpr int kMaxAlone = 8;
constexpr size_t kMaxExplained = 8;
constexpr uint64_t kMaxTransitions = 100'000;

uint64_t WordAt(const uint8_t* at) {
  uint64_t word;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

void ResumeTask(Machine& machine, int slot, int choice) {
  W::listener = &machine;
  machine.scheduler().Resume(slot, choice);
  machine.Finish(slot);
}

}  // namespace

LockStep::LockStep(const Script& script, const Revision& left, const Revision& right)
    : script_(script), left_(script, left), right_(script, right) {
  Scheduler& s = left_.scheduler();
  left_start_.Save(s);
  right_start_.Save(right_.scheduler());
  // What a kernel's own code needs besides lies behind everything else.
  compared_ = std::min(s.shared_used(), right_.scheduler().shared_used());
  compared_bits_.resize(compared_ / 8, ~uint64_t{0});
  const auto ignore = [&](const auto& field) {
    const size_t at = reinterpret_cast<const uint8_t*>(&field) - s.shared();
    for (size_t byte = at; byte < at + sizeof(field); byte++)
      compared_bits_[byte / 8] &= ~(uint64_t{0xff} << byte % 8 * 8);
  };
  FuseConn<W>& fc = left_.conn();
  ignore(fc.rules);
  ignore(fc.ops);
  ignore(fc.server);
  ignore(fc.file_args);
  for (int i = 0; i < fc.fuse_files.capacity; i++) {
    ignore(fc.fuse_files.items[i].cred);
    ignore(fc.fuse_files.items[i].args);
    ignore(fc.fuse_files.items[i].release_inode);  // of the kernel's own code: in args
  }
  for (int i = 0; i < fc.backings.capacity; i++) ignore(fc.backings.items[i].cred);
}

LockStepReport LockStep::Run(uint64_t seed, int schedules) {
  report_ = {};
  for (int i = 0; i < schedules; i++) {
    report_.schedules++;
    if (!RunSchedule(seed + i)) break;
  }
  left_start_.Restore(left_.scheduler());
  right_start_.Restore(right_.scheduler());
  return report_;
}

bool LockStep::RunSchedule(uint64_t seed) {
  left_start_.Restore(left_.scheduler());
  right_start_.Restore(right_.scheduler());
  random_.seed(seed);
  const auto start = [this](size_t index) {
    left_.Start(static_cast<int>(index));
    right_.Start(static_cast<int>(index));
  };
  size_t index = 0;
  for (; index < left_.programs().size() && left_.programs()[index].thread < 0; index++) {
    start(index);
    if (!WalkToRest()) return false;
    TakeResults();
  }
  if (index == left_.programs().size()) return true;
  int last = -1;
  for (; index < left_.programs().size(); index++) {
    const int thread = left_.programs()[index].thread;
    if (thread > last) start(index);
    last = thread;
  }
  return WalkToRest();
}

void LockStep::TakeResults() {
  for (Machine* machine : {&left_, &right_}) {
    for (size_t i = 0; i < machine->programs().size(); i++) {
      if (machine->completed(static_cast<int>(i))) machine->TakeResult(static_cast<int>(i));
    }
    machine->CheckAtRest();
  }
}

// Resumes tasks, picked at random, until none can run; false when the sides part.
bool LockStep::WalkToRest() {
  Scheduler& s = left_.scheduler();
  for (uint64_t n = 0; n < kMaxTransitions; n++) {
    std::vector<int> enabled;
    for (int slot = 0; slot < s.task_count(); slot++) {
      if (s.Enabled(slot)) enabled.push_back(slot);
    }
    if (enabled.empty()) return true;
    const int slot = enabled[random_() % enabled.size()];
    const int choices = s.task(slot).pending == Pending::kChoose ? s.task(slot).choices : 1;
    if (!Step(slot, static_cast<int>(random_() % choices))) return false;
  }
  return true;
}

bool LockStep::Step(int slot, int choice) {
  ResumeTask(left_, slot, choice);
  ResumeTask(right_, slot, choice);
  report_.states++;
  if (Same() || CatchUp(right_, slot) || CatchUp(left_, slot) || CatchUpBoth(slot)) return true;
  Explain(slot);
  return false;
}

// Lets one side go on alone until both are in the same state; if that does not come, it stays.
bool LockStep::CatchUp(Machine& behind, int slot) {
  Snapshot before;
  before.Save(behind.scheduler());
  for (int n = 1; n <= kMaxAlone && behind.scheduler().Enabled(slot); n++) {
    ResumeTask(behind, slot, 0);
    if (!Same()) continue;
    report_.alone += n;
    return true;
  }
  before.Restore(behind.scheduler());
  return false;
}

// Lets both go on, one after the other, over points that change nothing at all.
bool LockStep::CatchUpBoth(int slot) {
  Snapshot left;
  Snapshot right;
  left.Save(left_.scheduler());
  right.Save(right_.scheduler());
  const auto resume = [&](Machine& machine) {
    if (!machine.scheduler().Enabled(slot)) return false;
    ResumeTask(machine, slot, 0);
    return SameWords();
  };
  for (int at_left = 1; at_left <= kMaxAlone && resume(left_); at_left++) {
    for (int at_right = 1; at_right <= kMaxAlone && resume(right_); at_right++) {
      if (!SameTasks()) continue;
      report_.alone += at_left + at_right;
      return true;
    }
    right.Restore(right_.scheduler());
  }
  left.Restore(left_.scheduler());
  right.Restore(right_.scheduler());
  return false;
}

// A word of a machine's arena, pointers into it as places in it.
uint64_t LockStep::Relocated(const Machine& machine, uint64_t word) const {
  const uint64_t begin = reinterpret_cast<uint64_t>(machine.scheduler().shared());
  return word >= begin && word < begin + machine.scheduler().shared_used() ? word - begin : word;
}

bool LockStep::SameTask(int slot) const {
  const Task& a = left_.scheduler().task(slot);
  const Task& b = right_.scheduler().task(slot);
  // Who waits for a lock is fresh when it gets it, whatever it did before.
  const bool same_fresh = a.fresh == b.fresh || a.pending == Pending::kLock;
  return a.pending == b.pending && a.user == b.user && a.choices == b.choices &&
         a.locks == b.locks && same_fresh && a.wakeup == b.wakeup && a.next == b.next &&
         a.want == b.want &&
         Relocated(left_, reinterpret_cast<uint64_t>(a.object)) ==
             Relocated(right_, reinterpret_cast<uint64_t>(b.object));
}

bool LockStep::SameWord(size_t at) const {
  const uint64_t a = WordAt(left_.scheduler().shared() + at);
  const uint64_t b = WordAt(right_.scheduler().shared() + at);
  const uint64_t bits = compared_bits_[at / 8];
  if (((a ^ b) & bits) == 0) return true;
  return bits == ~uint64_t{0} && Relocated(left_, a) == Relocated(right_, b);
}

bool LockStep::SameTasks() const {
  for (int slot = 0; slot < left_.scheduler().task_count(); slot++) {
    if (!SameTask(slot)) return false;
  }
  return true;
}

bool LockStep::SameWords() const {
  const Scheduler& l = left_.scheduler();
  for (size_t at = l.task_count() * sizeof(Task); at + 8 <= compared_; at += 8) {
    if (!SameWord(at)) return false;
  }
  return true;
}

void LockStep::Explain(int slot) {
  Scheduler& l = left_.scheduler();
  Scheduler& r = right_.scheduler();
  const uint32_t user =
      r.task(slot).pending == Pending::kFree ? l.task(slot).user : r.task(slot).user;
  std::vector<std::string>& lines = report_.difference;
  lines.push_back(absl::StrCat(script_.name, ": after transition ", report_.states, " of schedule ",
                               report_.schedules, ", by ", left_.TaskName(user)));
  const auto stands = [&](Machine& machine, int task) {
    const Task& t = machine.scheduler().task(task);
    return absl::StrCat(machine.revision().name, " in ", t.function ? t.function : "-", " before ",
                        machine.DescribeAddress(t.object), ", locks ", t.locks);
  };
  for (int task = 0; task < l.task_count(); task++) {
    if (!SameTask(task))
      lines.push_back(
          absl::StrCat("    task ", task, ": ", stands(left_, task), "; ", stands(right_, task)));
  }
  for (size_t at = l.task_count() * sizeof(Task);
       at + 8 <= compared_ && lines.size() < kMaxExplained; at += 8) {
    if (SameWord(at)) continue;
    const uint64_t a = Relocated(left_, WordAt(l.shared() + at));
    const uint64_t b = Relocated(right_, WordAt(r.shared() + at));
    lines.push_back(absl::StrCat("    ", left_.DescribeAddress(l.shared() + at), " (byte ", at,
                                 "): ", left_.revision().name, " 0x", absl::Hex(a), ", ",
                                 right_.revision().name, " 0x", absl::Hex(b)));
  }
  for (int i = 0; i < left_.inode_count(); i++) {
    if (left_.InodeState(i) != right_.InodeState(i))
      lines.push_back(absl::StrCat("    ", script_.inodes[i], ": ", left_.revision().name, " ",
                                   left_.InodeState(i), "; ", right_.revision().name, " ",
                                   right_.InodeState(i)));
  }
}

}  // namespace iomode
