// SPDX-License-Identifier: GPL-2.0-only
//
// Judges mutants. This program is linked with the model and the checker in which all mutants are
// (mutants.py); each is judged in a child process in which it alone is active.
//
//   judge [--jobs=N] [--without=TEST|SUITE]... < MUTANTS
//   judge --prove [--jobs=N] [--without=TEST|SUITE]... [--tests=REGEX] < MUTANTS
//   judge --cover [--kernel=REV] [--graph] PATH...    see coverage.h
//
// runs in the project's root and reads a mutant a line: its number and, optionally, the check that
// killed it last, which is tried first.
//
// The checks are every script of scenarios/, at the revision that judges it and with no finding
// that is forbidden (soundness.h), and the GoogleTest tests that are linked in, but for those that
// --without names or --tests does not match. First each runs with no mutant active, which tells how
// long it takes and which mutants it reaches; they must all pass. Then a mutant meets the checks
// that reach it until one fails: those first that killed the mutants just before, then the fastest.
// A check that crashes, or takes more than kPatience + 20 times its usual processor time (ten times
// that by the clock), fails.
//
// With --prove it is the tests that are judged, without the scripts: each meets the mutants that it
// reaches, those first that name it, then in the order given, until it fails for one.
//
// Output, a line each:
//
//   check NAME MILLISECONDS
//   mutant NUMBER killed NAME fails|crashes|hangs
//   mutant NUMBER survived CHECKS       it was reached by so many checks; 0: by none
//   proof NAME NUMBER                   it fails for the mutant: no crash, and in time
//   proof NAME none MUTANTS             it fails for none of so many
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
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "props/mutation/coverage.h"
#include "props/mutation/mutant.h"
#include "props/property.h"
#include "props/soundness.h"
#include "sim/scenario_files.h"
#include "sim/verdict.h"

namespace iomode {
namespace {

constexpr double kPatience = 3;  // seconds
constexpr size_t kKillersFirst = 30;
constexpr rlim_t kMemory = rlim_t{4} << 30;

struct Check {
  std::string name;
  std::function<bool()> run;
  double seconds = 0;  // of processor time
  std::vector<bool> reaches;
};

// What a child tells its parent.
struct Report {
  int check;   // that runs, or ran last
  int mutant;  // that the check failed for; 0: none
  int tried;   // mutants
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

void AddScripts(std::vector<Check>& checks) {
  for (const Script& script : ScriptsBelow("scenarios")) {
    const auto holds = [script] {
      const Revision& revision = RevisionFor(script.name, NewestRevision());
      const Verdict verdict = CheckScript(script, revision, {});
      return verdict.status == Verdict::Status::kHolds &&
             FirstForbidden(verdict.findings, revision).empty();
    };
    checks.push_back({script.name, holds, 0, {}});
  }
}

void AddTests(const std::set<std::string>& without, const std::regex& matching,
              std::vector<Check>& checks) {
  const ::testing::UnitTest& tests = *::testing::UnitTest::GetInstance();
  for (int s = 0; s < tests.total_test_suite_count(); s++) {
    const ::testing::TestSuite& suite = *tests.GetTestSuite(s);
    for (int t = 0; t < suite.total_test_count(); t++) {
      const std::string name = std::string(suite.name()) + "." + suite.GetTestInfo(t)->name();
      if (without.contains(name) || without.contains(suite.name())) continue;
      if (!std::regex_search(name, matching)) continue;
      checks.push_back({name, [name] { return RunTest(name); }, 0, {}});
    }
  }
}

void LimitTime(double seconds) {
  itimerval timer = {};
  timer.it_value.tv_sec = static_cast<time_t>(seconds);
  timer.it_value.tv_usec = 1;
  setitimer(ITIMER_PROF, &timer, nullptr);
  timer.it_value.tv_sec *= 10;
  setitimer(ITIMER_REAL, &timer, nullptr);
}

bool Passed(int status) { return WIFEXITED(status) && WEXITSTATUS(status) == 0; }

const char* HowItEnded(int status) {
  if (WIFEXITED(status)) return "fails";
  return WTERMSIG(status) == SIGPROF || WTERMSIG(status) == SIGALRM ? "hangs" : "crashes";
}

// Runs each check without a mutant. False when one fails.
bool Measure(std::vector<Check>& checks) {
  bool good = true;
  for (Check& check : checks) {
    std::fill_n(mutants_reached, kMaxMutants, uint8_t{0});
    const pid_t child = fork();
    if (child == 0) _exit(check.run() ? 0 : 1);
    int status = 0;
    rusage usage = {};
    wait4(child, &status, 0, &usage);
    if (!Passed(status)) {
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

// Makes this process the mutant.
void Become(int mutant) {
  const rlimit memory = {kMemory, kMemory};
  setrlimit(RLIMIT_AS, &memory);
  const rlimit core = {0, 0};
  setrlimit(RLIMIT_CORE, &core);
  if (std::freopen("/dev/null", "w", stderr) == nullptr) _exit(2);
  active_mutant = mutant;
}

void RunOrExit(const Check& check) {
  LimitTime(kPatience + 20 * check.seconds);
  if (!check.run()) _exit(1);
}

// A child's work: meets the checks `first` if they reach the mutant, then the others that do.
[[noreturn]] void Judge(int mutant, const std::vector<int>& first, const std::vector<Check>& checks,
                        Report& report) {
  Become(mutant);
  std::vector<bool> done(checks.size());
  const auto run = [&](int i) {
    if (done[i] || !checks[i].reaches[mutant]) return;
    done[i] = true;
    report.check = i;
    RunOrExit(checks[i]);
  };
  for (const int i : first) run(i);
  for (int i = 0; i < static_cast<int>(checks.size()); i++) run(i);
  _exit(0);
}

// A child's work: looks for a mutant that the check fails for.
[[noreturn]] void Prove(const Check& check, const std::vector<int>& mutants, Report& report) {
  for (const int mutant : mutants) {
    if (!check.reaches[mutant]) continue;
    report.tried++;
    const pid_t child = fork();
    if (child == 0) {
      Become(mutant);
      RunOrExit(check);
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    // A crash shows nothing of what the check looks for.
    if (Passed(status) || !WIFEXITED(status)) continue;
    report.mutant = mutant;
    _exit(0);
  }
  _exit(0);
}

// Child processes, so many at a time. `Ended` is told of each: its subject, how it ended, and what
// it reports.
class Jobs {
 public:
  using Ended = std::function<void(int, int, const Report&)>;

  Jobs(int jobs, Ended ended) : reports_(Shared<Report>(jobs)), ended_(std::move(ended)) {
    for (int i = 0; i < jobs; i++) free_.push_back(i);
  }

  // `work` does not return.
  void Start(int subject, const std::function<void(Report&)>& work) {
    if (free_.empty()) WaitForOne();
    const int slot = free_.back();
    free_.pop_back();
    reports_[slot] = {};
    const pid_t child = fork();
    if (child == 0) work(reports_[slot]);
    running_[child] = {subject, slot};
  }
  void Finish() {
    while (!running_.empty()) WaitForOne();
  }

 private:
  struct Job {
    int subject;
    int slot;
  };

  void WaitForOne() {
    int status = 0;
    const auto it = running_.find(wait(&status));
    if (it == running_.end()) return;
    const auto [subject, slot] = it->second;
    running_.erase(it);
    free_.push_back(slot);
    ended_(subject, status, reports_[slot]);
    std::fflush(stdout);
  }

  Report* const reports_;
  const Ended ended_;
  std::vector<int> free_;
  std::map<pid_t, Job> running_;
};

// A line of the input.
struct Subject {
  int mutant = 0;
  std::string killer;
};

// The next line; false at the end.
bool ReadSubject(Subject& subject) {
  std::string line;
  if (!std::getline(std::cin, line)) return false;
  std::istringstream words(line);
  subject = {};
  words >> subject.mutant >> subject.killer;
  return true;
}

void JudgeMutants(const std::vector<Check>& checks, int jobs) {
  std::vector<int> killers;  // the last first
  Jobs running(jobs, [&checks, &killers](int mutant, int status, const Report& report) {
    if (!Passed(status)) {
      std::printf("mutant %d killed %s %s\n", mutant, checks[report.check].name.c_str(),
                  HowItEnded(status));
      std::erase(killers, report.check);
      killers.insert(killers.begin(), report.check);
      if (killers.size() > kKillersFirst) killers.pop_back();
      return;
    }
    const auto reached = std::count_if(checks.begin(), checks.end(), [mutant](const Check& check) {
      return check.reaches[mutant];
    });
    std::printf("mutant %d survived %td\n", mutant, reached);
  });
  for (Subject subject; ReadSubject(subject);) {
    running.Start(subject.mutant, [&checks, &killers, &subject](Report& report) {
      std::vector<int> first = killers;
      for (int i = 0; i < static_cast<int>(checks.size()); i++) {
        if (checks[i].name == subject.killer) first.insert(first.begin(), i);
      }
      Judge(subject.mutant, first, checks, report);
    });
  }
  running.Finish();
}

void ProveChecks(const std::vector<Check>& checks, int jobs) {
  std::vector<Subject> subjects;
  for (Subject subject; ReadSubject(subject);) subjects.push_back(subject);
  Jobs running(jobs, [&checks](int check, int, const Report& report) {
    if (report.mutant == 0) {
      std::printf("proof %s none %d\n", checks[check].name.c_str(), report.tried);
    } else {
      std::printf("proof %s %d\n", checks[check].name.c_str(), report.mutant);
    }
  });
  for (int i = 0; i < static_cast<int>(checks.size()); i++) {
    const Check& check = checks[i];
    std::vector<int> mutants;
    for (const bool named : {true, false}) {
      for (const Subject& subject : subjects) {
        if ((subject.killer == check.name) == named) mutants.push_back(subject.mutant);
      }
    }
    running.Start(i, [&check, &mutants](Report& report) { Prove(check, mutants, report); });
  }
  running.Finish();
}

}  // namespace
}  // namespace iomode

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  iomode::mutants_reached = iomode::Shared<uint8_t>(iomode::kMaxMutants);
  iomode::ShrinksCounterexamples() = false;
  int jobs = 1;
  bool prove = false;
  bool cover = false;
  std::set<std::string> without;
  std::string tests;
  iomode::CoverageOptions coverage;
  for (int i = 1; i < argc; i++) {
    const std::string argument = argv[i];
    const auto value = [&argument](const char* option) {
      return argument.starts_with(option) ? argument.c_str() + std::strlen(option) : nullptr;
    };
    if (const char* n = value("--jobs=")) jobs = std::max(1, std::atoi(n));
    if (const char* test = value("--without=")) without.insert(test);
    if (const char* regex = value("--tests=")) tests = regex;
    if (const char* kernel = value("--kernel=")) coverage.kernel = kernel;
    if (argument == "--prove") prove = true;
    if (argument == "--cover") cover = true;
    if (argument == "--graph") coverage.graph = true;
    if (!argument.starts_with("--")) coverage.paths.push_back(argument);
  }
  if (cover) return iomode::Cover(coverage);
  std::vector<iomode::Check> checks;
  if (!prove) iomode::AddScripts(checks);
  iomode::AddTests(without, std::regex(tests), checks);
  if (!iomode::Measure(checks)) return 2;
  if (prove) {
    iomode::ProveChecks(checks, jobs);
  } else {
    iomode::JudgeMutants(checks, jobs);
  }
  return 0;
}
