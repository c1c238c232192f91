// SPDX-License-Identifier: GPL-2.0-only
//
// Which kernel a command runs: a revision of the model, or a kernel's own code in the place of the
// model's functions.

#ifndef CLI_KERNEL_H_
#define CLI_KERNEL_H_

#include <optional>
#include <string>

#include "cli/arguments.h"
#include "conformance/source/build_source.h"
#include "conformance/source/source_ops.h"
#include "model/revision.h"

namespace iomode {

struct KernelFlags {
  std::string kernel;           // --kernel
  std::string world = "model";  // --world
  SourceOrigin origin;          // --tree, --tarball, --git, --rev
};

// Adds what says where the sources are.
void AddSourceOptions(Command command, KernelFlags& flags);
// Adds --world and these.
void AddWorldOptions(Command command, KernelFlags& flags);
// Adds --kernel and those. `otherwise` says what is taken without --kernel.
void AddKernelOptions(Command command, KernelFlags& flags, const std::string& otherwise);

struct Kernel {
  const Revision* revision = nullptr;
  std::optional<SourceInfo> source;  // where a kernel's own code runs
  int slot = 0;                      // of it
};

// kExitOk with *kernel set, or another exit code after an error on stderr. Without a kernel's own
// code the revision is the newest where flags.kernel is empty.
int ChooseKernel(const KernelFlags& flags, Kernel* kernel);

// One side of a comparison, called "v6.12", "source" or "source:DIR". `flags` gives the place of
// "source" and, in flags.kernel, the model around it; `otherwise` is the model around sources that
// do not say their version; may be null. Sides 0 and 1 may run different kernels' code.
int ChooseSide(int side, const std::string& name, const KernelFlags& flags,
               const Revision* otherwise, Kernel* kernel);
bool NamesSource(const std::string& side);

// Runs `work`, and again when a kernel's code turned out to need more scheduling points.
template <class Work>
auto RunSettled(Work work) {
  auto result = work();
  while (UnlockedWriteAppeared()) result = work();
  return result;
}

// Says on stdout, each line after `prefix`, whose code ran, function by function, and how often
// each was entered; nothing where all was the model's.
void PrintWhoseCode(const Kernel& kernel, const std::string& prefix);

}  // namespace iomode

#endif  // CLI_KERNEL_H_
