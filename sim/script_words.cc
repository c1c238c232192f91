// SPDX-License-Identifier: GPL-2.0-only

#include "sim/script_words.h"

#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace iomode {
namespace {

constexpr FlagName kConnCaps[] = {
    {"passthrough", CONN_PASSTHROUGH},
    {"direct_io_allow_mmap", CONN_DIRECT_IO_ALLOW_MMAP},
    {"writeback_cache", CONN_WRITEBACK_CACHE},
    {"async_dio", CONN_ASYNC_DIO},
    {"no_open", CONN_NO_OPEN},
    {"atomic_o_trunc", CONN_ATOMIC_O_TRUNC},
    {"auto_inval_data", CONN_AUTO_INVAL_DATA},
    {"no_async_read", CONN_NO_ASYNC_READ},
};

constexpr FlagName kFopenFlags[] = {
    {"PASSTHROUGH", FOPEN_PASSTHROUGH},
    {"DIRECT_IO", FOPEN_DIRECT_IO},
    {"PARALLEL_DIRECT_WRITES", FOPEN_PARALLEL_DIRECT_WRITES},
    {"KEEP_CACHE", FOPEN_KEEP_CACHE},
    {"NONSEEKABLE", FOPEN_NONSEEKABLE},
    {"CACHE_DIR", FOPEN_CACHE_DIR},
    {"STREAM", FOPEN_STREAM},
    {"NOFLUSH", FOPEN_NOFLUSH},
    {"IO_URING_ZERO_COPY", FOPEN_IO_URING_ZERO_COPY},
};

constexpr FlagName kOpenFlags[] = {
    {"RDWR", OPEN_READ | OPEN_WRITE}, {"RDONLY", OPEN_READ},   {"WRONLY", OPEN_WRITE},
    {"DIRECT", OPEN_DIRECT},          {"APPEND", OPEN_APPEND}, {"TRUNC", OPEN_TRUNC},
};

constexpr FlagName kSetflFlags[] = {{"DIRECT", OPEN_DIRECT}, {"APPEND", OPEN_APPEND}};

// In the order of enum Op.
constexpr absl::string_view kOps[] = {
    "backing_open", "backing_close", "open",        "close",     "dup",        "read",
    "write",        "aio_read",      "aio_write",   "mmap",      "load",       "store",
    "msync",        "munmap",        "reply",       "setfl",     "truncate",   "fsync",
    "fallocate",    "stat",          "splice_read", "readahead", "sync_range", "kill",
    "intr",         "abort",         "wait",        "hog",       "unhog",
};
static_assert(std::size(kOps) == static_cast<size_t>(Op::kUnhog) + 1);

constexpr absl::string_view kVias[] = {"", "server", "backing", "cache"};
static_assert(std::size(kVias) == static_cast<size_t>(Via::kCache) + 1);

}  // namespace

absl::Span<const FlagName> ConnCapNames() { return kConnCaps; }
absl::Span<const FlagName> FopenFlagNames() { return kFopenFlags; }
absl::Span<const FlagName> OpenFlagNames() { return kOpenFlags; }
absl::Span<const FlagName> SetflFlagNames() { return kSetflFlags; }

absl::string_view OpName(Op op) { return kOps[static_cast<size_t>(op)]; }

std::optional<Op> OpFromName(absl::string_view name) {
  for (size_t i = 0; i < std::size(kOps); ++i) {
    if (kOps[i] == name) return static_cast<Op>(i);
  }
  return std::nullopt;
}

absl::string_view ViaName(Via via) { return kVias[static_cast<size_t>(via)]; }

uint32_t FlagBits(absl::Span<const FlagName> names, absl::string_view name) {
  for (const FlagName& flag : names) {
    if (flag.name == name) return flag.bits;
  }
  return 0;
}

std::string FlagsText(absl::Span<const FlagName> names, uint32_t bits, char separator,
                      const std::string& written) {
  if (!written.empty()) {
    uint32_t said = 0;
    for (absl::string_view name : absl::StrSplit(written, separator)) said |= FlagBits(names, name);
    if (said == bits) return written;
  }
  std::vector<absl::string_view> parts;
  for (const FlagName& flag : names) {
    if ((bits & flag.bits) != flag.bits) continue;
    parts.push_back(flag.name);
    bits &= ~flag.bits;
  }
  return absl::StrJoin(parts, std::string(1, separator));
}

std::string ListNames(absl::Span<const FlagName> names) {
  std::string list;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) list += i + 1 == names.size() ? " or " : ", ";
    list += std::string(names[i].name);
  }
  return list;
}

}  // namespace iomode
