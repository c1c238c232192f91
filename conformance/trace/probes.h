// SPDX-License-Identifier: GPL-2.0-only
//
// The probes that make a kernel say what its io-mode functions do: kprobe events for tracefs, for
// one build of fs/fuse/iomode.c. Calls and returns of the traced functions; and each call of
// _raw_spin_unlock in them, which is where fi->lock is let go, with the inode's state read relative
// to the lock, in the critical section itself.

#ifndef CONFORMANCE_TRACE_PROBES_H_
#define CONFORMANCE_TRACE_PROBES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "conformance/trace/trace_event.h"

namespace iomode::conform {

// Bytes from the start of the struct.
struct KernelLayout {
  int fi_iocachectr = -1;
  int fi_state = -1;
  int fi_fb = -1;
  int fi_lock = -1;
  int ff_iomode = -1;
  int ff_open_flags = -1;
  int ff_args = -1;
  int file_private_data = -1;
  int cache_bit = -1;  // FUSE_I_CACHE_IO_MODE
};

// A place where a function lets go of a spin lock.
struct UnlockSite {
  std::string function;
  int offset;  // bytes
};

// `pahole`: what pahole says of the structs fuse_inode, fuse_file and file; `dwarf`: what objdump
// --dwarf=info says of the same object file. NotFound: a field is missing.
absl::StatusOr<KernelLayout> ParseLayout(absl::string_view pahole, absl::string_view dwarf);

// `disassembly`: objdump -dr of the object file.
std::vector<UnlockSite> ParseUnlockSites(absl::string_view disassembly);

// A line each for tracefs's file `kprobe_events`.
std::vector<std::string> ProbeDefinitions(const KernelLayout& layout,
                                          const std::vector<UnlockSite>& sites);

struct Probes {
  std::vector<std::string> definitions;
  TraceReading reading;
};

// For the kernel built in `folder`, whose iomode.o has debug information. NotFound: programs,
// functions or fields are missing.
absl::StatusOr<Probes> MakeProbes(const std::string& folder);

}  // namespace iomode::conform

#endif  // CONFORMANCE_TRACE_PROBES_H_
