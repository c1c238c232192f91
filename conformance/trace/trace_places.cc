// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/trace/trace_places.h"

#include <algorithm>
#include <map>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace iomode::conform {
namespace {

// Wait queues of the scheduled world have a bit for each.
constexpr int kMaxTasks = 64;

// Gives out the lowest free numbers.
class Places {
 public:
  int Take() {
    const auto free = std::find(taken_.begin(), taken_.end(), false);
    if (free == taken_.end()) {
      taken_.push_back(true);
      return static_cast<int>(taken_.size()) - 1;
    }
    *free = true;
    return static_cast<int>(free - taken_.begin());
  }
  void Give(int place) { taken_[place] = false; }
  int count() const { return std::max(1, static_cast<int>(taken_.size())); }

 private:
  std::vector<bool> taken_;
};

class Placing {
 public:
  explicit Placing(const std::vector<TraceEvent>& events) : events_(events) {}

  absl::StatusOr<PlacedTrace> Run() {
    for (size_t i = 0; i < events_.size(); i++) {
      const std::string wrong = Take(i);
      if (!wrong.empty()) {
        return absl::InvalidArgumentError(
            absl::StrCat("trace:", events_[i].line, ": ", wrong, ": ", Describe(events_[i])));
      }
    }
    trace_.sizes.tasks = slots_.count();
    trace_.sizes.inodes = std::max<int>(1, static_cast<int>(inodes_.size()));
    trace_.sizes.files = files_.count();
    trace_.sizes.backings = std::max(1, backings_);
    return std::move(trace_);
  }

 private:
  struct Running {
    int slot = -1;
    int depth = 0;  // of traced functions
    TraceCall call;
  };

  // What is wrong with the event; "": nothing.
  std::string Take(size_t index) {
    const TraceEvent& event = events_[index];
    const bool of_backing = event.function == TracedFunction::kBackingOpen ||
                            event.function == TracedFunction::kBackingClose;
    const bool of_file = event.function == TracedFunction::kFileIoOpen ||
                         event.function == TracedFunction::kFileIoRelease ||
                         event.function == TracedFunction::kCachedIoOpen;
    if (event.kind == TraceKind::kCall) {
      if (!of_backing && event.fi == 0) return "a call without its inode";
      if (of_file && event.ff == 0) return "a call without its file";
      TakeCall(index);
      return slots_.count() > kMaxTasks ? "too many calls at a time" : "";
    }
    if (running_.count(event.task) == 0) return "an event outside of any call";
    event.kind == TraceKind::kSection ? TakeSection(index) : TakeReturn(index);
    return "";
  }

  int InodeOf(uint64_t fi) {
    return inodes_.try_emplace(fi, static_cast<int>(inodes_.size())).first->second;
  }

  int FileOf(const TraceEvent& event) {
    const auto known = file_of_.find(event.ff);
    const bool opens = event.function == TracedFunction::kFileIoOpen;
    if (known != file_of_.end()) {
      if (!opens) return known->second;
      // An open that failed has left its fuse_file behind without a release.
      files_.Give(known->second);
    }
    return file_of_[event.ff] = files_.Take();
  }

  void TakeCall(size_t index) {
    const TraceEvent& event = events_[index];
    Running& running = running_[event.task];
    if (running.depth++ > 0) return;
    running.slot = slots_.Take();
    running.call = {event.function, -1, -1, event.id};
    if (event.fi != 0) running.call.inode = InodeOf(event.fi);
    if (event.ff != 0) running.call.file = FileOf(event);
    backings_ += event.function == TracedFunction::kBackingOpen;
    PlacedEvent placed{index, TraceKind::kCall, running.slot, running.call};
    placed.opens = event.function == TracedFunction::kFileIoOpen;
    trace_.events.push_back(placed);
  }

  void TakeSection(size_t index) {
    const Running& running = running_[events_[index].task];
    PlacedEvent placed{index, TraceKind::kSection, running.slot, running.call};
    placed.call.inode = InodeOf(events_[index].fi);
    trace_.events.push_back(placed);
  }

  void TakeReturn(size_t index) {
    const TraceEvent& event = events_[index];
    Running& running = running_[event.task];
    if (--running.depth > 0) return;
    PlacedEvent placed{index, TraceKind::kReturn, running.slot, running.call};
    placed.frees = running.call.function == TracedFunction::kFileIoRelease;
    if (placed.frees) {
      files_.Give(running.call.file);
      std::erase_if(file_of_, [&](const auto& known) { return known.second == running.call.file; });
    }
    trace_.events.push_back(placed);
    slots_.Give(running.slot);
    running_.erase(event.task);
  }

  const std::vector<TraceEvent>& events_;
  PlacedTrace trace_;
  Places slots_;
  Places files_;
  std::map<pid_t, Running> running_;
  std::map<uint64_t, int> inodes_;
  std::map<uint64_t, int> file_of_;
  int backings_ = 0;
};

}  // namespace

absl::StatusOr<PlacedTrace> PlaceTrace(const std::vector<TraceEvent>& events) {
  return Placing(events).Run();
}

}  // namespace iomode::conform
