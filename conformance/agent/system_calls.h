// SPDX-License-Identifier: GPL-2.0-only
//
// The system calls of one step, as made by a thread of the process that owns the step's file.
//
// Nothing here allocates or maps memory once a step has started: a mapping of the same process may
// be stuck with the mmap lock held.

#ifndef CONFORMANCE_AGENT_SYSTEM_CALLS_H_
#define CONFORMANCE_AGENT_SYSTEM_CALLS_H_

#include <linux/aio_abi.h>

#include <cstdint>
#include <span>

#include "conformance/agent/task_protocol.h"

namespace iomode::agent {

// Memory of one step's thread. Lives until the process ends.
struct StepFrame {
  Command command;
  std::span<uint8_t> buffer;  // command.len bytes where the step moves data
  iocb request = {};          // aio
};

// Whether a step of this kind needs a buffer of the length that it moves.
bool MovesBuffer(Op op);

// How many bytes of buffer a step needs.
int64_t BufferBytes(const Command& command);

// Makes the step's call; for aio only submits it. `mount` is a descriptor of the FUSE mount.
// Returns what the report shall say. An aio request that was submitted leaves `*submitted` true.
Report CallOf(StepFrame& frame, int mount, aio_context_t aio, bool* submitted);

// The report of an aio request that has completed with `result`.
Report ReportOfAio(const StepFrame& frame, int64_t result);

// Turns SIGBUS and SIGSEGV of a load or store into EFAULT, and makes SIGUSR1 interrupt system
// calls. Once a process.
void InstallSignalHandlers();

}  // namespace iomode::agent

#endif  // CONFORMANCE_AGENT_SYSTEM_CALLS_H_
