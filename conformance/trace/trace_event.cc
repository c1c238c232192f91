// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/trace/trace_event.h"

#include <map>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace iomode::conform {
namespace {

// By TracedFunction.
constexpr const char* kNames[kTracedFunctions] = {
    "fuse_file_io_open",          "fuse_file_io_release",
    "fuse_file_cached_io_open",   "fuse_inode_uncached_io_start",
    "fuse_inode_uncached_io_end", "fuse_backing_open",
    "fuse_backing_close"};

using Fields = std::map<absl::string_view, absl::string_view>;

// The value of a field, 0 where the probe has no such field or could not read it.
int64_t Number(const Fields& fields, absl::string_view name) {
  const auto found = fields.find(name);
  if (found == fields.end()) return 0;
  absl::string_view digits = found->second;
  uint64_t hex = 0;
  int64_t number = 0;
  if (absl::ConsumePrefix(&digits, "0x"))
    return absl::SimpleHexAtoi(digits, &hex) ? static_cast<int64_t>(hex) : 0;
  return absl::SimpleAtoi(digits, &number) ? number : 0;
}

// "agent-74" of "  agent-74   [001] d..2. 112: c_fuse_file_io_open: (...) fi=0x1" to the task, the
// rest to the name of the event and its fields.
bool Split(absl::string_view line, TraceEvent* event, absl::string_view* name, Fields* fields) {
  const size_t bracket = line.find(" [");
  const size_t colon = line.find(": ");
  if (bracket == absl::string_view::npos || colon == absl::string_view::npos) return false;
  const absl::string_view who = absl::StripAsciiWhitespace(line.substr(0, bracket));
  if (!absl::SimpleAtoi(who.substr(who.rfind('-') + 1), &event->task)) return false;
  absl::string_view rest = line.substr(colon + 2);
  *name = rest.substr(0, rest.find(':'));
  for (absl::string_view word : absl::StrSplit(rest, ' ')) {
    const std::pair<absl::string_view, absl::string_view> pair =
        absl::StrSplit(word, absl::MaxSplits('=', 1));
    (*fields)[pair.first] = pair.second;
  }
  return true;
}

// The reverse of EventName.
bool TakeName(absl::string_view name, TraceEvent* event) {
  if (name.size() < 3 || name[1] != '_') return false;
  event->kind = static_cast<TraceKind>(name[0]);
  if (event->kind == TraceKind::kSection) name = name.substr(0, name.rfind('_'));
  return (event->kind == TraceKind::kCall || event->kind == TraceKind::kSection ||
          event->kind == TraceKind::kReturn) &&
         TracedFunctionOf(name.substr(2), &event->function);
}

}  // namespace

const char* NameOf(TracedFunction function) { return kNames[static_cast<int>(function)]; }

std::string EventName(TraceKind kind, absl::string_view function) {
  return absl::StrCat(std::string(1, static_cast<char>(kind)), "_", function);
}

bool TracedFunctionOf(absl::string_view name, TracedFunction* function) {
  for (int i = 0; i < kTracedFunctions; i++) {
    if (name != kNames[i]) continue;
    *function = static_cast<TracedFunction>(i);
    return true;
  }
  return false;
}

absl::StatusOr<std::vector<TraceEvent>> ParseTrace(absl::string_view text,
                                                   const TraceReading& reading) {
  std::vector<TraceEvent> events;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    number++;
    if (line.empty() || line[0] == '#') continue;
    TraceEvent event;
    absl::string_view name;
    Fields fields;
    if (!Split(line, &event, &name, &fields) || !TakeName(name, &event)) {
      return absl::InvalidArgumentError(
          absl::StrCat("trace:", number, ": found \"", line,
                       "\", expected an event of the probes on io-mode functions"));
    }
    event.line = number;
    event.fi = static_cast<uint64_t>(event.kind == TraceKind::kSection
                                         ? Number(fields, "lock") - reading.lock_offset
                                         : Number(fields, "fi"));
    event.ff = static_cast<uint64_t>(Number(fields, "ff"));
    event.flags = static_cast<uint32_t>(Number(fields, "flags"));
    event.mode = static_cast<int>(Number(fields, "mode"));
    event.id = static_cast<int>(Number(fields, "id"));
    event.fb = static_cast<uint64_t>(Number(fields, "fb"));
    event.counter = static_cast<int>(Number(fields, "ctr"));
    event.cache_bit = (Number(fields, "state") >> reading.cache_bit & 1) != 0;
    event.result = static_cast<int>(Number(fields, "ret"));
    events.push_back(event);
  }
  return events;
}

std::string Describe(const TraceEvent& event) {
  const std::string who = absl::StrCat("task ", event.task, " ");
  const auto hex = [](uint64_t pointer) { return absl::StrCat("0x", absl::Hex(pointer)); };
  switch (event.kind) {
    case TraceKind::kCall:
      return absl::StrCat(who, "calls ", NameOf(event.function), ": fi=", hex(event.fi),
                          " ff=", hex(event.ff), " open_flags=", hex(event.flags),
                          " iomode=", event.mode, " id=", event.id, " fb=", hex(event.fb));
    case TraceKind::kSection:
      return absl::StrCat(who, "lets go of fi->lock in ", NameOf(event.function),
                          ": fi=", hex(event.fi), " iocachectr=", event.counter,
                          " CACHE_IO_MODE=", event.cache_bit ? 1 : 0, " fb=", hex(event.fb));
    case TraceKind::kReturn:
      break;
  }
  return absl::StrCat(who, "returns ", event.result, " from ", NameOf(event.function));
}

}  // namespace iomode::conform
