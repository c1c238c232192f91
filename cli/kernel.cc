// SPDX-License-Identifier: GPL-2.0-only

#include "cli/kernel.h"

#include <iostream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/commands.h"

namespace iomode {
namespace {

constexpr char kSource[] = "source";
constexpr char kSourceOf[] = "source:";

int LoadKernel(int slot, const std::string& name, SourceOrigin origin, const Revision* base,
               const Revision* otherwise, Kernel* kernel) {
  if (absl::StartsWith(name, kSourceOf)) {
    origin = SourceOrigin();
    origin.tree = name.substr(sizeof(kSourceOf) - 1);
  }
  const BuiltSource built = BuildSource(origin);
  switch (built.status) {
    case BuiltSource::Status::kBuilt:
      break;
    case BuiltSource::Status::kNoSources:
      return kExitNoKernel;
    default:
      return kExitBadInput;
  }
  kernel->source.emplace();
  kernel->slot = slot;
  std::string error;
  kernel->revision = LoadSource(slot, built.library, name, base, &*kernel->source, &error);
  if (kernel->revision == nullptr && base == nullptr && otherwise != nullptr)
    kernel->revision = LoadSource(slot, built.library, name, otherwise, &*kernel->source, &error);
  if (kernel->revision != nullptr) return kExitOk;
  std::cerr << "iomode: " << error << "\n";
  return kExitBadInput;
}

bool SaysWhere(const SourceOrigin& origin) {
  return !origin.tree.empty() || !origin.tarball.empty() || !origin.repository.empty() ||
         !origin.commit.empty();
}

}  // namespace

bool NamesSource(const std::string& side) {
  return side == kSource || absl::StartsWith(side, kSourceOf);
}

void AddSourceOptions(Command command, KernelFlags& flags) {
  SourceOrigin& origin = flags.origin;
  const Argument tree = command.AddOption("--tree", origin.tree, "sources: a kernel tree");
  const Argument tarball =
      command.AddOption("--tarball", origin.tarball, "sources: a tarball of a kernel tree");
  const Argument git =
      command.AddOption("--git", origin.repository, "sources: a git repository, with --rev");
  const Argument rev = command.AddOption("--rev", origin.commit, "sources: a commit of --git");
  rev.Needs(git);
  git.Needs(rev);
  tree.Excludes(tarball).Excludes(git);
  tarball.Excludes(git);
}

void AddWorldOptions(Command command, KernelFlags& flags) {
  command.AddOption("--world", flags.world,
                    "model; or source, or source:DIR: a kernel's own iomode.c and what belongs to "
                    "it, at --kernel for the rest; default: of Debian's linux-source-6.12");
  AddSourceOptions(command, flags);
}

void AddKernelOptions(Command command, KernelFlags& flags, const std::string& otherwise) {
  command.AddOption("--kernel", flags.kernel,
                    absl::StrCat("revision (iomode revisions lists them); default: ", otherwise));
  AddWorldOptions(command, flags);
}

int ChooseKernel(const KernelFlags& flags, Kernel* kernel) {
  if (!NamesSource(flags.world)) {
    if (flags.world != "model") {
      std::cerr << "iomode: --world " << flags.world << ": expected model, source or source:DIR\n";
      return kExitBadInput;
    }
    if (SaysWhere(flags.origin)) {
      std::cerr << "iomode: --tree, --tarball, --git and --rev are for --world source\n";
      return kExitBadInput;
    }
    kernel->revision = RevisionOption(flags.kernel);
    return kernel->revision == nullptr ? kExitBadInput : kExitOk;
  }
  if (flags.world != kSource && SaysWhere(flags.origin)) {
    std::cerr << "iomode: --world " << flags.world
              << " names a place, and so do --tree, --tarball and --git\n";
    return kExitBadInput;
  }
  return ChooseSide(0, flags.world, flags, nullptr, kernel);
}

int ChooseSide(int side, const std::string& name, const KernelFlags& flags,
               const Revision* otherwise, Kernel* kernel) {
  if (!NamesSource(name)) {
    kernel->revision = RevisionOption(name);
    return kernel->revision == nullptr ? kExitBadInput : kExitOk;
  }
  const Revision* base = flags.kernel.empty() ? nullptr : RevisionOption(flags.kernel);
  if (base == nullptr && !flags.kernel.empty()) return kExitBadInput;
  return LoadKernel(side, name, flags.origin, base, otherwise, kernel);
}

void PrintWhoseCode(const Kernel& kernel, const std::string& prefix) {
  if (!kernel.source) return;
  const SourceInfo& info = *kernel.source;
  const EnteredFunctions entered = Entered(kernel.slot);
  const auto print = [&](const std::string& what,
                         const std::map<std::string, uint64_t>& functions) {
    std::cout << prefix << what;
    for (const auto& [name, times] : functions) {
      if (times) std::cout << " " << name << " " << times;
    }
    std::cout << "\n";
  };
  print(absl::StrCat(kernel.revision->name, ": the kernel's code (", info.origin, "):"),
        entered.kernel);
  print(absl::StrCat(kernel.revision->name, ": the model's (", info.base->name, "):"),
        entered.model);
  if (!info.lacking.empty())
    std::cout << prefix << kernel.revision->name
              << ": the model's, as the sources lack them: " << absl::StrJoin(info.lacking, " ")
              << "\n";
}

}  // namespace iomode
