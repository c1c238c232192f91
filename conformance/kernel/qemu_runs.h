// SPDX-License-Identifier: GPL-2.0-only
//
// Scripts on a kernel of one's own in a guest under QEMU: all of them in one boot.
//
// The guest is a microvm with two CPUs and no network or disk. Init, agent and scripts come in an
// initramfs; results come back over virtio-serial (guest_protocol.h).

#ifndef CONFORMANCE_KERNEL_QEMU_RUNS_H_
#define CONFORMANCE_KERNEL_QEMU_RUNS_H_

#include <string>
#include <vector>

#include "conformance/kernel/kernel_runs.h"

namespace iomode::conform {

struct GuestOptions {
  std::string vmlinux;
  std::string init;                 // the program //conformance/kernel:guest_init
  std::string accel = "auto";       // kvm, tcg, or auto: kvm where it works
  std::vector<std::string> probes;  // not empty: each script's run is traced with these
  int memory_mb = 1024;
  int boot_seconds = 120;  // from QEMU's start to the init's first word
};

// A guest that panics, hangs or ends early leaves the later scripts without outcome; the script
// that was running gets an outcome that says so. FailedPrecondition: this machine cannot run such
// guests.
absl::StatusOr<KernelRuns> RunInGuest(const std::vector<Script>& scripts,
                                      const AgentOptions& options, const GuestOptions& guest,
                                      const ProgressFunction& progress);

}  // namespace iomode::conform

#endif  // CONFORMANCE_KERNEL_QEMU_RUNS_H_
