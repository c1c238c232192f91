// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/kernel/kernel_config.h"

#include <map>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace iomode::conform {
namespace {

constexpr const char* kOptions[] = {
    // What the agent's processes use, and FUSE.
    "EXPERT=y", "MULTIUSER=y", "SMP=y", "PREEMPT=y", "PRINTK=y", "PRINTK_TIME=y", "BUG=y",
    "BINFMT_ELF=y", "POSIX_TIMERS=y", "HIGH_RES_TIMERS=y", "NO_HZ_IDLE=y", "FUTEX=y", "EPOLL=y",
    "SIGNALFD=y", "TIMERFD=y", "EVENTFD=y", "AIO=y", "SHMEM=y", "ADVISE_SYSCALLS=y", "MEMBARRIER=y",
    "RSEQ=y", "FILE_LOCKING=y", "NET=y", "UNIX=y", "PROC_FS=y", "PROC_SYSCTL=y", "SYSFS=y",
    "SYSFS_SYSCALL=y", "TMPFS=y", "FUSE_FS=y", "FUSE_PASSTHROUGH=y",
    // Where a task sleeps: /proc/PID/task/TID/{wchan,stack}.
    "KALLSYMS=y", "KALLSYMS_ALL=y", "DEBUG_KERNEL=y", "STACKTRACE=y", "MAGIC_SYSRQ=y",
    // The guest: console, initramfs, virtio-serial on a microvm, the way out.
    "64BIT=y", "TTY=y", "SERIAL_8250=y", "SERIAL_8250_CONSOLE=y", "EARLY_PRINTK=y",
    "BLK_DEV_INITRD=y", "DEVTMPFS=y", "DEVTMPFS_MOUNT=y", "X86_MPPARSE=y", "X86_IOPL_IOPERM=y",
    "PVH=y", "HYPERVISOR_GUEST=y", "PARAVIRT=y", "KVM_GUEST=y", "VIRTIO_MENU=y", "VIRTIO_MMIO=y",
    "VIRTIO_MMIO_CMDLINE_DEVICES=y", "VIRTIO_CONSOLE=y",
    // Kprobe events by tracefs.
    "MODULES=y", "KPROBES=y", "FTRACE=y", "PERF_EVENTS=y", "KPROBE_EVENTS=y",
    // Whatever goes wrong ends the guest.
    "PANIC_ON_OOPS=y", "PANIC_TIMEOUT=-1"};

// "CONFIG_X" and "y" of "CONFIG_X=y"; "n" of "# CONFIG_X is not set". False for other lines.
bool ParseOption(absl::string_view line, std::string* name, std::string* value) {
  line = absl::StripAsciiWhitespace(line);
  if (absl::ConsumePrefix(&line, "# ") && absl::ConsumeSuffix(&line, " is not set")) {
    *name = std::string(line);
    *value = std::string(1, 'n');
    return absl::StartsWith(*name, "CONFIG_");
  }
  const size_t equals = line.find('=');
  if (!absl::StartsWith(line, "CONFIG_") || equals == absl::string_view::npos) return false;
  *name = std::string(line.substr(0, equals));
  *value = std::string(line.substr(equals + 1));
  return true;
}

std::map<std::string, std::string> ParseOptions(absl::string_view lines) {
  std::map<std::string, std::string> options;
  std::string name, value;
  for (absl::string_view line : absl::StrSplit(lines, '\n')) {
    if (ParseOption(line, &name, &value)) options[name] = value;
  }
  return options;
}

}  // namespace

std::string ConfigLines(absl::string_view fragment) {
  std::string lines;
  for (const char* option : kOptions) absl::StrAppend(&lines, "CONFIG_", option, "\n");
  std::string all;
  for (const auto& [name, value] : ParseOptions(absl::StrCat(lines, fragment))) {
    absl::StrAppend(&all, name, "=", value, "\n");
  }
  return all;
}

std::vector<std::string> MissingOptions(absl::string_view wanted, absl::string_view config) {
  const std::map<std::string, std::string> have = ParseOptions(config);
  std::vector<std::string> missing;
  for (const auto& [name, value] : ParseOptions(wanted)) {
    const auto it = have.find(name);
    const std::string& found = it == have.end() ? "n" : it->second;
    if (found != value) missing.push_back(absl::StrCat(name, "=", value));
  }
  return missing;
}

}  // namespace iomode::conform
