// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/agent/detached_mount.h"

#include <sys/mount.h>

#include <cerrno>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace iomode::agent {
namespace {

absl::Status Failed(const char* call, const char* type) {
  return absl::FailedPreconditionError(
      absl::StrCat("cannot mount a \"", type, "\" filesystem: ", call, ": ", strerror(errno)));
}

}  // namespace

absl::StatusOr<Descriptor> MountDetached(
    const char* type, const std::vector<std::pair<std::string, std::string>>& options) {
  Descriptor context(fsopen(type, FSOPEN_CLOEXEC));
  if (!context.valid()) return Failed("fsopen", type);
  for (const auto& [key, value] : options) {
    if (fsconfig(context.get(), FSCONFIG_SET_STRING, key.c_str(), value.c_str(), 0) != 0) {
      return Failed(absl::StrCat("option ", key, "=", value).c_str(), type);
    }
  }
  if (fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
    return Failed("fsconfig", type);
  }
  Descriptor mount(fsmount(context.get(), FSMOUNT_CLOEXEC, 0));
  if (!mount.valid()) return Failed("fsmount", type);
  return mount;
}

}  // namespace iomode::agent
