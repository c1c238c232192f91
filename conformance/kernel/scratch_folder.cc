// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/kernel/scratch_folder.h"

#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"

namespace iomode::conform {

absl::StatusOr<ScratchFolder> ScratchFolder::Make() {
  const char* parent = getenv("TMPDIR");
  std::string path = absl::StrCat(parent != nullptr && *parent ? parent : "/tmp", "/iomode.XXXXXX");
  if (mkdtemp(path.data()) == nullptr) {
    return absl::UnavailableError(absl::StrCat(path, ": ", strerror(errno)));
  }
  return ScratchFolder(path);
}

ScratchFolder::~ScratchFolder() {
  std::error_code error;
  if (!path_.empty()) std::filesystem::remove_all(path_, error);
}

absl::Status WriteWholeFile(const std::string& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary);
  file << content;
  file.close();
  if (file) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(path, ": cannot be written"));
}

absl::StatusOr<std::string> ReadWholeFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  if (file && !content.fail()) return content.str();
  return absl::UnavailableError(absl::StrCat(path, ": cannot be read"));
}

}  // namespace iomode::conform
