// SPDX-License-Identifier: GPL-2.0-only
//
// What the agent and the processes that make a script's system calls say to each other, over one
// SOCK_SEQPACKET socket a process: a Command is one step, and each step is answered by a kStarted
// report (before its first system call) and a kDone report (after its last; never, if the process
// is killed). Plain values of fixed size, both ends being forks of one program.

#ifndef CONFORMANCE_AGENT_TASK_PROTOCOL_H_
#define CONFORMANCE_AGENT_TASK_PROTOCOL_H_

#include <sys/types.h>

#include <cstdint>
#include <type_traits>

#include "conformance/agent/payload.h"
#include "sim/script.h"

namespace iomode::agent {

// Mappings cover this many bytes: the whole file, as far as scripts let it grow.
inline constexpr uint64_t kMapBytes = uint64_t{64} << 20;

struct Command {
  int32_t step = 0;  // number, for the reports
  Op op = Op::kWait;
  bool append = false;
  bool shared = false;
  bool writable = false;    // mmap: with PROT_WRITE
  bool idle = false;        // SCHED_IDLE
  int32_t cpu = -1;         // the only one to run on; -1: any
  int32_t inode = -1;       // open: index; the file's name on the mount
  int32_t fd = -1;          // of the process
  int32_t flags = 0;        // open, setfl: O_*
  Source source = kNobody;  // whose bytes to write
  uint64_t address = 0;     // of a mapping
  int64_t off = 0;
  int64_t len = 0;  // bytes; truncate: the size
};

struct Report {
  static constexpr int kMaxSources = 6;
  enum class Kind : uint8_t { kStarted, kDone };

  Kind kind = Kind::kStarted;
  uint8_t source_count = 0;
  int32_t step = 0;
  pid_t task = 0;        // thread id
  int64_t value = 0;     // kDone: what the system call returned; -errno. open, dup: the descriptor
  uint64_t address = 0;  // mmap: where
  Source sources[kMaxSources] = {};  // whose bytes were read, or lie beside the stored ones
};

static_assert(std::is_trivially_copyable_v<Command> && std::is_trivially_copyable_v<Report>);

}  // namespace iomode::agent

#endif  // CONFORMANCE_AGENT_TASK_PROTOCOL_H_
