// SPDX-License-Identifier: GPL-2.0-only
//
// A file descriptor that closes itself. Move-only; not thread-safe.

#ifndef CONFORMANCE_AGENT_DESCRIPTOR_H_
#define CONFORMANCE_AGENT_DESCRIPTOR_H_

#include <unistd.h>

#include <utility>

namespace iomode::agent {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      Close();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~Descriptor() { Close(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

}  // namespace iomode::agent

#endif  // CONFORMANCE_AGENT_DESCRIPTOR_H_
