// SPDX-License-Identifier: GPL-2.0-only
//
// Times verdicts, by Google Benchmark: of whole processes, the command's and SPIN's verifiers, and
// of scripts that a process checks which is there already.
//
//   peers_bench LIST [--benchmark_...]
//
// A line of LIST is a benchmark: a name, a tab, and a program with its arguments, separated by
// tabs; or `check` and a litmus script. What is timed is processor time, of user and system: other
// load on the machine does not count. ./compare writes the list.

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cstdio>
#include <ctime>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "model/revision.h"
#include "sim/script_parser.h"
#include "sim/verdict.h"

extern char** environ;

namespace iomode {
namespace {

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

double SecondsOfProcess() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// Runs to the end; false: it did not start, or its exit code is neither 0 nor 1.
bool Run(const std::vector<std::string>& command, double* seconds) {
  std::vector<char*> argv;
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  pid_t pid = -1;
  const int error = posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  int status = -1;
  rusage used;
  if (error != 0 || wait4(pid, &status, 0, &used) != pid) return false;
  *seconds = Seconds(used.ru_utime) + Seconds(used.ru_stime);
  return WIFEXITED(status) && WEXITSTATUS(status) <= 1;
}

void TimeProcess(benchmark::State& state, const std::vector<std::string>& command) {
  for (auto _ : state) {
    double seconds = 0;
    if (!Run(command, &seconds)) {
      state.SkipWithError((command[0] + " failed").c_str());
      return;
    }
    state.SetIterationTime(seconds);
  }
}

// What `iomode check --no-stories` does with a script, from its text to the verdict.
void TimeCheck(benchmark::State& state, const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  for (auto _ : state) {
    const double begin = SecondsOfProcess();
    const absl::StatusOr<Script> script = ParseScript(path, text.str());
    if (!script.ok()) {
      state.SkipWithError(script.status().ToString().c_str());
      return;
    }
    const Verdict verdict = CheckScript(*script, NewestRevision(), {.max_states = 10'000'000});
    state.SetIterationTime(SecondsOfProcess() - begin);
    if (!verdict.stats.complete) {
      state.SkipWithError((path + ": not complete").c_str());
      return;
    }
    state.counters["states"] = static_cast<double>(verdict.stats.states);
    state.counters["transitions"] = static_cast<double>(verdict.stats.transitions);
  }
}

// False: the list cannot be read.
bool Register(const char* list) {
  std::ifstream file(list);
  if (!file) return false;
  for (std::string line; std::getline(file, line);) {
    std::stringstream words(line);
    std::vector<std::string> command;
    std::string name;
    std::getline(words, name, '\t');
    for (std::string word; std::getline(words, word, '\t');) command.push_back(word);
    if (command.empty()) return false;
    auto* registered = command[0] == "check" && command.size() == 2
                           ? benchmark::RegisterBenchmark(name.c_str(), TimeCheck, command[1])
                           : benchmark::RegisterBenchmark(name.c_str(), TimeProcess, command);
    registered->UseManualTime()->Unit(benchmark::kMillisecond);
  }
  return true;
}

}  // namespace
}  // namespace iomode

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (argc != 2 || !iomode::Register(argv[1])) {
    std::fprintf(stderr, "usage: %s LIST [--benchmark_...]\n%s\n", argv[0],
                 argc == 2 ? "the list cannot be read" : "one list is needed");
    return 2;
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
