// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/agent/backing_files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "model/uapi.h"

namespace iomode::agent {
namespace {

constexpr size_t kChunk = 64 << 10;

// Whether a byte of the file is `source`'s. Holes are skipped: a file may have large ones.
bool Holds(int fd, Source source) {
  std::vector<uint8_t> bytes(kChunk);
  for (off_t at = lseek(fd, 0, SEEK_DATA); at >= 0; at = lseek(fd, at, SEEK_DATA)) {
    const ssize_t got = pread(fd, bytes.data(), bytes.size(), at);
    if (got <= 0) return false;
    std::array<Source, 256> found;
    const size_t count = SourcesOf(std::span(bytes).first(static_cast<size_t>(got)), found);
    if (std::find(found.begin(), found.begin() + count, source) != found.begin() + count) {
      return true;
    }
    at += got;
  }
  return false;
}

}  // namespace

absl::StatusOr<std::unique_ptr<BackingFiles>> BackingFiles::Create(int directory, int count) {
  auto files = std::make_unique<BackingFiles>();
  for (int i = 0; i < count; ++i) {
    File file;
    file.fd = Descriptor(openat(directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    std::vector<uint8_t> bytes(kInitialFileSize);
    Fill(bytes, SourceOfBacking(i));
    struct stat attributes;
    if (!file.fd.valid() ||
        pwrite(file.fd.get(), bytes.data(), bytes.size(), 0) != ssize_t{kInitialFileSize} ||
        fstat(file.fd.get(), &attributes) != 0) {
      return absl::UnavailableError(absl::StrCat("cannot make a backing file: ", strerror(errno)));
    }
    file.inode_number = attributes.st_ino;
    files->files_.push_back(std::move(file));
  }
  return files;
}

int64_t BackingFiles::Size(int index) const {
  struct stat attributes;
  return fstat(fd(index), &attributes) == 0 ? attributes.st_size : 0;
}

void BackingFiles::Resize(int index, int64_t size) {
  // Cannot fail on tmpfs but for lack of memory, which the results then show.
  if (ftruncate(fd(index), size) != 0) return;
}

bool BackingFiles::Hold(Source source) const {
  return std::any_of(files_.begin(), files_.end(),
                     [source](const File& file) { return Holds(file.fd.get(), source); });
}

void BackingFiles::NoteId(int index, int64_t id) {
  files_[index].newest_id = id;
  index_of_id_[id] = index;
}

int BackingFiles::IndexOfId(int64_t id) const {
  auto found = index_of_id_.find(id);
  return found == index_of_id_.end() ? -1 : found->second;
}

int BackingFiles::IndexOfInode(uint64_t number) const {
  for (size_t i = 0; i < files_.size(); ++i) {
    if (files_[i].inode_number == number) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace iomode::agent
