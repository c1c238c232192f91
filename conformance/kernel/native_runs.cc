// SPDX-License-Identifier: GPL-2.0-only

#include <sys/utsname.h>
#include <unistd.h>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "conformance/kernel/child_process.h"
#include "conformance/kernel/kernel_runs.h"
#include "conformance/kernel/scratch_folder.h"

namespace iomode::conform {
namespace {

constexpr char kProbe[] =
    "conn passthrough direct_io_allow_mmap\n"
    "inode A\n"
    "backing B1\n"
    "1: backing_open B1\n"
    "2: open p A PASSTHROUGH backing=B1\n";
constexpr int kProbeSeconds = 60;

// Whether the running kernel can run scripts at all.
absl::Status Probe(const AgentOptions& options, const std::string& folder) {
  if (geteuid() != 0) return absl::FailedPreconditionError("running scripts needs root");
  if (access("/dev/fuse", R_OK | W_OK) != 0) {
    return absl::FailedPreconditionError("there is no /dev/fuse (CONFIG_FUSE_FS, modprobe fuse)");
  }
  const std::string file = absl::StrCat(folder, "/probe.iom");
  if (absl::Status written = WriteWholeFile(file, kProbe); !written.ok()) return written;
  AgentOptions once = options;
  once.repeat = 1;
  const auto outcome = CallAgent(once, file, kProbeSeconds);
  if (!outcome.ok()) return outcome.status();
  if (outcome->exit == kAgentNoKernel) {
    return absl::FailedPreconditionError(
        absl::StripTrailingAsciiWhitespace(absl::StripPrefix(outcome->err, "agent: ")));
  }
  if (outcome->exit != kAgentOk) {
    return absl::UnavailableError(absl::StrCat("the agent fails: ", outcome->err));
  }
  if (!absl::StrContains(outcome->out, "backing=B1 -> 0")) {
    return absl::FailedPreconditionError(
        "this kernel has no FUSE passthrough (CONFIG_FUSE_PASSTHROUGH, Linux 6.9 or newer)");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<KernelRuns> RunNative(const std::vector<Script>& scripts,
                                     const AgentOptions& options,
                                     const ProgressFunction& progress) {
  auto folder = ScratchFolder::Make();
  if (!folder.ok()) return folder.status();
  if (absl::Status able = Probe(options, folder->path()); !able.ok()) return able;
  KernelRuns runs;
  utsname name;
  uname(&name);
  runs.release = name.release;
  runs.outcomes.resize(scripts.size());
  const std::string file = absl::StrCat(folder->path(), "/script.iom");
  for (size_t i = 0; i < scripts.size(); i++) {
    progress(i);
    if (absl::Status written = WriteWholeFile(file, PrintScript(scripts[i])); !written.ok()) {
      return written;
    }
    auto outcome = CallAgent(options, file, LimitSeconds(options, scripts[i]));
    if (!outcome.ok()) return outcome.status();
    if (Interrupted() != 0) {
      runs.trouble = "interrupted";
      break;
    }
    runs.outcomes[i] = *std::move(outcome);
  }
  return runs;
}

}  // namespace iomode::conform
