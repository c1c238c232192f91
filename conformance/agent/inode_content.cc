// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/agent/inode_content.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "model/uapi.h"

namespace iomode::agent {

InodeContent::InodeContent(Source source) : file_(memfd_create("inode", MFD_CLOEXEC)) {
  std::vector<uint8_t> bytes(kInitialFileSize);
  Fill(bytes, source);
  // What goes wrong here goes wrong again, and is answered, when the content is used.
  Write(0, bytes);
}

int64_t InodeContent::Size() const {
  struct stat attributes;
  return fstat(file_.get(), &attributes) == 0 ? attributes.st_size : 0;
}

int InodeContent::Resize(int64_t size) { return ftruncate(file_.get(), size) == 0 ? 0 : errno; }

int InodeContent::Write(int64_t offset, std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = pwrite(file_.get(), bytes.data(), bytes.size(), offset);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return written < 0 ? errno : ENOSPC;
    offset += written;
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return 0;
}

std::vector<uint8_t> InodeContent::Read(int64_t offset, size_t size) const {
  std::vector<uint8_t> bytes(size);
  const ssize_t got = pread(file_.get(), bytes.data(), size, offset);
  bytes.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return bytes;
}

}  // namespace iomode::agent
