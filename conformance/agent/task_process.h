// SPDX-License-Identifier: GPL-2.0-only
//
// The inside of a process that makes a script's system calls: one process an open file, one thread
// a step. It keeps no state about files: descriptors and addresses travel in commands and reports.
//
// The threads of finished steps stay, asleep, until the process ends, so that a thread id names one
// step only and no exiting thread takes the mmap lock. Stacks and buffers come from memory set
// aside at the start for the same reason.

#ifndef CONFORMANCE_AGENT_TASK_PROCESS_H_
#define CONFORMANCE_AGENT_TASK_PROCESS_H_

namespace iomode::agent {

// Carries out the commands that arrive on `control` until it is closed. `mount`: a descriptor of
// the FUSE mount. `with_aio`: set up for aio steps. To be called right after fork(), with nothing
// but these two descriptors open.
[[noreturn]] void ServeCommands(int control, int mount, bool with_aio);

}  // namespace iomode::agent

#endif  // CONFORMANCE_AGENT_TASK_PROCESS_H_
