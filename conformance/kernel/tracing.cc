// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/kernel/tracing.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "conformance/kernel/scratch_folder.h"

namespace iomode::conform {
namespace {

// For each CPU; some hundred thousand events.
constexpr char kBufferKib[] = "32768";

std::string Place(const char* file) { return absl::StrCat(kTracefs, "/", file); }

absl::Status Write(const char* file, const std::string& text, int flags = 0) {
  const int fd = open(Place(file).c_str(), O_WRONLY | O_CLOEXEC | flags);
  const bool written = fd >= 0 && write(fd, text.data(), text.size()) == ssize_t(text.size());
  const int error = errno;
  if (fd >= 0) close(fd);
  if (written) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(Place(file), ": \"", text, "\": ", strerror(error)));
}

// Events that found no room, by what a CPU's statistics say.
absl::Status CheckNoneOverwritten() {
  for (const auto& cpu : std::filesystem::directory_iterator(Place("per_cpu"))) {
    const auto stats = ReadWholeFile(cpu.path().string() + "/stats");
    if (!stats.ok()) return stats.status();
    for (const absl::string_view line : absl::StrSplit(*stats, '\n')) {
      const std::pair<absl::string_view, absl::string_view> pair = absl::StrSplit(line, ": ");
      const bool counts_lost = pair.first == "overrun" || pair.first == "commit overrun" ||
                               pair.first == "dropped events";
      if (counts_lost && pair.second != "0") {
        return absl::DataLossError(absl::StrCat("events are missing from the trace: ", line));
      }
    }
  }
  return absl::OkStatus();
}

// Probes that were hit and could not run: the last number of each line of kprobe_profile.
absl::Status CheckNoneMissed() {
  const auto profile = ReadWholeFile(Place("kprobe_profile"));
  if (!profile.ok()) return profile.status();
  for (const absl::string_view line : absl::StrSplit(*profile, '\n', absl::SkipEmpty())) {
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    if (words.size() == 3 && words[2] != "0") {
      return absl::DataLossError(absl::StrCat("a probe missed events: ", line));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status PlaceProbes(const std::vector<std::string>& definitions) {
  if (absl::Status status = Write("trace_clock", "counter"); !status.ok()) return status;
  if (absl::Status status = Write("buffer_size_kb", kBufferKib); !status.ok()) return status;
  for (const std::string& definition : definitions) {
    absl::Status status = Write("kprobe_events", definition + "\n", O_APPEND);
    if (!status.ok()) return status;
  }
  return Write("events/io/enable", "1");
}

absl::Status StartTrace() {
  if (absl::Status status = Write("trace", "", O_TRUNC); !status.ok()) return status;
  return Write("tracing_on", "1");
}

absl::StatusOr<std::string> StopTrace() {
  if (absl::Status status = Write("tracing_on", "0"); !status.ok()) return status;
  if (absl::Status status = CheckNoneOverwritten(); !status.ok()) return status;
  if (absl::Status status = CheckNoneMissed(); !status.ok()) return status;
  return ReadWholeFile(Place("trace"));
}

}  // namespace iomode::conform
