// SPDX-License-Identifier: GPL-2.0-only
//
// The yardstick: the unchanged C functions of a kernel (Debian's linux-source-6.12), compiled when
// the benchmark starts and loaded into it. They work on the model's objects in DesignWorld, with
// the same atomic operations inlined (conformance/source/native).
//
// Load() first, and from one thread.

#ifndef BENCH_DESIGNS_KERNEL_SOURCE_H_
#define BENCH_DESIGNS_KERNEL_SOURCE_H_

#include <string>

#include "bench/designs/load.h"

namespace iomode {

struct KernelSource {
  static constexpr const char* kName = "kernel's C";
  static constexpr const char* kRevision = "v6.12";

  // Compiles and loads. False: `what` says why not, else it says what was loaded.
  static bool Load(std::string* what);

  // The functions themselves; only those of a direct write's locks go through one of C++, which
  // makes the kernel's kiocb of the model's.
  static IomodeOps<DesignWorld> Calls();
  // Nothing of the model calls them: the loads do.
  static const IomodeOps<DesignWorld>* Ops() { return nullptr; }
};

}  // namespace iomode

#endif  // BENCH_DESIGNS_KERNEL_SOURCE_H_
