// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/kernel/agent_call.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "conformance/kernel/child_process.h"

namespace iomode::conform {
namespace {

using Clock = std::chrono::steady_clock;

// The kernel's log from now on. Without the right to read it there is none.
class KernelLog {
 public:
  explicit KernelLog(bool wanted)
      : file_(wanted ? open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1) {
    if (file_ >= 0) lseek(file_, 0, SEEK_END);
  }
  ~KernelLog() {
    if (file_ >= 0) close(file_);
  }
  KernelLog(const KernelLog&) = delete;

  std::vector<std::string> Complaints() {
    std::vector<std::string> lines;
    while (file_ >= 0) {
      char record[8192];
      const ssize_t size = read(file_, record, sizeof record - 1);
      if (size < 0 && errno == EPIPE) continue;  // records were overwritten; the next one follows
      if (size <= 0) break;
      record[size] = 0;
      // "level,number,time,flags;text\n KEY=value..."
      std::string text(record);
      text.erase(0, text.find(';') + 1);
      text.erase(std::min(text.find('\n'), text.size()));
      if (IsKernelComplaint(text)) lines.push_back(text);
    }
    return lines;
  }

 private:
  int file_;
};

// Takes the agent's lines with times out of what it wrote on standard error; returns the rest.
std::string TakeStepTimes(const std::string& err, std::vector<int>* step_us) {
  std::string rest;
  for (absl::string_view line : absl::StrSplit(err, '\n')) {
    const size_t times = line.find(kAgentStepTimes);
    if (times == absl::string_view::npos) {
      absl::StrAppend(&rest, line, "\n");
      continue;
    }
    for (absl::string_view word : absl::StrSplit(line.substr(line.rfind(':') + 1), ' ')) {
      int number = 0;
      if (absl::SimpleAtoi(word, &number)) step_us->push_back(number);
    }
  }
  rest.pop_back();
  return rest;
}

}  // namespace

bool IsKernelComplaint(const std::string& line) {
  for (const char* sign :
       {"WARNING: ", "BUG: ", "Oops: ", "kernel BUG at", "Kernel panic", "KASAN:", "KCSAN:",
        "general protection fault", "possible circular locking", "possible recursive locking",
        "inconsistent lock state", "suspicious RCU usage", "bad unlock balance", "held lock freed",
        "sleeping function called", "INFO: task ", "self-detected stall"}) {
    if (absl::StrContains(line, sign)) return true;
  }
  return false;
}

absl::StatusOr<AgentOutcome> CallAgent(const AgentOptions& options, const std::string& file,
                                       int limit_seconds) {
  KernelLog log(options.kernel_log);
  const auto begin = Clock::now();
  const auto limit = begin + std::chrono::seconds(limit_seconds);
  ChildOptions child;
  child.keep_on = [limit] { return Clock::now() < limit; };
  const auto result =
      RunChild({options.agent, options.hurry ? "--hurry" : "--times", "--timeout",
                absl::StrCat(options.step_seconds), "--repeat", absl::StrCat(options.repeat), file},
               child);
  if (!result.ok()) return result.status();
  AgentOutcome outcome;
  outcome.exit = result->exit;
  outcome.stopped = result->stopped;
  outcome.out = result->out;
  outcome.err = TakeStepTimes(result->err, &outcome.step_us);
  outcome.kernel_log = log.Complaints();
  outcome.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  return outcome;
}

int LimitSeconds(const AgentOptions& options, const Script& script) {
  int64_t waits = 0;
  for (const Step& step : script.steps) {
    if (step.op == Op::kWait) waits += step.argument / 1000;
  }
  // At most one step of a run does not come to rest: the run ends there.
  const int64_t run = 2 * options.step_seconds + static_cast<int64_t>(script.steps.size()) + waits;
  return static_cast<int>(std::min<int64_t>(30 + options.repeat * run, 1'000'000));
}

std::string ToJsonLine(int script, const AgentOutcome& outcome) {
  const nlohmann::json json = {{"script", script},           {"exit", outcome.exit},
                               {"stopped", outcome.stopped}, {"out", outcome.out},
                               {"err", outcome.err},         {"kernel_log", outcome.kernel_log},
                               {"seconds", outcome.seconds}, {"step_us", outcome.step_us},
                               {"trace", outcome.trace}};
  return json.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

bool FromJsonLine(const std::string& line, int* script, AgentOutcome* outcome) {
  const nlohmann::json json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object() || !json.contains("script")) return false;
  try {
    *script = json.at("script");
    outcome->exit = json.at("exit");
    outcome->stopped = json.at("stopped");
    outcome->out = json.at("out");
    outcome->err = json.at("err");
    outcome->kernel_log = json.at("kernel_log").get<std::vector<std::string>>();
    outcome->seconds = json.at("seconds");
    outcome->step_us = json.at("step_us").get<std::vector<int>>();
    outcome->trace = json.at("trace");
  } catch (const nlohmann::json::exception&) {
    return false;
  }
  return true;
}

}  // namespace iomode::conform
