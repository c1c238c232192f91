// SPDX-License-Identifier: GPL-2.0-only
//
// A folder of its own under $TMPDIR (or /tmp), removed with what is in it at the end of its life.

#ifndef CONFORMANCE_KERNEL_SCRATCH_FOLDER_H_
#define CONFORMANCE_KERNEL_SCRATCH_FOLDER_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace iomode::conform {

class ScratchFolder {
 public:
  static absl::StatusOr<ScratchFolder> Make();
  ScratchFolder(ScratchFolder&& other) noexcept : path_(std::exchange(other.path_, "")) {}
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  ~ScratchFolder();

  const std::string& path() const { return path_; }

 private:
  explicit ScratchFolder(std::string path) : path_(std::move(path)) {}

  std::string path_;
};

// Writes a whole file. Unavailable, with its name, when that fails.
absl::Status WriteWholeFile(const std::string& path, const std::string& content);
// Reads one.
absl::StatusOr<std::string> ReadWholeFile(const std::string& path);

}  // namespace iomode::conform

#endif  // CONFORMANCE_KERNEL_SCRATCH_FOLDER_H_
