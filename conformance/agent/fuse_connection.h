// SPDX-License-Identifier: GPL-2.0-only
//
// One FUSE mount and the device that serves it: raw requests and answers. What they mean is
// FuseServer's business.
//
// Nothing here waits: the device is non-blocking, and the mount itself is never touched (its root's
// attributes are asked for without a request). Closing the device, as the destructor does, aborts
// the connection. Single-threaded.

#ifndef CONFORMANCE_AGENT_FUSE_CONNECTION_H_
#define CONFORMANCE_AGENT_FUSE_CONNECTION_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "conformance/agent/descriptor.h"
#include "conformance/agent/fuse_wire.h"

namespace iomode::agent {

// The largest write and read request, in bytes.
inline constexpr uint32_t kMaxTransfer = 128 << 10;

class FuseConnection {
 public:
  // Opens /dev/fuse and mounts. `control`: the root of a fusectl mount, which must outlive the
  // connection.
  static absl::StatusOr<std::unique_ptr<FuseConnection>> Open(int control);

  // Serves requests of a device that is mounted elsewhere, if at all: read() gives one, write()
  // takes one answer. There is no mount then, and nothing to abort.
  static std::unique_ptr<FuseConnection> On(Descriptor device);

  int device() const { return device_.get(); }
  int mount() const { return mount_.get(); }
  // False once the connection was aborted: then there is nothing to poll.
  bool alive() const { return alive_; }

  // One request with its header, valid until the next call; empty when none waits.
  std::span<const uint8_t> Read();

  // `error`: 0 or an errno, positive; then there is no data.
  void Answer(uint64_t unique, int error, std::span<const uint8_t> data);

  // Registers a backing file: its id, or -errno.
  int64_t BackingOpen(int fd, uint32_t flags);
  int64_t BackingClose(int64_t id);

  // As if through /sys/fs/fuse/connections/N/abort. 0 or -errno.
  int64_t Abort();

 private:
  FuseConnection() = default;

  Descriptor device_;
  Descriptor mount_;
  int control_ = -1;
  bool alive_ = true;
  std::vector<uint8_t> buffer_;
};

}  // namespace iomode::agent

#endif  // CONFORMANCE_AGENT_FUSE_CONNECTION_H_
