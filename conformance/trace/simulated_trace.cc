// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/trace/simulated_trace.h"

#include <random>

#include "conformance/trace/trace_machine.h"
#include "model/uapi.h"

namespace iomode::conform {
namespace {

constexpr int kFiles = 4;
constexpr int kServer = kFiles;  // its slot
constexpr int kBackings = 12;
constexpr uint64_t kInode = 0x1000;
constexpr uint64_t kFirstFile = 0x2000;
constexpr uint64_t kFirstBacking = 0x9000;

class Simulation {
 public:
  Simulation(uint64_t seed, const Rules& rules, int rounds)
      : machine_(rules, {.tasks = kFiles + 1, .inodes = 1, .files = kFiles, .backings = kBackings}),
        rounds_(rounds),
        random_(seed) {}

  std::vector<TraceEvent> Run() {
    while (true) {
      std::vector<int> able;
      for (int slot = 0; slot <= kServer; slot++) {
        if (calling_[slot] ? machine_.Returned(slot) || machine_.scheduler().Enabled(slot)
                           : Wants(slot))
          able.push_back(slot);
      }
      if (able.empty()) return std::move(events_);
      Advance(able[random_() % able.size()]);
    }
  }

 private:
  // A file is opened, perhaps written in parallel or mapped, and released.
  struct Plan {
    int rounds = 0;
    bool open = false;
    bool writing = false;
    bool mapped = false;
    uint32_t flags = 0;
  };

  bool Wants(int slot) const {
    if (slot == kServer) return opened_ < kBackings || closed_ < opened_;
    return plans_[slot].open || plans_[slot].rounds < rounds_;
  }

  void Advance(int slot) {
    if (!calling_[slot]) {
      Call(slot, slot == kServer ? NextOfServer() : NextOfFile(slot));
    } else if (machine_.Returned(slot)) {
      Return(slot);
    } else {
      int locked = -1;
      machine_.Step(slot, &locked);
      if (machine_.unconfirmed(0).task >= 0) Section(slot);
    }
  }

  TraceCall NextOfServer() {
    TraceCall call;
    const bool opens = closed_ == opened_ || (opened_ < kBackings && random_() % 2 == 0);
    call.function = opens ? TracedFunction::kBackingOpen : TracedFunction::kBackingClose;
    if (opens) {
      opened_++;
    } else {
      call.id = ++closed_;
    }
    return call;
  }

  TraceCall NextOfFile(int file) {
    Plan& plan = plans_[file];
    TraceCall call{TracedFunction::kFileIoOpen, 0, file, 0};
    if (!plan.open) {
      constexpr uint32_t kFlags[] = {0, 0, FOPEN_DIRECT_IO | FOPEN_PARALLEL_DIRECT_WRITES,
                                     FOPEN_DIRECT_IO | FOPEN_PARALLEL_DIRECT_WRITES,
                                     FOPEN_PASSTHROUGH};
      plan = {plan.rounds + 1, true, false, false, kFlags[random_() % std::size(kFlags)]};
      if (plan.flags & FOPEN_PASSTHROUGH) call.id = std::max(1, opened_);
      machine_.InitFile(file, 0, plan.flags, call.id);
    } else if (plan.writing) {
      call.function = TracedFunction::kUncachedIoEnd;
      plan.writing = false;
    } else if (plan.flags & FOPEN_DIRECT_IO && random_() % 3 != 0) {
      call.function = random_() % 4 == 0 && !plan.mapped ? TracedFunction::kCachedIoOpen
                                                         : TracedFunction::kUncachedIoStart;
      plan.mapped |= call.function == TracedFunction::kCachedIoOpen;
    } else {
      call.function = TracedFunction::kFileIoRelease;
      plan.open = false;
    }
    return call;
  }

  TraceEvent Event(TraceKind kind, int slot, TracedFunction function) const {
    TraceEvent event;
    event.kind = kind;
    event.function = function;
    event.line = static_cast<int>(events_.size()) + 1;
    event.task = 100 + slot;
    return event;
  }

  void Call(int slot, const TraceCall& call) {
    TraceEvent event = Event(TraceKind::kCall, slot, call.function);
    if (call.inode >= 0) event.fi = kInode;
    const bool of_write = call.function == TracedFunction::kUncachedIoStart ||
                          call.function == TracedFunction::kUncachedIoEnd;
    if (call.file >= 0 && !of_write) {
      event.ff = kFirstFile + 0x100 * call.file;
      event.flags = plans_[call.file].flags;
      event.mode = machine_.mode(call.file);
    }
    event.id = call.id;
    events_.push_back(event);
    machine_.Call(slot, call);
    calls_[slot] = call;
    calling_[slot] = true;
  }

  void Section(int slot) {
    const SectionEnd& end = machine_.unconfirmed(0);
    TraceEvent event = Event(TraceKind::kSection, slot, calls_[slot].function);
    event.fi = kInode;
    event.counter = end.counter;
    event.cache_bit = end.cache_bit;
    if (end.backing >= 0) event.fb = kFirstBacking + 0x100 * end.backing;
    events_.push_back(event);
    machine_.Confirm(0);
  }

  void Return(int slot) {
    TraceEvent event = Event(TraceKind::kReturn, slot, calls_[slot].function);
    event.result = machine_.EndCall(slot);
    events_.push_back(event);
    calling_[slot] = false;
    const TracedFunction function = calls_[slot].function;
    if (slot == kServer) return;
    if (function == TracedFunction::kUncachedIoStart) plans_[slot].writing = event.result == 0;
    if (function == TracedFunction::kFileIoOpen && event.result != 0) plans_[slot].open = false;
    if (function == TracedFunction::kFileIoRelease) machine_.FreeFile(slot);
  }

  TraceMachine machine_;
  const int rounds_;
  std::mt19937_64 random_;
  std::vector<TraceEvent> events_;
  Plan plans_[kFiles];
  TraceCall calls_[kFiles + 1];
  bool calling_[kFiles + 1] = {};
  int opened_ = 0;
  int closed_ = 0;
};

}  // namespace

std::vector<TraceEvent> SimulatedTrace(uint64_t seed, const Rules& rules, int rounds) {
  return Simulation(seed, rules, rounds).Run();
}

}  // namespace iomode::conform
