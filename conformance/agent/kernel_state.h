// SPDX-License-Identifier: GPL-2.0-only
//
// Where the kernel's own view of an inode comes from. One source reads it by BPF on the running
// kernel; a kernel that has no BTF needs another. A source must not touch the inodes: it may not
// cause FUSE requests, take locks or wait.

#ifndef CONFORMANCE_AGENT_KERNEL_STATE_H_
#define CONFORMANCE_AGENT_KERNEL_STATE_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"

namespace iomode::agent {

struct InodeState {
  int32_t iocachectr = 0;
  bool cache_io_mode = false;     // FUSE_I_CACHE_IO_MODE
  uint64_t backing = 0;           // inode number of fb's file; 0: no fb
  int32_t backing_refs = 0;       // count of fb
  uint32_t waiters = 0;           // sleepers on direct_io_waitq
  bool locked_exclusive = false;  // i_rwsem
  uint32_t lock_readers = 0;      // i_rwsem
  bool lock_waiters = false;      // i_rwsem: someone queues for it
  uint64_t pages = 0;             // in the page cache
  int64_t size = 0;               // i_size, bytes
};

class KernelState {
 public:
  virtual ~KernelState() = default;
  // The state of the inodes behind these descriptors of the agent, in their order.
  virtual absl::StatusOr<std::vector<InodeState>> Read(std::span<const int> paths) = 0;
};

// The source of this kernel. FailedPrecondition says why there is none.
absl::StatusOr<std::unique_ptr<KernelState>> OpenKernelState();

}  // namespace iomode::agent

#endif  // CONFORMANCE_AGENT_KERNEL_STATE_H_
