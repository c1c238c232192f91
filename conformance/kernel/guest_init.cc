// SPDX-License-Identifier: GPL-2.0-only
//
// The init of a guest: runs the agent for one script after the other, sends what it gave over the
// virtio-serial port, and ends the guest. See guest_protocol.h.

#include <fcntl.h>
#include <sys/io.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "conformance/kernel/agent_call.h"
#include "conformance/kernel/guest_protocol.h"
#include "conformance/kernel/tracing.h"

namespace iomode::conform {
namespace {

constexpr char kPort[] = "/dev/vport0p1";
constexpr int kPortTries = 500;

// Ends the guest, with kGuestDone only if `done`.
[[noreturn]] void Leave(bool done) {
  tcdrain(STDERR_FILENO);
  if (done && iopl(3) == 0) outl(kExitValue, kExitPort);
  reboot(RB_POWER_OFF);
  while (true) pause();
}

[[noreturn]] void Fail(const char* what) {
  fprintf(stderr, "init: %s: %s\n", what, strerror(errno));
  Leave(false);
}

void Mount(const char* type, const char* place) {
  mkdir(place, 0755);
  if (mount(type, place, type, 0, nullptr) != 0 && errno != EBUSY) Fail(type);
}

// The port appears some time after the driver has started.
int OpenPort() {
  for (int i = 0; i < kPortTries; i++) {
    const int port = open(kPort, O_WRONLY | O_CLOEXEC);
    if (port >= 0) return port;
    usleep(10'000);
  }
  Fail(kPort);
}

void Send(int port, std::string line) {
  line += '\n';
  for (size_t sent = 0; sent < line.size();) {
    const ssize_t size = write(port, line.data() + sent, line.size() - sent);
    if (size > 0) {
      sent += static_cast<size_t>(size);
    } else if (errno != EINTR) {
      Fail(kPort);
    }
  }
}

void Require(const absl::Status& status) {
  if (status.ok()) return;
  fprintf(stderr, "init: %s\n", std::string(status.message()).c_str());
  Leave(false);
}

void RunAll(int port, const nlohmann::json& plan) {
  AgentOptions options;
  options.agent = kGuestAgent;
  options.repeat = plan.at("repeat");
  options.step_seconds = plan.at("step_seconds");
  options.hurry = plan.at("hurry");
  const std::vector<std::string> probes = plan.at("probes");
  if (!probes.empty()) {
    Mount("tracefs", kTracefs);
    Require(PlaceProbes(probes));
  }
  const std::vector<int> limits = plan.at("limits");
  for (size_t i = 0; i < limits.size(); i++) {
    Send(port, nlohmann::json{{"begin", i}}.dump());
    if (!probes.empty()) Require(StartTrace());
    auto outcome = CallAgent(options, absl::StrCat(kGuestScripts, "/", i, ".iom"), limits[i]);
    Require(outcome.status());
    if (!probes.empty()) {
      const auto trace = StopTrace();
      Require(trace.status());
      outcome->trace = *trace;
    }
    Send(port, ToJsonLine(static_cast<int>(i), *outcome));
  }
}

[[noreturn]] void Main() {
  Mount("proc", "/proc");
  Mount("sysfs", "/sys");
  Mount("devtmpfs", "/dev");
  Mount("tmpfs", "/tmp");
  const int port = OpenPort();
  utsname name;
  uname(&name);
  Send(port, nlohmann::json{{"release", name.release}}.dump());
  std::ifstream file(kGuestPlan);
  const nlohmann::json plan = nlohmann::json::parse(file, nullptr, false);
  if (plan.is_discarded()) Fail(kGuestPlan);
  RunAll(port, plan);
  Send(port, nlohmann::json{{"end", true}}.dump());
  close(port);
  Leave(true);
}

}  // namespace
}  // namespace iomode::conform

int main() { iomode::conform::Main(); }
