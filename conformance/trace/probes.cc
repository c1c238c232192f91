// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/trace/probes.h"

#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "conformance/kernel/child_process.h"

namespace iomode::conform {
namespace {

constexpr char kObject[] = "fs/fuse/iomode.o";
// fuse_open_out::backing_id, the first thing in fuse_file::args: linux/fuse.h.
constexpr int kBackingIdInArgs = 12;
// Calls that sleep hold their return probe.
constexpr int kReturnsInFlight = 128;

// The offset behind "NAME; /* OFFSET SIZE */". Of several members with that name the last counts:
// before it come those of structs inside.
std::optional<int> MemberOffset(absl::string_view body, absl::string_view name) {
  std::optional<int> offset;
  for (absl::string_view line : absl::StrSplit(body, '\n')) {
    const size_t comment = line.find("/*");
    if (comment == absl::string_view::npos) continue;
    absl::string_view declared = absl::StripAsciiWhitespace(line.substr(0, comment));
    if (!absl::ConsumeSuffix(&declared, ";")) continue;
    // An attribute may stand behind the name.
    declared = declared.substr(0, declared.find(" __attribute__"));
    const size_t start = declared.find_last_of(" \t*}");
    const absl::string_view found =
        start == absl::string_view::npos ? declared : declared.substr(start + 1);
    const std::vector<absl::string_view> numbers =
        absl::StrSplit(line.substr(comment + 2), ' ', absl::SkipEmpty());
    int number = 0;
    if (found == name && !numbers.empty() && absl::SimpleAtoi(numbers[0], &number)) offset = number;
  }
  return offset;
}

// What stands in the braces of "struct NAME { ... };".
absl::string_view StructBody(absl::string_view pahole, const std::string& name) {
  const size_t begin = absl::StartsWith(pahole, absl::StrCat("struct ", name, " {"))
                           ? 0
                           : pahole.find(absl::StrCat("\nstruct ", name, " {"));
  if (begin == absl::string_view::npos) return {};
  return pahole.substr(begin, pahole.find("\n};", begin) - begin);
}

// The value that DWARF gives an enumerator: a line or two below its name.
std::optional<int> Enumerator(absl::string_view dwarf, absl::string_view name) {
  size_t at = 0;
  while ((at = dwarf.find(name, at)) != absl::string_view::npos) {
    at += name.size();
    const absl::string_view rest = dwarf.substr(at, 200);
    constexpr absl::string_view kValue = "DW_AT_const_value";
    const size_t value = rest.find(kValue);
    if (rest.empty() || rest[0] != '\n' || value == absl::string_view::npos) continue;
    absl::string_view digits = rest.substr(rest.find(':', value) + 1);
    int number = 0;
    if (absl::SimpleAtoi(digits.substr(0, digits.find('\n')), &number)) return number;
  }
  return std::nullopt;
}

std::string Section(const KernelLayout& layout, const UnlockSite& site, size_t number) {
  const auto field = [&](const char* name, int offset, const char* type) {
    const int relative = offset - layout.fi_lock;
    return absl::StrCat(" ", name, "=", relative < 0 ? "" : "+", relative, "(%di):", type);
  };
  return absl::StrCat("p:io/", EventName(TraceKind::kSection, site.function), "_", number, " ",
                      site.function, "+", site.offset, " lock=%di",
                      field("ctr", layout.fi_iocachectr, "s32"),
                      field("state", layout.fi_state, "x64"), field("fb", layout.fi_fb, "x64"));
}

// What a function's arguments say of the file, by how to reach its fuse_file.
std::string FileFields(const KernelLayout& layout, const std::string& ff) {
  return absl::StrCat(" ff=", ff, " flags=+", layout.ff_open_flags, "(", ff, "):x32 mode=+",
                      layout.ff_iomode, "(", ff, "):u32 id=+", kBackingIdInArgs, "(+",
                      layout.ff_args, "(", ff, ")):s32");
}

// The arguments of a call, in registers as the x86-64 ABI passes them.
std::string Arguments(const KernelLayout& layout, TracedFunction function) {
  const std::string ff = absl::StrCat("+", layout.file_private_data, "(%di)");
  switch (function) {
    case TracedFunction::kFileIoOpen:  // (file, inode)
      return absl::StrCat(" fi=%si", FileFields(layout, ff));
    case TracedFunction::kFileIoRelease:  // (ff, inode)
      return absl::StrCat(" fi=%si", FileFields(layout, "%di"));
    case TracedFunction::kCachedIoOpen:  // (inode, ff)
      return absl::StrCat(" fi=%di", FileFields(layout, "%si"));
    case TracedFunction::kUncachedIoStart:  // (fi, fb)
      return " fi=%di fb=%si";
    case TracedFunction::kUncachedIoEnd:  // (fi)
      return " fi=%di";
    case TracedFunction::kBackingOpen:  // (fc, map)
      return "";
    case TracedFunction::kBackingClose:  // (fc, id)
      break;
  }
  return " id=%si:s32";
}

absl::StatusOr<std::string> OutputOf(const std::vector<std::string>& command) {
  const auto result = RunChild(command);
  if (!result.ok()) return result.status();
  if (result->stopped) return absl::CancelledError("interrupted");
  if (result->exit != 0) {
    return absl::NotFoundError(absl::StrCat(command[0], " of ", kObject, ": ", result->err));
  }
  return result->out;
}

}  // namespace

absl::StatusOr<KernelLayout> ParseLayout(absl::string_view pahole, absl::string_view dwarf) {
  KernelLayout layout;
  const struct {
    const char* type;
    const char* member;
    int* offset;
  } kMembers[] = {{"fuse_inode", "iocachectr", &layout.fi_iocachectr},
                  {"fuse_inode", "state", &layout.fi_state},
                  {"fuse_inode", "fb", &layout.fi_fb},
                  {"fuse_inode", "lock", &layout.fi_lock},
                  {"fuse_file", "iomode", &layout.ff_iomode},
                  {"fuse_file", "open_flags", &layout.ff_open_flags},
                  {"fuse_file", "args", &layout.ff_args},
                  {"file", "private_data", &layout.file_private_data}};
  for (const auto& member : kMembers) {
    const std::optional<int> offset = MemberOffset(StructBody(pahole, member.type), member.member);
    if (!offset.has_value()) {
      return absl::NotFoundError(
          absl::StrCat(kObject, " has no ", member.type, "::", member.member));
    }
    *member.offset = *offset;
  }
  const std::optional<int> bit = Enumerator(dwarf, "FUSE_I_CACHE_IO_MODE");
  if (!bit.has_value())
    return absl::NotFoundError(absl::StrCat(kObject, " has no FUSE_I_CACHE_IO_MODE"));
  layout.cache_bit = *bit;
  return layout;
}

std::vector<UnlockSite> ParseUnlockSites(absl::string_view disassembly) {
  std::vector<UnlockSite> sites;
  std::string function;
  uint64_t start = 0, instruction = 0;
  for (absl::string_view line : absl::StrSplit(disassembly, '\n')) {
    // "0000000000000170 <fuse_inode_uncached_io_start>:"
    if (absl::EndsWith(line, ">:") && absl::SimpleHexAtoi(line.substr(0, line.find(' ')), &start)) {
      function = std::string(line.substr(line.find('<') + 1));
      function.resize(function.size() - 2);
      continue;
    }
    // " 1c4:	call ..." and below it "1c5: R_X86_64_PLT32	_raw_spin_unlock-0x4"
    const absl::string_view stripped = absl::StripAsciiWhitespace(line);
    const absl::string_view address = stripped.substr(0, stripped.find(':'));
    if (!absl::StrContains(line, "R_X86_64_")) {
      absl::SimpleHexAtoi(address, &instruction);
    } else if (absl::StrContains(line, "_raw_spin_unlock-")) {
      sites.push_back({function, static_cast<int>(instruction - start)});
    }
  }
  return sites;
}

std::vector<std::string> ProbeDefinitions(const KernelLayout& layout,
                                          const std::vector<UnlockSite>& sites) {
  std::vector<std::string> definitions;
  for (int i = 0; i < kTracedFunctions; i++) {
    const auto function = static_cast<TracedFunction>(i);
    const char* name = NameOf(function);
    definitions.push_back(absl::StrCat("p:io/", EventName(TraceKind::kCall, name), " ", name,
                                       Arguments(layout, function)));
    definitions.push_back(absl::StrCat("r", kReturnsInFlight, ":io/",
                                       EventName(TraceKind::kReturn, name), " ", name,
                                       " ret=$retval:s32"));
  }
  for (size_t i = 0; i < sites.size(); i++) definitions.push_back(Section(layout, sites[i], i));
  return definitions;
}

absl::StatusOr<Probes> MakeProbes(const std::string& folder) {
  const std::string object = absl::StrCat(folder, "/", kObject);
  const auto pahole = OutputOf({"pahole", "-C", "fuse_inode,fuse_file,file", object});
  if (!pahole.ok()) return pahole.status();
  const auto dwarf = OutputOf({"objdump", "--dwarf=info", object});
  if (!dwarf.ok()) return dwarf.status();
  const auto layout = ParseLayout(*pahole, *dwarf);
  if (!layout.ok()) return layout.status();
  const auto disassembly = OutputOf({"objdump", "-dr", "--no-show-raw-insn", object});
  if (!disassembly.ok()) return disassembly.status();
  const std::vector<UnlockSite> sites = ParseUnlockSites(*disassembly);
  if (sites.empty()) {
    return absl::NotFoundError(absl::StrCat(object, " calls no _raw_spin_unlock"));
  }
  return Probes{ProbeDefinitions(*layout, sites), {layout->cache_bit, layout->fi_lock}};
}

}  // namespace iomode::conform
