// SPDX-License-Identifier: GPL-2.0-only
//
// The agent as a program: what it prints, how it ends, and that nothing of it is left, however it
// ends. Most tests need root and a FUSE with passthrough, else they are skipped, and say why.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "conformance/agent/agent_output.h"

namespace iomode::agent {
namespace {

constexpr char kAgent[] = "conformance/agent/agent";
constexpr int kSecond = 1000000;  // microseconds

// Empty where it cannot be read, as of a process that has just gone.
std::string TextOf(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::string Scratch(const std::string& name) { return absl::StrCat(testing::TempDir(), name); }

std::string Write(const std::string& name, const std::string& text) {
  std::ofstream(Scratch(name)) << text;
  return Scratch(name);
}

// Processes of a session that have not ended.
int ProcessesOf(pid_t session) {
  int count = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    int number;
    if (!absl::SimpleAtoi(entry.path().filename().string(), &number)) continue;
    const std::string stat = TextOf(absl::StrCat(entry.path().string(), "/stat"));
    const size_t name_end = stat.rfind(") ");
    if (name_end == std::string::npos) continue;
    // STATE PPID PGRP SESSION
    const std::vector<std::string> words = absl::StrSplit(stat.substr(name_end + 2), ' ');
    count += words.size() > 3 && words[0] != "Z" && words[3] == absl::StrCat(session);
  }
  return count;
}

// The agent in a session of its own. `user`: who runs it, with `input` as standard input; neither
// needs to be able to reach the folders that the test is in.
class AgentRun {
 public:
  explicit AgentRun(const std::vector<std::string>& arguments, uid_t user = getuid(),
                    const std::string& input = "/dev/null") {
    pid_ = fork();
    if (pid_ != 0) return;
    setsid();
    dup2(open(input.c_str(), O_RDONLY), STDIN_FILENO);
    dup2(open(Scratch("out").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644), STDOUT_FILENO);
    dup2(open(Scratch("err").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644), STDERR_FILENO);
    std::vector<char*> words = {const_cast<char*>(kAgent)};
    for (const std::string& word : arguments) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    const int program = open(kAgent, O_RDONLY | O_CLOEXEC);
    if (user != getuid() && setuid(user) != 0) _exit(99);
    // A sanitizer's own handlers would keep the agent's from the signals that the tests send.
    setenv("ASAN_OPTIONS", "handle_segv=0:handle_abort=0", 1);
    fexecve(program, words.data(), environ);
    _exit(98);
  }
  ~AgentRun() {
    if (pid_ > 0) kill(pid_, SIGKILL);
    Wait();
  }

  // The exit code, or 1000 + the signal that ended it.
  int Wait() {
    int status = 0;
    if (pid_ > 0 && waitpid(pid_, &status, 0) == pid_) {
      session_ = pid_;
      pid_ = 0;
      exit_ = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
    }
    return exit_;
  }
  void Signal(int number) { kill(pid_, number); }
  // Waits until so many processes are at work; false if that takes too long.
  bool Reaches(int processes) {
    for (int waited = 0; waited < 30 * kSecond; waited += 10000) {
      if (ProcessesOf(pid_ > 0 ? pid_ : session_) == processes) return true;
      usleep(10000);
    }
    return false;
  }

 private:
  pid_t pid_ = 0;
  pid_t session_ = 0;
  int exit_ = -1;
};

// Why this machine cannot run scripts; "" if it can.
std::string WhyNot() {
  const std::string script = Write("probe.iom", "inode A\n1: open f A\n");
  if (AgentRun({script}).Wait() != 4) return "";
  return TextOf(Scratch("err"));
}

#define SKIP_WITHOUT_KERNEL() \
  if (const std::string why = WhyNot(); !why.empty()) GTEST_SKIP() << why

constexpr char kPlain[] = "inode A\n1: open f A\n2: read f\n";
constexpr char kPlainDone[] = "inode A\n1: open f A -> 0\n2: read f -> 4096 via=server\n";
// Four processes and the agent, until it is told to end.
constexpr char kEndless[] =
    "inode A\n1: open f A\n2: open g A\n3: open h A hold\n4: write f hold\n5: aio_write g\n"
    "6: hog 0\n7: wait 600000\n";

TEST(Agent, BadInputRunsNothing) {
  const std::string good = Write("good.iom", kPlain);
  EXPECT_EQ(AgentRun({}).Wait(), 2);
  EXPECT_EQ(AgentRun({"--repeat", "0", good}).Wait(), 2);
  EXPECT_EQ(AgentRun({"--out", "/nowhere", good}).Wait(), 2);
  EXPECT_EQ(AgentRun({good, Write("bad.iom", "1: open\n")}).Wait(), 2);
  EXPECT_TRUE(TextOf(Scratch("out")).empty());
  EXPECT_EQ(
      AgentRun({Write("huge.iom", "inode A\n1: open f A\n2: read f len=1073741824\n")}).Wait(), 2);
  EXPECT_TRUE(absl::StrContains(TextOf(Scratch("err")), "huge.iom:3:4: found len=1073741824"))
      << TextOf(Scratch("err"));
}

TEST(Agent, WithoutRootItSaysSo) {
  if (getuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
  EXPECT_EQ(AgentRun({"/dev/stdin"}, 65534, Write("plain.iom", kPlain)).Wait(), 4);
  EXPECT_TRUE(absl::StrContains(TextOf(Scratch("err")), "root")) << TextOf(Scratch("err"));
}

TEST(Agent, PrintsTheScriptWithResults) {
  SKIP_WITHOUT_KERNEL();
  EXPECT_EQ(AgentRun({Write("plain.iom", kPlain)}).Wait(), 0);
  EXPECT_EQ(TextOf(Scratch("out")), kPlainDone);
}

TEST(Agent, TimesEachStepButThoseThatWait) {
  SKIP_WITHOUT_KERNEL();
  const std::string script = Write("timed.iom", absl::StrCat(kPlain, "3: wait 100\n"));
  EXPECT_EQ(AgentRun({"--times", script}).Wait(), 0);
  const std::string err = TextOf(Scratch("err"));
  const size_t times = err.find(kAgentStepTimes);
  ASSERT_NE(times, std::string::npos) << err;
  int microseconds = 0;
  int steps = 0;
  for (absl::string_view word :
       absl::StrSplit(err.substr(times + strlen(kAgentStepTimes)), ' ', absl::SkipWhitespace())) {
    EXPECT_TRUE(absl::SimpleAtoi(word, &microseconds)) << word;
    EXPECT_GT(microseconds, 0);
    ++steps;
  }
  EXPECT_EQ(steps, 2) << err;
}

TEST(Agent, AHungScriptIsReportedAndTheNextOneRuns) {
  SKIP_WITHOUT_KERNEL();
  // The idle task gets a few thousandths of a CPU for a long copy.
  const std::string hung = Write(
      "hung.iom", "inode A\n1: open f A\n2: hog 0\n3: write f len=67108864 cpu=0 sched=idle\n");
  AgentRun run({"--timeout", "1", hung, Write("plain.iom", kPlain)});
  EXPECT_EQ(run.Wait(), 1);
  EXPECT_TRUE(absl::StrContains(TextOf(Scratch("err")), "hung.iom: hung at step 3: no rest: task"))
      << TextOf(Scratch("err"));
  EXPECT_TRUE(absl::EndsWith(TextOf(Scratch("out")), kPlainDone)) << TextOf(Scratch("out"));
  EXPECT_TRUE(run.Reaches(0));
}

class AgentEnds : public testing::TestWithParam<int> {};

TEST_P(AgentEnds, AndLeavesNothing) {
  SKIP_WITHOUT_KERNEL();
  AgentRun run({Write("endless.iom", kEndless)});
  ASSERT_TRUE(run.Reaches(5)) << TextOf(Scratch("err"));
  run.Signal(GetParam());
  const bool handled = GetParam() == SIGINT || GetParam() == SIGTERM || GetParam() == SIGHUP;
  EXPECT_EQ(run.Wait(), (handled ? 128 : 1000) + GetParam());
  EXPECT_TRUE(run.Reaches(0)) << "a process is left";
  if (handled) {
    // The fifth process may be there before its step is over.
    const std::string errors = TextOf(Scratch("err"));
    EXPECT_TRUE(absl::StrContains(errors, "step 6: interrupted") ||
                absl::StrContains(errors, "step 7: interrupted"))
        << errors;
  }
}

INSTANTIATE_TEST_SUITE_P(BySignal, AgentEnds,
                         testing::Values(SIGINT, SIGTERM, SIGHUP, SIGKILL, SIGSEGV, SIGABRT));

}  // namespace
}  // namespace iomode::agent
