// SPDX-License-Identifier: GPL-2.0-only
//
// The edits of each revision, one after the other, on the sources of Debian's 6.12.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "conformance/kernel/child_process.h"
#include "conformance/kernel/kernel_edits.h"
#include "conformance/kernel/kernel_tree.h"
#include "conformance/kernel/scratch_folder.h"

namespace iomode::conform {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// Empty without the package.
constexpr char kTarball[] = "external/linux_source/linux-source-6.12-fuse.tar";

bool Runs(const std::vector<std::string>& command) {
  ChildOptions options;
  options.environment = {"HOME=/nonexistent"};  // as for spatch in kernel_tree.cc
  const auto result = RunChild(command, options);
  return result.ok() && result->exit == 0;
}

class EditsApplyTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    pristine_ = new ScratchFolder(*ScratchFolder::Make());
    ready_ = fs::file_size(kTarball) > 0 && Runs({"spatch", "--version"}) &&
             Runs({"tar", "-xf", kTarball, "-C", pristine_->path(), "--strip-components=1",
                   "--wildcards", "*/fs/fuse/*"});
  }
  static void TearDownTestSuite() { delete pristine_; }

  void SetUp() override {
    if (!ready_) GTEST_SKIP() << "needs the packages linux-source-6.12 and coccinelle";
    ASSERT_TRUE(Runs({"cp", "-r", pristine_->path() + "/fs", tree_.path()}));
  }

  static ScratchFolder* pristine_;
  static bool ready_;
  const ScratchFolder tree_ = *ScratchFolder::Make();
  const ScratchFolder edits_ = *ScratchFolder::Make();
};

ScratchFolder* EditsApplyTest::pristine_ = nullptr;
bool EditsApplyTest::ready_ = false;

class EachRevision : public EditsApplyTest, public ::testing::WithParamInterface<Revision> {};

TEST_P(EachRevision, CanBeMade) {
  const KernelEdits edits = EditsInto(*FindRevision("v6.12"), GetParam());
  const auto files = WriteEdits(edits, edits_.path());
  ASSERT_TRUE(files.ok());
  const absl::Status applied = ApplyPatches(*files, tree_.path());
  EXPECT_TRUE(applied.ok()) << applied.message();
}

INSTANTIATE_TEST_SUITE_P(Revisions, EachRevision, ::testing::ValuesIn(Revisions()),
                         [](const auto& info) { return absl::StrCat("R", info.index); });

TEST_F(EditsApplyTest, AnEditThatMatchesNothingIsAnError) {
  KernelEdits edits;
  edits.names = {"attach_wakes_waiters.yes", "cached_open_waits.no"};
  const auto files = WriteEdits(edits, edits_.path());
  ASSERT_TRUE(files.ok());
  ASSERT_TRUE(ApplyPatches(*files, tree_.path()).ok());
  const absl::Status again = ApplyPatches({files->back()}, tree_.path());
  EXPECT_EQ(again.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(again.message()),
              HasSubstr("cached_open_waits.no.cocci: matches nothing in fs/fuse"));
}

}  // namespace
}  // namespace iomode::conform
