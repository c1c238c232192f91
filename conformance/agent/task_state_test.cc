// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/agent/task_state.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

namespace iomode::agent {
namespace {

TEST(TaskState, ReadsStateAndFlagsBehindAnyName) {
  const auto state = ParseStat("71 (a) R (b) D 1 2 3 4 5 4194304 0 0");
  ASSERT_TRUE(state.has_value());
  EXPECT_EQ(state->state, 'D');
  EXPECT_TRUE(state->asleep());
  EXPECT_FALSE(state->ending);
  EXPECT_TRUE(ParseStat("71 (x) R 1 2 3 4 5 4194308 0 0")->ending);
  EXPECT_FALSE(ParseStat("71 (x) R 1 2 3 4 5 0 0 0")->asleep());
}

TEST(TaskState, ATaskThatHasEndedHasNone) {
  EXPECT_FALSE(ParseStat("71 (x) Z 1 2 3 4 5 4194308 0 0").has_value());
  EXPECT_FALSE(ParseStat("71 (x) X 1 2 3 4 5 4194308 0 0").has_value());
  EXPECT_FALSE(ParseStat("").has_value());
  EXPECT_FALSE(ParseStat("71 (x) S 1 2").has_value());
  EXPECT_FALSE(ParseStat("71 (x) S 1 2 3 4 5 flags 0").has_value());
}

TEST(TaskState, CountsRuns) {
  EXPECT_EQ(RunsOfSchedstat("123456 789 42\n"), 42u);
  EXPECT_EQ(RunsOfSchedstat("123456\n"), 0u);
  EXPECT_EQ(RunsOfSchedstat(""), 0u);
  EXPECT_EQ(RunsOfStatus("Name:\tx\nvoluntary_ctxt_switches:\t5\nnonvoluntary_ctxt_switches:\t2\n"),
            7u);
  EXPECT_EQ(RunsOfStatus("Name:\tx\n"), 0u);
}

TEST(TaskState, NamesTheFunctionsOfAStack) {
  const std::vector<std::string> expected = {"request_wait_answer", "fuse_flush"};
  EXPECT_EQ(ParseStack("[<0>] request_wait_answer+0x1a3/0x2b0\n[<0>] fuse_flush+0x1/0x2\n"),
            expected);
  EXPECT_TRUE(ParseStack("").empty());
}

TEST(TaskState, FollowsARealProcess) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    while (true) pause();
  }
  std::optional<TaskState> state;
  for (int i = 0; i < 10000 && !(state.has_value() && state->state == 'S'); ++i) {
    usleep(1000);
    state = ReadTaskState(child, child);
  }
  ASSERT_TRUE(state.has_value());
  EXPECT_EQ(state->state, 'S');
  EXPECT_GT(state->runs, 0u);
  EXPECT_EQ(ReadTaskState(child, child), state) << "it ran meanwhile";
  EXPECT_EQ(TasksOf(child), std::vector<pid_t>{child});
  kill(child, SIGKILL);
  siginfo_t end;
  waitid(P_PID, static_cast<id_t>(child), &end, WEXITED | WNOWAIT);
  EXPECT_FALSE(ReadTaskState(child, child).has_value()) << "a zombie counts as ended";
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(TasksOf(child).empty());
}

}  // namespace
}  // namespace iomode::agent
