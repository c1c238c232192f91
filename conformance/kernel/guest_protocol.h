// SPDX-License-Identifier: GPL-2.0-only
//
// What the command and the guest's init agree on. The initramfs holds, besides the init, the agent,
// the plan and the scripts. The guest answers over a virtio-serial port, one line of JSON each:
//
//   {"release": "6.12.117"}      it is up
//   {"begin": N}                 script N runs now
//   {"script": N, "exit": ...}   its outcome, ToJsonLine (agent_call.h)
//   {"end": true}                all are done; QEMU exits with kGuestDone
//
// A guest that dies leaves a stream without its last line, and QEMU exits otherwise.

#ifndef CONFORMANCE_KERNEL_GUEST_PROTOCOL_H_
#define CONFORMANCE_KERNEL_GUEST_PROTOCOL_H_

namespace iomode::conform {

inline constexpr char kGuestAgent[] = "/agent";
// JSON: repeat, step_seconds, hurry, "probes": lines for tracefs's kprobe_events, none for a guest
// that is not traced; and "limits": for each script the seconds it may take.
inline constexpr char kGuestPlan[] = "/plan.json";
// Script N is /scripts/N.iom.
inline constexpr char kGuestScripts[] = "/scripts";

// The I/O port of QEMU's isa-debug-exit and what the init writes to it; QEMU then exits with
// 2 * value + 1.
inline constexpr unsigned kExitPort = 0xf4;
inline constexpr unsigned kExitValue = 0x10;
inline constexpr int kGuestDone = 2 * kExitValue + 1;

}  // namespace iomode::conform

#endif  // CONFORMANCE_KERNEL_GUEST_PROTOCOL_H_
