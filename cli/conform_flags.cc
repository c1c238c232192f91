// SPDX-License-Identifier: GPL-2.0-only

#include "cli/conform_flags.h"

namespace iomode {
namespace {

void AddWhatToRun(Command command, ConformFlags& flags) {
  command.AddOption("FILE", flags.paths, "scripts, or folders of them");
  command.AddFlag("--tour", flags.tour,
                  "instead of scripts: every edge of the op-level graph (iomode tour), and which "
                  "of them the kernel took");
  command
      .AddOption("--trace", flags.trace,
                 "qemu: instead of scripts, so many random loads on a kernel whose io-mode "
                 "functions are traced; the traces are held against the model")
      .InRange(1, 9999);
  command.AddOption("--seed", flags.seed, "of the first load; default: 1");
  command
      .AddOption("--on", flags.on,
                 "native: the kernel that is running; qemu: one that is built and run in a "
                 "guest")
      .OneOf({"native", "qemu"});
}

void AddJudgingOptions(Command command, ConformFlags& flags) {
  const Argument kernel = command.AddOption(
      "--kernel", flags.kernel,
      "revision to hold the kernel against; default: the newest that is not newer "
      "than the kernel's own version");
  command
      .AddOption("--as", flags.as,
                 "qemu: edit the sources into the behaviour of this revision, as far as there are "
                 "edits for it, and hold the kernel against that")
      .Excludes(kernel);
  command.AddOption("--flip", flags.flip,
                    "judge with this rule of the revision the other way round, to see what "
                    "shows it");
  command.AddOption("--max-states", flags.max_states,
                    "give up judging a script after so many states");
}

void AddRunOptions(Command command, ConformFlags& flags) {
  command.AddOption("--repeat", flags.agent.repeat, "runs of each script").InRange(1, 1000);
  command
      .AddOption("--timeout", flags.agent.step_seconds,
                 "seconds in which a step has to come to rest")
      .InRange(1, 3600);
  command.AddOption("--agent", flags.agent.agent,
                    "the program that runs scripts (//conformance/agent)");
}

void AddKernelOptions(Command command, ConformFlags& flags) {
  conform::KernelSource& source = flags.build.source;
  const Argument tree =
      command.AddOption("--tree", source.tree, "qemu: build this kernel tree (from a copy of it)")
          .ExistingFolder();
  const Argument tarball =
      command.AddOption("--tarball", source.tarball, "qemu: build the sources in this tarball")
          .ExistingFile()
          .Excludes(tree);
  command
      .AddOption("--package", source.package,
                 "qemu: build the sources of this Debian package; default: " + source.package)
      .Excludes(tree)
      .Excludes(tarball);
  command
      .AddOption("--patch", source.patches,
                 "qemu: apply this patch first (*.cocci: a semantic one, to fs/fuse); may be "
                 "repeated")
      .ExistingFile()
      .TakeAll()
      .OneValueATime();
  command
      .AddOption("--config-fragment", flags.build.fragment,
                 "qemu: a file of CONFIG_X=y lines on top of the small configuration")
      .ExistingFile();
  command.AddOption("--jobs", flags.build.jobs, "qemu: jobs of make; default: 2").InRange(1, 1024);
  command.AddOption("--accel", flags.guest.accel, "qemu: kvm, tcg, or auto (default)")
      .OneOf({"auto", "kvm", "tcg"});
  command
      .AddOption("--boot-seconds", flags.guest.boot_seconds,
                 "qemu: how long the kernel may take to start")
      .InRange(1, 3600);
}

void AddReportOptions(Command command, ConformFlags& flags) {
  command.AddFlag("--ktap", flags.ktap, "print KTAP");
  command.AddFlag("--quiet", flags.quiet, "print only what ran and does not agree, and the sums");
  command.AddFlag("--times", flags.times, "also print how long the steps took to come to rest");
  command.AddOption("--junit", flags.junit, "also write the verdicts to this file as JUnit XML");
  command.AddOption("--out", flags.out, "also write each script with the kernel's results here")
      .ExistingFolder();
}

}  // namespace

void AddConformOptions(Command command, ConformFlags& flags) {
  AddWhatToRun(command, flags);
  AddKernelOptions(command, flags);
  AddJudgingOptions(command, flags);
  AddRunOptions(command, flags);
  AddReportOptions(command, flags);
}

}  // namespace iomode
