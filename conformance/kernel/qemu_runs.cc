// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/kernel/qemu_runs.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "conformance/kernel/child_process.h"
#include "conformance/kernel/cpio.h"
#include "conformance/kernel/guest_protocol.h"
#include "conformance/kernel/guest_stream.h"
#include "conformance/kernel/kernel_build.h"
#include "conformance/kernel/scratch_folder.h"

namespace iomode::conform {
namespace {

namespace fs = std::filesystem;
using Clock = GuestStream::Clock;

constexpr char kQemu[] = "qemu-system-x86_64";
constexpr size_t kConsoleTail = 25;
// no_timer_check: on a busy machine the guest's timer is late, and the kernel would panic.
constexpr char kKernelArguments[] = "console=ttyS0 panic=-1 reboot=t no_timer_check quiet";
// KVM that boots at all says its first word in a second or two.
constexpr int kKvmSeconds = 20;

absl::StatusOr<std::string> MakeInitramfs(const std::vector<Script>& scripts,
                                          const AgentOptions& options, const GuestOptions& guest) {
  const auto init = ReadWholeFile(guest.init);
  if (!init.ok()) return init.status();
  const auto agent = ReadWholeFile(options.agent);
  if (!agent.ok()) return agent.status();
  std::vector<int> limits;
  for (const Script& script : scripts) limits.push_back(LimitSeconds(options, script));
  const nlohmann::json plan = {{"repeat", options.repeat},
                               {"step_seconds", options.step_seconds},
                               {"hurry", options.hurry},
                               {"probes", guest.probes},
                               {"limits", limits}};
  CpioArchive archive;
  archive.AddFile("init", *init, true);
  archive.AddFile(kGuestAgent + 1, *agent, true);
  archive.AddFile(kGuestPlan + 1, plan.dump(), false);
  archive.AddFolder(kGuestScripts + 1);
  for (size_t i = 0; i < scripts.size(); i++) {
    archive.AddFile(absl::StrCat(kGuestScripts + 1, "/", i, ".iom"), PrintScript(scripts[i]),
                    false);
  }
  return archive.Finish();
}

// The files of one boot.
struct BootFiles {
  std::string initramfs;
  std::string results;
  std::string console;
};

std::vector<std::string> QemuCommand(const GuestOptions& guest, const BootFiles& files, bool kvm) {
  return {kQemu,
          "-nodefaults",
          "-no-user-config",
          "-display",
          "none",
          "-no-reboot",
          "-M",
          "microvm,acpi=off",
          "-smp",
          "2",
          "-m",
          absl::StrCat(guest.memory_mb),
          "-accel",
          kvm ? "kvm" : "tcg,thread=multi",
          "-cpu",
          kvm ? "host" : "max",
          "-chardev",
          absl::StrCat("file,id=console,path=", files.console),
          "-serial",
          "chardev:console",
          "-device",
          absl::StrCat("isa-debug-exit,iobase=", kExitPort, ",iosize=4"),
          "-device",
          "virtio-serial-device",
          "-chardev",
          absl::StrCat("file,id=results,path=", files.results),
          "-device",
          "virtserialport,chardev=results,name=results",
          "-kernel",
          guest.vmlinux,
          "-initrd",
          files.initramfs,
          "-append",
          kKernelArguments};
}

// Says when a guest has been silent for too long.
class Watchdog {
 public:
  Watchdog(const std::vector<Script>& scripts, const AgentOptions& options, int boot_seconds)
      : boot_seconds_(boot_seconds) {
    for (const Script& script : scripts) limits_.push_back(LimitSeconds(options, script));
  }

  bool Expired(const GuestStream& stream) {
    limit_ = boot_seconds_;
    // The init stops an agent itself, a little before.
    if (stream.running() >= 0) limit_ = limits_[stream.running()] + boot_seconds_ / 2;
    expired_ |= Clock::now() - stream.last_word() > std::chrono::seconds(limit_);
    return expired_;
  }
  bool expired() const { return expired_; }
  int limit() const { return limit_; }

 private:
  int boot_seconds_;
  std::vector<int> limits_;
  int limit_ = 0;
  bool expired_ = false;
};

std::vector<std::string> ConsoleLines(const std::string& path) {
  std::vector<std::string> lines;
  const auto content = ReadWholeFile(path);
  if (!content.ok()) return lines;
  for (absl::string_view line : absl::StrSplit(*content, '\n')) {
    line = absl::StripTrailingAsciiWhitespace(line);
    if (!line.empty()) lines.emplace_back(line);
  }
  return lines;
}

// Writes down how a guest went that did not end well.
void NoteTrouble(const ChildResult& qemu, const GuestStream& stream, const Watchdog& watchdog,
                 const std::string& console, KernelRuns& runs) {
  std::vector<std::string> lines = ConsoleLines(console);
  std::vector<std::string> complaints;
  for (const std::string& line : lines) {
    if (IsKernelComplaint(line)) complaints.push_back(line);
  }
  if (Interrupted() != 0) {
    runs.trouble = "interrupted";
    return;
  }
  if (watchdog.expired()) {
    runs.trouble = absl::StrCat("the guest was silent for ", watchdog.limit(), " seconds");
  } else if (!complaints.empty()) {
    runs.trouble = "the guest's kernel died";
  } else {
    runs.trouble = absl::StrCat("QEMU ended with ", qemu.exit);
  }
  if (!qemu.err.empty()) lines.push_back(qemu.err);
  const size_t first = lines.size() - std::min(lines.size(), kConsoleTail);
  runs.details.assign(lines.begin() + static_cast<std::ptrdiff_t>(first), lines.end());
  if (stream.running() < 0) return;
  AgentOutcome last;
  last.exit = kAgentFailed;
  last.err = runs.trouble + " while this script ran";
  last.kernel_log = complaints;
  runs.outcomes[stream.running()] = last;
}

// What is known of KVM on this machine since it was started.
std::string KvmStamp() { return CacheFolder() + "/kvm-does-not-work"; }

bool KvmMayWork(const std::string& accel) {
  if (accel != "auto") return accel == "kvm";
  if (access("/dev/kvm", R_OK | W_OK) != 0) return false;
  const auto boot = ReadWholeFile("/proc/sys/kernel/random/boot_id");
  const auto known = ReadWholeFile(KvmStamp());
  return !known.ok() || !boot.ok() || *known != *boot;
}

void NoteThatKvmFails() {
  const auto boot = ReadWholeFile("/proc/sys/kernel/random/boot_id");
  std::error_code error;
  fs::create_directories(CacheFolder(), error);
  // Without this note the next run tries again.
  if (boot.ok()) WriteWholeFile(KvmStamp(), *boot).IgnoreError();
}

absl::StatusOr<KernelRuns> Boot(const std::vector<Script>& scripts, const AgentOptions& options,
                                const GuestOptions& guest, const BootFiles& files, bool kvm,
                                const ProgressFunction& progress) {
  std::error_code error;
  for (const std::string& file : {files.results, files.console}) fs::remove(file, error);
  KernelRuns runs;
  runs.outcomes.resize(scripts.size());
  GuestStream stream(files.results, &runs);
  Watchdog watchdog(scripts, options,
                    kvm ? std::min(kKvmSeconds, guest.boot_seconds) : guest.boot_seconds);
  ChildOptions child;
  child.keep_on = [&] {
    stream.Read();
    progress(stream.done());
    return !watchdog.Expired(stream);
  };
  const auto qemu = RunChild(QemuCommand(guest, files, kvm), child);
  if (!qemu.ok()) return qemu.status();
  stream.Read();
  if (qemu->exit != kGuestDone || !stream.ended()) {
    NoteTrouble(*qemu, stream, watchdog, files.console, runs);
  }
  return runs;
}

}  // namespace

absl::StatusOr<KernelRuns> RunInGuest(const std::vector<Script>& scripts,
                                      const AgentOptions& options, const GuestOptions& guest,
                                      const ProgressFunction& progress) {
#ifndef __x86_64__
  return absl::FailedPreconditionError("guests are x86-64 only, and built by this machine's gcc");
#endif
  if (absl::Status tools = NeedPrograms({{kQemu, "qemu-system-x86"}}); !tools.ok()) return tools;
  auto folder = ScratchFolder::Make();
  if (!folder.ok()) return folder.status();
  const BootFiles files = {folder->path() + "/initramfs", folder->path() + "/results",
                           folder->path() + "/console"};
  const auto initramfs = MakeInitramfs(scripts, options, guest);
  if (!initramfs.ok()) return initramfs.status();
  if (absl::Status status = WriteWholeFile(files.initramfs, *initramfs); !status.ok()) {
    return status;
  }
  if (KvmMayWork(guest.accel)) {
    auto runs = Boot(scripts, options, guest, files, true, progress);
    if (guest.accel == "kvm" || !runs.ok() || !runs->release.empty() || Interrupted() != 0) {
      return runs;
    }
    NoteThatKvmFails();
  }
  return Boot(scripts, options, guest, files, false, progress);
}

}  // namespace iomode::conform
