// SPDX-License-Identifier: GPL-2.0-only
//
// Writes an initramfs: a cpio archive in the "newc" format
// (Documentation/driver-api/early-userspace of the kernel). The same content gives the same bytes.

#ifndef CONFORMANCE_KERNEL_CPIO_H_
#define CONFORMANCE_KERNEL_CPIO_H_

#include <string>

#include "absl/strings/string_view.h"

namespace iomode::conform {

class CpioArchive {
 public:
  // Names have no slash in front; a folder comes before what is in it.
  void AddFolder(absl::string_view name);
  void AddFile(absl::string_view name, absl::string_view content, bool executable);

  // The whole archive; nothing may be added any more.
  const std::string& Finish();

 private:
  void Add(absl::string_view name, unsigned mode, absl::string_view content);
  void Pad();

  std::string bytes_;
  unsigned inode_ = 0;
};

}  // namespace iomode::conform

#endif  // CONFORMANCE_KERNEL_CPIO_H_
