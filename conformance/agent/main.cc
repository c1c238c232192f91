// SPDX-License-Identifier: GPL-2.0-only
//
// agent: runs sequential scripts on the running kernel and prints them with what it did.

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "conformance/agent/agent_output.h"
#include "conformance/agent/payload.h"
#include "conformance/agent/recorder.h"
#include "conformance/agent/system_calls.h"
#include "sim/script_parser.h"

namespace iomode::agent {
namespace {

constexpr char kUsage[] =
    "usage: agent [--state] [--times] [--repeat N] [--timeout SECONDS] [--out DIR] FILE...\n"
    "       agent --hurry [--repeat N] [--timeout SECONDS] FILE...\n"
    "Runs each sequential script on this kernel and prints it with the results.\n"
    "  --state            also the requests, blocked tasks and inode state after every step\n"
    "  --times            on stderr, for each script, the microseconds that each step took to come "
    "to rest\n"
    "  --hurry            run it as a load: each step as soon as its file's earlier steps have "
    "returned; prints nothing\n"
    "  --repeat N         run each script N times; print each different outcome, the most frequent "
    "first\n"
    "  --timeout SECONDS  for one step to come to rest (default 20)\n"
    "  --out DIR          write each recorded script into DIR under its own base name\n"
    "exit: 0 ok, 1 a script hung or could not be run, 2 bad input, 4 this kernel cannot run "
    "scripts,\n"
    "      128 + N ended by signal N\n";

constexpr int kMaxRepeat = 1000000;
constexpr int64_t kMaxBuffer = int64_t{64} << 20;  // bytes that one step may move
constexpr int kMaxTimeout = 24 * 60 * 60;

volatile sig_atomic_t caught_signal = 0;

void OnSignal(int number) {
  caught_signal = number;
  Recorder::Cancel();
}

struct Arguments {
  RecorderOptions options = {false, std::chrono::seconds(20)};
  bool times = false;
  bool hurry = false;
  int repeat = 1;
  std::string out;
  std::vector<std::string> files;
};

bool Number(const char* option, const char* text, int max, int* number) {
  if (absl::SimpleAtoi(text, number) && *number >= 1 && *number <= max) return true;
  fprintf(stderr, "agent: --%s: found \"%s\", expected a number from 1 to %d\n", option, text, max);
  return false;
}

// False after a message.
bool ParseArguments(int argc, char** argv, Arguments* arguments) {
  const option options[] = {{"state", no_argument, nullptr, 's'},
                            {"times", no_argument, nullptr, 'm'},
                            {"repeat", required_argument, nullptr, 'r'},
                            {"timeout", required_argument, nullptr, 't'},
                            {"out", required_argument, nullptr, 'o'},
                            {"hurry", no_argument, nullptr, 'h'},
                            {nullptr, 0, nullptr, 0}};
  int seconds = 0;
  for (int found; (found = getopt_long(argc, argv, "", options, nullptr)) != -1;) {
    switch (found) {
      case 's':
        arguments->options.state = true;
        break;
      case 'm':
        arguments->times = true;
        break;
      case 'h':
        arguments->hurry = true;
        break;
      case 'r':
        if (!Number("repeat", optarg, kMaxRepeat, &arguments->repeat)) return false;
        break;
      case 't':
        if (!Number("timeout", optarg, kMaxTimeout, &seconds)) return false;
        arguments->options.timeout = std::chrono::seconds(seconds);
        break;
      case 'o':
        arguments->out = optarg;
        break;
      default:
        fputs(kUsage, stderr);
        return false;
    }
  }
  arguments->files.assign(argv + optind, argv + argc);
  if (!arguments->files.empty()) return true;
  fputs(kUsage, stderr);
  return false;
}

absl::Status CheckLimits(const Script& script) {
  if (script.is_litmus()) {
    return absl::InvalidArgumentError(absl::StrCat(
        script.name, ": found threads, expected a sequential script: a kernel runs no others"));
  }
  if (script.steps.size() > kMaxSteps || script.inodes.size() > kMaxInodes ||
      script.backings.size() > kMaxBackings) {
    return absl::InvalidArgumentError(absl::StrCat(script.name, ": expected at most ", kMaxSteps,
                                                   " steps, ", kMaxInodes, " inodes and ",
                                                   kMaxBackings, " backings"));
  }
  for (const Step& step : script.steps) {
    if (!MovesBuffer(step.op) || step.len.value_or(0) <= kMaxBuffer) continue;
    return absl::InvalidArgumentError(absl::StrCat(script.name, ":", step.pos.line, ":",
                                                   step.pos.column, ": found len=", *step.len,
                                                   ", expected at most ", kMaxBuffer));
  }
  return absl::OkStatus();
}

// Reads all scripts before any is run.
bool ReadScripts(const std::vector<std::string>& files, std::vector<Script>* scripts) {
  bool good = true;
  for (const std::string& file : files) {
    absl::StatusOr<Script> script = ParseScriptFile(file);
    const absl::Status status = script.ok() ? CheckLimits(*script) : script.status();
    if (status.ok()) {
      scripts->push_back(*std::move(script));
      continue;
    }
    fprintf(stderr, "%s\n", std::string(status.message()).c_str());
    good = false;
  }
  return good;
}

std::string BaseName(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

// The texts that the runs of one script gave, and how often.
using Outcomes = std::vector<std::pair<std::string, int>>;

void Count(Outcomes& outcomes, std::string text) {
  for (auto& [known, count] : outcomes) {
    if (known == text) {
      ++count;
      return;
    }
  }
  outcomes.emplace_back(std::move(text), 1);
}

bool WriteFile(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  file.close();
  if (file) return true;
  fprintf(stderr, "agent: cannot write %s: %s\n", path.c_str(), strerror(errno));
  return false;
}

// Prints or writes what the runs of a script gave.
bool Deliver(const Arguments& arguments, const std::string& file, Outcomes outcomes) {
  std::stable_sort(outcomes.begin(), outcomes.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  if (!arguments.out.empty()) {
    if (outcomes.size() > 1) {
      fprintf(stderr, "%s: %zu different outcomes, of which the most frequent is kept\n",
              file.c_str(), outcomes.size());
    }
    return WriteFile(absl::StrCat(arguments.out, "/", BaseName(file)), outcomes[0].first);
  }
  for (const auto& [text, count] : outcomes) {
    if (arguments.repeat > 1) {
      printf("=== %s (%d of %d)\n", file.c_str(), count, arguments.repeat);
    } else if (arguments.files.size() > 1) {
      printf("=== %s\n", file.c_str());
    }
    fputs(text.c_str(), stdout);
  }
  return fflush(stdout) == 0;
}

void PrintTimes(const std::string& file, const std::vector<std::chrono::microseconds>& times) {
  std::string line = absl::StrCat(file, kAgentStepTimes);
  for (const std::chrono::microseconds time : times) absl::StrAppend(&line, " ", time.count());
  fprintf(stderr, "%s\n", line.c_str());
}

void Complain(const std::string& file, const absl::Status& status) {
  fprintf(stderr, "%s: %s%s\n", file.c_str(), absl::IsDeadlineExceeded(status) ? "hung at " : "",
          std::string(status.message()).c_str());
}

int HurryAll(const Arguments& arguments, const std::vector<Script>& scripts, Recorder& recorder) {
  int exit = kAgentOk;
  for (size_t i = 0; i < scripts.size(); ++i) {
    for (int n = 0; n < arguments.repeat && caught_signal == 0; ++n) {
      const absl::Status status = recorder.Hurry(scripts[i]);
      if (status.ok()) continue;
      Complain(arguments.files[i], status);
      exit = kAgentFailed;
    }
  }
  return caught_signal != 0 ? 128 + caught_signal : exit;
}

int RunAll(const Arguments& arguments, const std::vector<Script>& scripts, Recorder& recorder) {
  int exit = kAgentOk;
  for (size_t i = 0; i < scripts.size(); ++i) {
    Outcomes outcomes;
    for (int n = 0; n < arguments.repeat && caught_signal == 0; ++n) {
      absl::StatusOr<Script> recorded = recorder.Record(scripts[i]);
      if (recorded.ok()) {
        Count(outcomes, PrintScript(*recorded));
        continue;
      }
      Complain(arguments.files[i], recorded.status());
      exit = kAgentFailed;
    }
    if (const auto times = recorder.TakeStepTimes(); arguments.times) {
      PrintTimes(arguments.files[i], times);
    }
    if (!outcomes.empty() && !Deliver(arguments, arguments.files[i], std::move(outcomes))) {
      exit = kAgentFailed;
    }
    if (caught_signal != 0) return 128 + caught_signal;
  }
  return exit;
}

int Main(int argc, char** argv) {
  Arguments arguments;
  if (!ParseArguments(argc, argv, &arguments)) return kAgentBadInput;
  std::vector<Script> scripts;
  if (!ReadScripts(arguments.files, &scripts)) return kAgentBadInput;
  struct stat directory;
  if (!arguments.out.empty() &&
      (stat(arguments.out.c_str(), &directory) != 0 || !S_ISDIR(directory.st_mode))) {
    fprintf(stderr, "agent: --out: %s is no directory\n", arguments.out.c_str());
    return kAgentBadInput;
  }
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  for (int number : {SIGINT, SIGTERM, SIGHUP}) sigaction(number, &action, nullptr);
  absl::StatusOr<std::unique_ptr<Recorder>> recorder = Recorder::Open(arguments.options);
  if (caught_signal != 0) return 128 + caught_signal;
  if (!recorder.ok()) {
    fprintf(stderr, "agent: %s\n", std::string(recorder.status().message()).c_str());
    return absl::IsFailedPrecondition(recorder.status()) ? kAgentNoKernel : kAgentFailed;
  }
  return arguments.hurry ? HurryAll(arguments, scripts, **recorder)
                         : RunAll(arguments, scripts, **recorder);
}

}  // namespace
}  // namespace iomode::agent

int main(int argc, char** argv) { return iomode::agent::Main(argc, argv); }
