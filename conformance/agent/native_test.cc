// SPDX-License-Identifier: GPL-2.0-only
//
// The recorder on the running kernel. Needs root and a FUSE with passthrough, else every test is
// skipped, and says why.

#include <gtest/gtest.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "conformance/agent/recorder.h"
#include "model/revision.h"
#include "sim/scenario_files.h"
#include "sim/verdict.h"

namespace iomode::agent {
namespace {

constexpr char kFolder[] = "scenarios/recorded/linux-6.18";

std::unique_ptr<Recorder> OpenRecorder(bool state, std::string* why_not) {
  auto recorder = Recorder::Open({state, std::chrono::seconds(60)});
  if (recorder.ok()) return *std::move(recorder);
  *why_not = std::string(recorder.status().message());
  // Anything else than a kernel or user that cannot is a failure.
  EXPECT_EQ(recorder.status().code(), absl::StatusCode::kFailedPrecondition) << *why_not;
  return nullptr;
}

#define OPEN_RECORDER_OR_SKIP(recorder, state)                        \
  std::string why_not;                                                \
  std::unique_ptr<Recorder> recorder = OpenRecorder(state, &why_not); \
  if (recorder == nullptr) GTEST_SKIP() << why_not

// The recordings tell of one kernel; others differ, and are judged elsewhere.
bool IsRecordedKernel(std::string* why_not) {
  utsname name;
  uname(&name);
  *why_not = absl::StrCat("the recordings are of Linux 6.18, this is ", name.release);
  return absl::StartsWith(name.release, "6.18.");
}

int OpenDescriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<int>(std::distance(begin(all), end(all)));
}

std::string TextOf(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Native, DoesWhatWasRecorded) {
  OPEN_RECORDER_OR_SKIP(recorder, false);
  if (!IsRecordedKernel(&why_not)) GTEST_SKIP() << why_not;
  const Revision* revision = FindRevision("v6.18");
  ASSERT_NE(revision, nullptr);
  int same = 0, all = 0;
  for (const Script& script : ScriptsBelow(kFolder)) {
    const auto recorded = recorder->Record(script);
    ASSERT_TRUE(recorded.ok()) << script.name << ": " << recorded.status();
    ++all;
    if (PrintScript(*recorded) == PrintScript(script)) {
      ++same;
      continue;
    }
    // Where tasks race, another outcome than the recorded one is as good if the model allows it.
    const Verdict verdict = CheckScript(*recorded, *revision, {});
    EXPECT_EQ(verdict.status, Verdict::Status::kHolds)
        << PrintScript(*recorded) << (verdict.problems.empty() ? "" : verdict.problems[0]);
  }
  EXPECT_GE(same, all * 9 / 10) << "of " << all;
}

// The state and the place of blocked steps, by step, without what names fb.
std::vector<std::vector<std::string>> StatesOf(const std::string& text) {
  std::vector<std::vector<std::string>> states;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (!line.empty() && line[0] >= '1' && line[0] <= '9') states.emplace_back();
    if (states.empty() || !absl::StartsWith(line, "#     ")) continue;
    if (absl::StrContains(line, "iocachectr=")) {
      const size_t fb = line.find("fb=") + 3;
      const size_t refs = line.find("(refs", fb);
      states.back().push_back(refs == absl::string_view::npos
                                  ? std::string(line)
                                  : absl::StrCat(line.substr(0, fb), "fb", line.substr(refs)));
    } else if (absl::StartsWith(line, "#     blocked")) {
      states.back().emplace_back(line);
    }
  }
  return states;
}

TEST(Native, ReadsTheStateThatWasRecorded) {
  OPEN_RECORDER_OR_SKIP(recorder, true);
  if (!IsRecordedKernel(&why_not)) GTEST_SKIP() << why_not;
  for (const std::string& path : FilesBelow(kFolder, ".state.txt")) {
    const Script script = ReadScript(path.substr(0, path.rfind(".state.txt")) + ".iom");
    const auto recorded = recorder->Record(script);
    ASSERT_TRUE(recorded.ok()) << path << ": " << recorded.status();
    EXPECT_EQ(StatesOf(PrintScript(*recorded)), StatesOf(TextOf(path))) << path;
  }
}

Script ScriptOf(const std::string& text) {
  absl::StatusOr<Script> script = ParseScript("test", text);
  EXPECT_TRUE(script.ok()) << script.status();
  return *std::move(script);
}

constexpr char kBlocked[] =
    "conn passthrough direct_io_allow_mmap\n"
    "inode A\n"
    "backing B1\n"
    "1: backing_open B1\n"
    "2: open w A DIRECT_IO|PARALLEL_DIRECT_WRITES\n"
    "3: aio_write w off=4096 hold\n"
    "4: write w hold\n"
    "5: write w off=8192 hold\n"
    "6: open c A\n"
    "7: open p A PASSTHROUGH backing=B1 hold\n"
    "8: kill w\n"
    "9: truncate c 100 hold\n";

// Steps of one file come one after the other, a step of another file does not wait for them.
TEST(Native, ALoadRunsToItsEnd) {
  OPEN_RECORDER_OR_SKIP(recorder, false);
  const absl::Status status =
      recorder->Hurry(ScriptOf("conn passthrough\n"
                               "inode A\n"
                               "1: open w A DIRECT_IO|PARALLEL_DIRECT_WRITES\n"
                               "2: write w hold\n"
                               "3: open c A\n"  // sleeps until the reply
                               "4: write w off=4096\n"
                               "5: close c\n"
                               "6: reply 2\n"
                               "7: close w\n"));
  EXPECT_TRUE(status.ok()) << status;
}

TEST(Native, ALoadThatHangsSaysWhere) {
  auto recorder = Recorder::Open({false, std::chrono::seconds(1)});
  if (!recorder.ok()) GTEST_SKIP() << recorder.status();
  const absl::Status status =
      (*recorder)->Hurry(ScriptOf("inode A\n1: open w A DIRECT_IO\n2: write w hold\n3: close w\n"));
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(status.message(), "these have not returned: 2: write w hold");
}

TEST(Native, LeavesNoProcessAndNoDescriptor) {
  OPEN_RECORDER_OR_SKIP(recorder, false);
  const Script script = ScriptOf(kBlocked);
  ASSERT_TRUE(recorder->Record(script).ok());
  const int descriptors = OpenDescriptors();
  ASSERT_TRUE(recorder->Record(script).ok());
  EXPECT_EQ(OpenDescriptors(), descriptors);
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
  EXPECT_EQ(errno, ECHILD);
}

TEST(Native, AStepThatDoesNotComeToRestIsNamed) {
  OPEN_RECORDER_OR_SKIP(recorder, false);
  auto hasty = Recorder::Open({false, std::chrono::milliseconds(0)});
  ASSERT_TRUE(hasty.ok());
  const auto recorded = (*hasty)->Record(ScriptOf("inode A\n1: open f A\n2: read f\n"));
  ASSERT_EQ(recorded.status().code(), absl::StatusCode::kDeadlineExceeded) << recorded.status();
  EXPECT_TRUE(absl::StartsWith(recorded.status().message(), "step 1: no rest: "))
      << recorded.status();
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
  EXPECT_TRUE(recorder->Record(ScriptOf(kBlocked)).ok());
}

}  // namespace
}  // namespace iomode::agent
