// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/agent/fuse_connection.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "conformance/agent/detached_mount.h"

namespace iomode::agent {
namespace {

// A FUSE mount may have next to no dirty pages before the kernel writes them back on its own
// (BDI_CAP_STRICTLIMIT), at a time that is nobody's step. Kernels before 6.2, and mounts of sysfs
// that cannot be written, keep that limit.
void LiftStrictLimit(int mount) {
  struct statx root;
  if (statx(mount, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &root) != 0) return;
  const std::string file =
      absl::StrCat("/sys/class/bdi/", root.stx_dev_major, ":", root.stx_dev_minor, "/strict_limit");
  std::ofstream(file) << 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<FuseConnection>> FuseConnection::Open(int control) {
  Descriptor device(open("/dev/fuse", O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!device.valid()) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot open /dev/fuse: ", strerror(errno), "; this needs root and FUSE"));
  }
  std::unique_ptr<FuseConnection> connection = On(std::move(device));
  connection->control_ = control;
  absl::StatusOr<Descriptor> mount =
      MountDetached("fuse", {{"source", "iomode"},
                             {"fd", absl::StrCat(connection->device_.get())},
                             {"rootmode", "40000"},
                             {"user_id", "0"},
                             {"group_id", "0"}});
  if (!mount.ok()) return mount.status();
  connection->mount_ = *std::move(mount);
  LiftStrictLimit(connection->mount());
  return connection;
}

std::unique_ptr<FuseConnection> FuseConnection::On(Descriptor device) {
  std::unique_ptr<FuseConnection> connection(new FuseConnection);
  connection->device_ = std::move(device);
  connection->buffer_.resize(kMaxTransfer + 4096);
  return connection;
}

std::span<const uint8_t> FuseConnection::Read() {
  while (alive_) {
    const ssize_t size = read(device_.get(), buffer_.data(), buffer_.size());
    if (size > 0) return std::span(buffer_).first(static_cast<size_t>(size));
    if (size < 0 && (errno == EINTR || errno == ENOENT))
      continue;  // ENOENT: taken back by its task
    if (size < 0 && errno == EAGAIN) break;
    alive_ = false;
  }
  return {};
}

void FuseConnection::Answer(uint64_t unique, int error, std::span<const uint8_t> data) {
  if (!alive_) return;
  if (error != 0) data = {};
  fuse_out_header header = {};
  header.len = static_cast<uint32_t>(sizeof header + data.size());
  header.error = -error;
  header.unique = unique;
  iovec parts[] = {{&header, sizeof header}, {const_cast<uint8_t*>(data.data()), data.size()}};
  // Fails if the task was killed or the connection aborted meanwhile, when nobody waits for the
  // answer.
  while (writev(device_.get(), parts, data.empty() ? 1 : 2) < 0 && errno == EINTR) {
  }
}

int64_t FuseConnection::BackingOpen(int fd, uint32_t flags) {
  BackingMap map = {fd, flags, 0};
  const int id = ioctl(device_.get(), kBackingOpenIoctl, &map);
  return id < 0 ? -errno : id;
}

int64_t FuseConnection::BackingClose(int64_t id) {
  uint32_t number = static_cast<uint32_t>(id);
  return ioctl(device_.get(), kBackingCloseIoctl, &number) < 0 ? -errno : 0;
}

int64_t FuseConnection::Abort() {
  struct statx root;
  if (statx(mount_.get(), "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &root) != 0) {
    return -errno;
  }
  // The directory's name is the kernel's own device number, which has 20 bits of minor.
  const uint32_t name = (root.stx_dev_major << 20) | root.stx_dev_minor;
  const Descriptor file(
      openat(control_, absl::StrCat(name, "/abort").c_str(), O_WRONLY | O_CLOEXEC));
  if (!file.valid() || write(file.get(), "1", 1) != 1) return -errno;
  return 0;
}

}  // namespace iomode::agent
