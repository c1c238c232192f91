// SPDX-License-Identifier: GPL-2.0-only
//
// What the server keeps of one inode: bytes in memory, of which holes take none, so that a script
// may write or cut far away. Single-threaded.

#ifndef CONFORMANCE_AGENT_INODE_CONTENT_H_
#define CONFORMANCE_AGENT_INODE_CONTENT_H_

#include <cstdint>
#include <span>
#include <vector>

#include "conformance/agent/descriptor.h"
#include "conformance/agent/payload.h"

namespace iomode::agent {

class InodeContent {
 public:
  // The initial size, all of it the bytes of `source`.
  explicit InodeContent(Source source);

  int64_t Size() const;  // bytes
  // 0, or an errno for lack of memory or a size beyond what a file may have.
  int Resize(int64_t size);
  int Write(int64_t offset, std::span<const uint8_t> bytes);
  // Up to `size` bytes from `offset` on, fewer where the content ends.
  std::vector<uint8_t> Read(int64_t offset, size_t size) const;

 private:
  Descriptor file_;  // nameless
};

}  // namespace iomode::agent

#endif  // CONFORMANCE_AGENT_INODE_CONTENT_H_
