// SPDX-License-Identifier: GPL-2.0-only
//
// Copies of kernel sources, with a tree of a few files in place of a kernel.

#include "conformance/kernel/kernel_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "conformance/kernel/child_process.h"
#include "conformance/kernel/scratch_folder.h"
#include "conformance/kernel/tree_copy.h"

namespace iomode::conform {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr char kPatch[] =
    "--- a/fs/fuse/iomode.c\n"
    "+++ b/fs/fuse/iomode.c\n"
    "@@ -1 +1 @@\n"
    "-one\n"
    "+two\n";

void Shell(const std::string& command) {
  const auto result = RunChild({"sh", "-ec", command});
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_EQ(result->exit, 0) << command << "\n" << result->err;
}

class KernelTreeTest : public ::testing::Test {
 protected:
  KernelTreeTest() : folder_(*ScratchFolder::Make()), tree_(folder_.path() + "/linux") {
    Write("Kbuild", "");
    Write("fs/fuse/iomode.c", "one\n");
    Write("fs/fuse/dir.c", "dir\n");
    fs::create_directories(Cache());
  }

  std::string Cache() const { return folder_.path() + "/cache"; }

  void Write(const std::string& name, const std::string& content) {
    const fs::path path = fs::path(tree_) / name;
    fs::create_directories(path.parent_path());
    ASSERT_TRUE(WriteWholeFile(path.string(), content).ok());
  }

  static std::string Content(const std::string& path) {
    const auto content = ReadWholeFile(path);
    return content.ok() ? *content : "none";
  }

  KernelSource FromTree() {
    KernelSource source;
    source.tree = tree_;
    return source;
  }

  std::string PatchFile() {
    const std::string path = folder_.path() + "/a.patch";
    EXPECT_TRUE(WriteWholeFile(path, kPatch).ok());
    return path;
  }

  absl::StatusOr<KernelTree> Prepare(const KernelSource& source) {
    return PrepareTree(source, Cache(), [](const std::string&) {});
  }

  ScratchFolder folder_;
  std::string tree_;
};

TEST_F(KernelTreeTest, ATreeIsPatchedInItsCopyOnly) {
  KernelSource source = FromTree();
  source.patches = {PatchFile()};
  const auto copy = Prepare(source);
  ASSERT_TRUE(copy.ok()) << copy.status();
  EXPECT_EQ(Content(copy->path + "/fs/fuse/iomode.c"), "two\n");
  EXPECT_EQ(Content(tree_ + "/fs/fuse/iomode.c"), "one\n");
}

TEST_F(KernelTreeTest, OnlyWhatChangedIsCopiedAgain) {
  const auto first = Prepare(FromTree());
  ASSERT_TRUE(first.ok()) << first.status();
  const std::string untouched = first->path + "/fs/fuse/dir.c";
  const auto time = fs::last_write_time(untouched);
  fs::create_directories(first->path + "/build-1");
  ASSERT_TRUE(WriteWholeFile(first->path + "/build-1/vmlinux", "kernel").ok());
  Write("fs/fuse/iomode.c", "three\n");
  Write("fs/fuse/new.c", "new\n");
  const auto second = Prepare(FromTree());
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->path, first->path);
  EXPECT_NE(second->key, first->key);
  EXPECT_EQ(Content(second->path + "/fs/fuse/iomode.c"), "three\n");
  EXPECT_EQ(Content(second->path + "/fs/fuse/new.c"), "new\n");
  EXPECT_EQ(fs::last_write_time(untouched), time);
  EXPECT_EQ(Content(second->path + "/build-1/vmlinux"), "kernel");
}

TEST_F(KernelTreeTest, WithoutThePatchTheCopyIsTheTreeAgain) {
  KernelSource patched = FromTree();
  patched.patches = {PatchFile()};
  const auto first = Prepare(patched);
  ASSERT_TRUE(first.ok()) << first.status();
  const auto second = Prepare(FromTree());
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_NE(first->key, second->key);
  EXPECT_EQ(Content(second->path + "/fs/fuse/iomode.c"), "one\n");
}

TEST_F(KernelTreeTest, FilesThatAreGoneGoFromTheCopy) {
  ASSERT_TRUE(Prepare(FromTree()).ok());
  fs::remove(tree_ + "/fs/fuse/dir.c");
  const auto copy = Prepare(FromTree());
  ASSERT_TRUE(copy.ok()) << copy.status();
  EXPECT_FALSE(fs::exists(copy->path + "/fs/fuse/dir.c"));
}

TEST_F(KernelTreeTest, WhatABuildInTheTreeLeftIsNotCopied) {
  Write(".config", "CONFIG_X=y\n");
  Write("include/config/auto.conf", "");
  Write("fs/fuse/iomode.o", "object");
  const auto copy = Prepare(FromTree());
  ASSERT_TRUE(copy.ok()) << copy.status();
  for (const char* name : {"/.config", "/include/config", "/fs/fuse/iomode.o"}) {
    EXPECT_FALSE(fs::exists(copy->path + name)) << name;
  }
}

TEST_F(KernelTreeTest, ATarballIsUnpackedOnceAndPatchedInACopy) {
  KernelSource source;
  source.tarball = folder_.path() + "/linux.tar";
  Shell(absl::StrCat("cd ", folder_.path(), " && tar -cf linux.tar linux"));
  const auto plain = Prepare(source);
  ASSERT_TRUE(plain.ok()) << plain.status();
  source.patches = {PatchFile()};
  const auto patched = Prepare(source);
  ASSERT_TRUE(patched.ok()) << patched.status();
  EXPECT_EQ(patched->pristine, plain->path);
  EXPECT_EQ(Content(patched->path + "/fs/fuse/iomode.c"), "two\n");
  EXPECT_EQ(Content(plain->path + "/fs/fuse/iomode.c"), "one\n");
}

TEST_F(KernelTreeTest, APatchThatDoesNotApplyIsNamed) {
  Write("fs/fuse/iomode.c", "other\n");
  KernelSource source = FromTree();
  source.patches = {PatchFile()};
  const auto copy = Prepare(source);
  ASSERT_FALSE(copy.ok());
  EXPECT_THAT(std::string(copy.status().message()), HasSubstr("a.patch: does not apply"));
}

TEST_F(KernelTreeTest, WhatIsNoKernelIsRefused) {
  fs::remove_all(tree_ + "/fs");
  const auto copy = Prepare(FromTree());
  ASSERT_FALSE(copy.ok());
  EXPECT_THAT(std::string(copy.status().message()), HasSubstr("is no Linux tree"));
}

}  // namespace
}  // namespace iomode::conform
