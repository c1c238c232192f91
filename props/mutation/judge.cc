// SPDX-License-Identifier: GPL-2.0-only
//
// Judges mutants of the model. This program is linked with the model in which all mutants are
// (mutants.py); each is judged in a child process in which it alone is active.
//
//   judge [--jobs=N] [--without=TEST]... < MUTANTS
//
// runs in the project's root and reads a mutant a line: its number and, optionally, the check that
// killed it last, which is tried first.
//
// The checks are every script of scenarios/, at the revision that judges it and with no finding
// that is forbidden (soundness.h), and the GoogleTest tests that are linked in, but for those that
// --without names. First each runs with no mutant active, which tells how long it takes and which
// mutants it reaches; they must all pass. Then a mutant meets the checks that reach it, the fastest
// first, until one fails. A check that crashes, or takes more than kPatience + 20 times its usual
// processor time, fails.
//
// Output, a line each:
//
//   check NAME MILLISECONDS
//   mutant NUMBER killed NAME fails|crashes|hangs
//   mutant NUMBER survived CHECKS    it was reached by so many checks; 0: by none
//
// Exit code 0; 2 when a check fails without any mutant.

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iostream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "props/mutation/mutant.h"
#include "props/property.h"
#include "props/soundness.h"
#include "sim/scenario_files.h"
#include "sim/verdict.h"

namespace iomode {
namespace {

constexpr double kPatience = 3;  // seconds
constexpr rlim_t kMemory = rlim_t{4} << 30;

struct Check {
  std::string name;
  std::function<bool()> run;
  double seconds = 0;  // of processor time
  std::vector<bool> reaches;
};

// What a child tells its parent.
struct Report {
  int check;
};

template <class T>
T* Shared(size_t count) {
  void* memory =
      mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    std::perror("mmap");
    std::exit(2);
  }
  return static_cast<T*>(memory);
}

bool RunTest(const std::string& name) {
  if (std::freopen("/dev/null", "w", stdout) == nullptr) return false;
  GTEST_FLAG_SET(filter, name);
  return RUN_ALL_TESTS() == 0;
}

std::vector<Check> AllChecks(const std::set<std::string>& without) {
  std::vector<Check> checks;
  for (const Script& script : ScriptsBelow("scenarios")) {
    const auto holds = [script] {
      const Revision& revision = RevisionFor(script.name, NewestRevision());
      const Verdict verdict = CheckScript(script, revision, {});
      return verdict.status == Verdict::Status::kHolds &&
             FirstForbidden(verdict.findings, revision).empty();
    };
    checks.push_back({script.name, holds, 0, {}});
  }
  const ::testing::UnitTest& tests = *::testing::UnitTest::GetInstance();
  for (int s = 0; s < tests.total_test_suite_count(); s++) {
    const ::testing::TestSuite& suite = *tests.GetTestSuite(s);
    for (int t = 0; t < suite.total_test_count(); t++) {
      const std::string name = std::string(suite.name()) + "." + suite.GetTestInfo(t)->name();
      if (without.contains(name)) continue;
      checks.push_back({name, [name] { return RunTest(name); }, 0, {}});
    }
  }
  return checks;
}

void LimitTime(double seconds) {
  itimerval timer = {};
  timer.it_value.tv_sec = static_cast<time_t>(seconds);
  timer.it_value.tv_usec = 1;
  setitimer(ITIMER_PROF, &timer, nullptr);
}

const char* HowItEnded(int status) {
  if (WIFEXITED(status)) return "fails";
  return WTERMSIG(status) == SIGPROF ? "hangs" : "crashes";
}

// Runs each check without a mutant. False when one fails.
bool Measure(std::vector<Check>& checks) {
  mutants_reached = Shared<uint8_t>(kMaxMutants);
  bool good = true;
  for (Check& check : checks) {
    std::fill_n(mutants_reached, kMaxMutants, uint8_t{0});
    const pid_t child = fork();
    if (child == 0) _exit(check.run() ? 0 : 1);
    int status = 0;
    rusage usage = {};
    wait4(child, &status, 0, &usage);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
      std::fprintf(stderr, "without any mutant, %s %s\n", check.name.c_str(), HowItEnded(status));
      good = false;
    }
    check.seconds = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                    static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    check.reaches.assign(mutants_reached, mutants_reached + kMaxMutants);
    std::printf("check %s %.0f\n", check.name.c_str(), check.seconds * 1e3);
    std::fflush(stdout);
  }
  std::stable_sort(checks.begin(), checks.end(),
                   [](const Check& a, const Check& b) { return a.seconds < b.seconds; });
  return good;
}

// A child's work. `first`: the check to begin with, -1: none in particular.
[[noreturn]] void Judge(int mutant, int first, const std::vector<Check>& checks, Report& report) {
  const rlimit memory = {kMemory, kMemory};
  setrlimit(RLIMIT_AS, &memory);
  const rlimit core = {0, 0};
  setrlimit(RLIMIT_CORE, &core);
  if (std::freopen("/dev/null", "w", stderr) == nullptr) _exit(2);
  active_mutant = mutant;
  const auto run = [&](int i) {
    report.check = i;
    LimitTime(kPatience + 20 * checks[i].seconds);
    if (!checks[i].run()) _exit(1);
  };
  if (first >= 0) run(first);
  for (int i = 0; i < static_cast<int>(checks.size()); i++) {
    if (checks[i].reaches[mutant] && i != first) run(i);
  }
  _exit(0);
}

class Jobs {
 public:
  Jobs(const std::vector<Check>& checks, int jobs)
      : checks_(checks), reports_(Shared<Report>(jobs)) {
    for (int i = 0; i < jobs; i++) free_.push_back(i);
  }

  void Start(int mutant, const std::string& killer) {
    int first = static_cast<int>(checks_.size()) - 1;
    while (first >= 0 && checks_[first].name != killer) first--;
    if (free_.empty()) WaitForOne();
    const int slot = free_.back();
    free_.pop_back();
    const pid_t child = fork();
    if (child == 0) Judge(mutant, first, checks_, reports_[slot]);
    running_[child] = {mutant, slot};
  }
  void Finish() {
    while (!running_.empty()) WaitForOne();
  }

 private:
  struct Job {
    int mutant;
    int slot;
  };

  void WaitForOne() {
    int status = 0;
    const auto it = running_.find(wait(&status));
    if (it == running_.end()) return;
    const auto [mutant, slot] = it->second;
    running_.erase(it);
    free_.push_back(slot);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
      const auto reached =
          std::count_if(checks_.begin(), checks_.end(),
                        [m = mutant](const Check& check) { return check.reaches[m]; });
      std::printf("mutant %d survived %td\n", mutant, reached);
    } else {
      std::printf("mutant %d killed %s %s\n", mutant, checks_[reports_[slot].check].name.c_str(),
                  HowItEnded(status));
    }
    std::fflush(stdout);
  }

  const std::vector<Check>& checks_;
  Report* const reports_;
  std::vector<int> free_;
  std::map<pid_t, Job> running_;
};

}  // namespace
}  // namespace iomode

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  iomode::ShrinksCounterexamples() = false;
  int jobs = 1;
  std::set<std::string> without;
  for (int i = 1; i < argc; i++) {
    if (std::strncmp(argv[i], "--jobs=", 7) == 0) jobs = std::max(1, std::atoi(argv[i] + 7));
    if (std::strncmp(argv[i], "--without=", 10) == 0) without.insert(argv[i] + 10);
  }
  std::vector<iomode::Check> checks = iomode::AllChecks(without);
  if (!iomode::Measure(checks)) return 2;
  iomode::Jobs running(checks, jobs);
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    int mutant = 0;
    std::string killer;
    words >> mutant >> killer;
    running.Start(mutant, killer);
  }
  running.Finish();
  return 0;
}
