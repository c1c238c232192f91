// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/kernel/cpio.h"

#include "absl/strings/str_format.h"

namespace iomode::conform {
namespace {

constexpr unsigned kFolder = 0040755;
constexpr unsigned kFile = 0100644;
constexpr unsigned kProgram = 0100755;

}  // namespace

void CpioArchive::Pad() { bytes_.resize((bytes_.size() + 3) / 4 * 4); }

void CpioArchive::Add(absl::string_view name, unsigned mode, absl::string_view content) {
  // magic, inode, mode, uid, gid, links, mtime, size, device (4 numbers), length of name, checksum
  bytes_ += absl::StrFormat("070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", inode_++,
                            mode, 0, 0, 1, 0, content.size(), 0, 0, 0, 0, name.size() + 1, 0);
  bytes_.append(name.data(), name.size());
  bytes_ += '\0';
  Pad();
  bytes_.append(content.data(), content.size());
  Pad();
}

void CpioArchive::AddFolder(absl::string_view name) { Add(name, kFolder, ""); }

void CpioArchive::AddFile(absl::string_view name, absl::string_view content, bool executable) {
  Add(name, executable ? kProgram : kFile, content);
}

const std::string& CpioArchive::Finish() {
  Add("TRAILER!!!", 0, "");
  return bytes_;
}

}  // namespace iomode::conform
