// SPDX-License-Identifier: GPL-2.0-only
//
// The kernel's own io-mode code against the model, on the project's scripts: unchanged they agree;
// a change of one line is found; a fix does what its author says. Everything runs the commands that
// a user would, in a process of its own, as changed code may crash. Also the sources' ways in, and
// what is said of code that the shims cannot take.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "conformance/source/built_source.h"

namespace iomode {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// Small scripts, for what is run many times.
constexpr char kFolders[] =
    "scenarios/aio scenarios/backing scenarios/hazards scenarios/mmap scenarios/page_cache "
    "scenarios/parallel scenarios/recorded scenarios/rules scenarios/upstream scenarios/waits";

class SourceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (BuiltSource().empty()) GTEST_SKIP() << BuiltSourceProblem();
  }
};

// A kernel tree with the default sources, after `sed` has edited `file`. Says how many lines
// changed.
std::string EditedTree(const std::string& name, const std::string& file, const std::string& sed,
                       int* changed = nullptr) {
  const fs::path tree = TestFolder(name);
  const fs::path folder = tree / "fs/fuse";
  fs::create_directories(folder);
  for (const char* source : {"iomode.c", "passthrough.c"}) {
    fs::copy_file(fs::path(BuiltSourceFolder()) / source, folder / source,
                  fs::copy_options::overwrite_existing);
  }
  std::ofstream(tree / "edit.sed") << sed << "\n";
  const Command edit = Shell(
      absl::StrCat("sed -i -f ", (tree / "edit.sed").string(), " ", (folder / file).string()));
  EXPECT_EQ(edit.exit_code, 0) << edit.errors;
  const Command diff = Shell(absl::StrCat("diff ", BuiltSourceFolder(), "/", file, " ",
                                          (folder / file).string(), " | grep -c '^[<>]'"));
  if (changed != nullptr) *changed = std::atoi(diff.output.c_str());
  return tree;
}

Command Build(const std::string& arguments) { return RunBuild(arguments); }

Command IomodeSource(const std::string& subcommand, const std::string& library,
                     const std::string& arguments) {
  return Shell(absl::StrCat("conformance/source/iomode_source ", subcommand, " --library ", library,
                            " ", arguments));
}

TEST_F(SourceTest, AllScriptsAgreeWithTheModel) {
  const Command compare = IomodeSource("compare", BuiltSource(), "--quiet scenarios");
  EXPECT_EQ(compare.exit_code, 0) << compare.output << compare.errors;
  EXPECT_THAT(compare.output, HasSubstr(" 0 differ, 0 incomplete"));
  EXPECT_THAT(compare.output, HasSubstr("model's (v6.12): all else\n"));
  std::cout << compare.output << "\n";
}

// v6.18 has other rules around the same io modes.
TEST_F(SourceTest, RecordingsOfARealKernelHold) {
  const Command check =
      IomodeSource("check", BuiltSource(), "--kernel v6.18 --quiet scenarios/recorded");
  EXPECT_EQ(check.exit_code, 0) << check.output << check.errors;
}

struct Mutation {
  const char* name;
  const char* file;
  const char* sed;  // where, by function and a few characters; and what
};

// One line each. Changes that nobody can see from outside are not in the list: the mark that
// fuse_file_uncached_io_release takes off a file about to be freed, the capability test of a
// passthrough open where no id can exist without the capability, and the parallel flag of a file
// that caches.
const Mutation kMutations[] = {
    {"CachedOpenDoesNotAnnounce", "iomode.c",
     "/^int fuse_file_cached_io_open/,/wait_event/ { /set_bit(/d }"},
    {"CachedOpenWaitsOnce", "iomode.c",
     "/^int fuse_file_cached_io_open/,/^}/ s/while (fuse_is/if (fuse_is/"},
    {"CachedOpenDoesNotWait", "iomode.c",
     "/^int fuse_file_cached_io_open/,/^}/ s/while (fuse_is/while (0 \\&\\& fuse_is/"},
    {"WaitConditionInverted", "iomode.c",
     "/^int fuse_file_cached_io_open/,/^}/ s/, !fuse_is/, fuse_is/"},
    {"WaitIgnoresBacking", "iomode.c",
     "/fuse_is_io_cache_wait/,/^}/ s/ && !fuse_inode_backing(fi)//"},
    {"CachedOpenOfPassthroughInode", "iomode.c",
     "/^int fuse_file_cached_io_open/,/^}/ s/if (fuse_inode_backing(fi))/if (0)/"},
    {"BitStaysAfterFailure", "iomode.c", "/^int fuse_file_cached_io_open/,/^}/ { /clear_bit/d }"},
    {"CachedOpenNotMarked", "iomode.c",
     "/^int fuse_file_cached_io_open/,/^}/ { /iomode = IOM_CACHED/d }"},
    {"BitSetBySecondOpen", "iomode.c",
     "/^int fuse_file_cached_io_open/,/^}/ s/iocachectr == 0/iocachectr == 1/"},
    {"CachedOpenNotCounted", "iomode.c",
     "/^int fuse_file_cached_io_open/,/^}/ { /iocachectr++/d }"},
    {"CachedOpenCountsTwice", "iomode.c",
     "/^int fuse_file_cached_io_open/,/^}/ s/if (ff->iomode == IOM_NONE)/if (1)/"},
    {"CachedReleaseNotCounted", "iomode.c",
     "/fuse_file_cached_io_release/,/^}/ { /iocachectr--/d }"},
    {"BitClearedTooEarly", "iomode.c",
     "/fuse_file_cached_io_release/,/^}/ s/iocachectr == 0/iocachectr == 1/"},
    {"NullBackingIsBusy", "iomode.c",
     "/^int fuse_inode_uncached_io_start/,/^}/ s/if (fb && oldfb && /if (oldfb \\&\\& /"},
    {"SecondBackingAccepted", "iomode.c",
     "/^int fuse_inode_uncached_io_start/,/^}/ s/oldfb != fb)/0)/"},
    {"UncachedBesideCached", "iomode.c",
     "/^int fuse_inode_uncached_io_start/,/^}/ s/iocachectr > 0/iocachectr > 1/"},
    {"UncachedOnlyAlone", "iomode.c",
     "/^int fuse_inode_uncached_io_start/,/^}/ s/iocachectr > 0/iocachectr != 0/"},
    {"UncachedNotCounted", "iomode.c",
     "/^int fuse_inode_uncached_io_start/,/^}/ { /iocachectr--/d }"},
    {"BackingAttachedTwice", "iomode.c",
     "/^int fuse_inode_uncached_io_start/,/^}/ s/if (fb && !oldfb)/if (fb)/"},
    {"SecondReferenceKept", "iomode.c",
     "/^int fuse_inode_uncached_io_start/,/^}/ { /fuse_backing_put/d }"},
    {"StartIgnoresError", "iomode.c",
     "/^int fuse_inode_uncached_io_start/,/^}/ s/return err/return 0/"},
    {"PassthroughNotMarked", "iomode.c",
     "/^static int fuse_file_uncached_io_open/,/^}/ { /iomode = IOM_UNCACHED/d }"},
    {"EndDoesNotWake", "iomode.c", "/^void fuse_inode_uncached_io_end/,/^}/ { /wake_up/d }"},
    {"EndDoesNotDetach", "iomode.c",
     "/^void fuse_inode_uncached_io_end/,/^}/ { /fuse_inode_backing_set/d }"},
    {"EndNotCounted", "iomode.c", "/^void fuse_inode_uncached_io_end/,/^}/ { /iocachectr++/d }"},
    {"EndActsBeforeTheLast", "iomode.c",
     "/^void fuse_inode_uncached_io_end/,/^}/ s/if (!fi->iocachectr)/if (fi->iocachectr)/"},
    {"EndTakesNoLock", "iomode.c", "/^void fuse_inode_uncached_io_end/,/^}/ { /spin_lock/d }"},
    {"MaskWithoutNoflush", "iomode.c", "s/^\t FOPEN_NOFLUSH)/\t 0)/"},
    {"FailedPassthroughKeepsBacking", "iomode.c",
     "/^static int fuse_file_passthrough_open/,/^}/ { /fuse_backing_put/d }"},
    {"DirectOpenOfPassthroughInode", "iomode.c",
     "/^int fuse_file_io_open/,/^}/ s/if (fuse_inode_backing(fi) && .*/if (0)/"},
    {"ErrnoOfTheMode", "iomode.c", "/^int fuse_file_io_open/,/^}/ s/return -EIO/return err/"},
    {"NoCachedRelease", "iomode.c",
     "/^void fuse_file_io_release/,/^}/ { /fuse_file_cached_io_release/d }"},
    {"NoUncachedRelease", "iomode.c",
     "/^void fuse_file_io_release/,/^}/ { /fuse_file_uncached_io_release/d }"},
    {"CloseKeepsReference", "passthrough.c",
     "/^int fuse_backing_close/,/^}/ { /fuse_backing_put/d }"},
    {"LookupWithoutReference", "passthrough.c",
     "/^struct fuse_backing \\*fuse_passthrough_open/,/^}/ { /fuse_backing_get/d }"},
    {"BadIdIsLookedUp", "passthrough.c",
     "/^int fuse_backing_close/,/^}/ s/backing_id <= 0/backing_id < -1/"},
    {"PutNeverFrees", "passthrough.c",
     "/^void fuse_backing_put/,/^}/ s/if (fb && /if (0 \\&\\& fb \\&\\& /"},
    {"FlagsAreIgnored", "passthrough.c", "/^int fuse_backing_open/,/^}/ s/map->flags ||/0 ||/"},
};

class MutationTest : public SourceTest, public ::testing::WithParamInterface<Mutation> {};

TEST_P(MutationTest, IsFound) {
  const Mutation& mutation = GetParam();
  int changed = 0;
  const std::string tree = EditedTree(mutation.name, mutation.file, mutation.sed, &changed);
  ASSERT_TRUE(changed == 1 || changed == 2) << changed << " lines differ";
  const Command build = Build("--tree " + tree);
  ASSERT_EQ(build.exit_code, 0) << build.errors;
  const Command compare = IomodeSource(
      "compare", build.output, absl::StrCat("--first --quiet --max-states 200000 ", kFolders));
  EXPECT_EQ(compare.exit_code, 1) << compare.output << compare.errors;
  EXPECT_THAT(compare.output, HasSubstr(" alone: "));
}

INSTANTIATE_TEST_SUITE_P(OneLine, MutationTest, ::testing::ValuesIn(kMutations),
                         [](const auto& info) { return std::string(info.param.name); });

// docs/how-to/check-a-patch.md
TEST_F(SourceTest, FixOfTheLostWakeup) {
  const std::string scenario = "scenarios/hazards/H1-lost-wakeup.iom";
  const Command before = IomodeSource("check", BuiltSource(), scenario);
  EXPECT_EQ(before.exit_code, 0) << before.output;  // it expects the finding

  int changed = 0;
  const std::string tree =
      EditedTree("fix", "iomode.c",
                 "/^int fuse_inode_uncached_io_start/,/^}/ {\n"
                 "/fuse_inode_backing_set(/a wake_up(&fi->direct_io_waitq);\n}",
                 &changed);
  EXPECT_EQ(changed, 1);
  const Command build = Build("--tree " + tree);
  ASSERT_EQ(build.exit_code, 0) << build.errors;
  const Command after = IomodeSource("check", build.output, scenario);
  EXPECT_EQ(after.exit_code, 1) << after.output;
  EXPECT_THAT(after.output, HasSubstr("model gives -> 0; 4 -> EIO"));  // in step 5
  // What the fix does is what the model's proposal says it would.
  const Command compare = IomodeSource(
      "compare", build.output, "--kernel v7.3+wake-on-attach --quiet " + std::string(kFolders));
  EXPECT_EQ(compare.exit_code, 0) << compare.output;
}

TEST_F(SourceTest, NamesMissingShims) {
  const struct {
    const char* sed;
    const char* message;
  } cases[] = {
      {"1i #include <linux/xarray.h>", "add conformance/source/shim/linux/xarray.h"},
      {"/spin_lock(/s/spin_lock(/mutex_lock(/", "uses mutex_lock(), which no shim has"},
      {"s/FUSE_I_CACHE_IO_MODE/FUSE_I_OTHER/", "uses FUSE_I_OTHER, which no shim has"},
      {"s/fi->iocachectr/fi->other/", "uses other of struct fuse_inode"},
      {"s/^\tint err;/\tint err = iov_iter_count(0);/",
       "calls iov_iter_count(), which is declared"},
  };
  for (const auto& c : cases) {
    const Command build = Build("--tree " + EditedTree("missing", "iomode.c", c.sed));
    EXPECT_EQ(build.exit_code, 1);
    EXPECT_THAT(build.errors, HasSubstr(c.message));
  }
}

// 6.18 moved half of passthrough.c to backing.c and changed a signature.
TEST_F(SourceTest, TakesTheFilesOfLaterKernels) {
  const std::string tree = EditedTree("later", "iomode.c", "s/_open(file, inode,/_open(file,/");
  const std::string folder = tree + "/fs/fuse/";
  // The includes, and then what belongs to the one or the other.
  const std::string moved = "/^struct fuse_backing \\*fuse_backing_get/,/^ \\* Setup passthrough/";
  const Command split = Shell(absl::StrCat(
      "cd ", folder, " && sed '1,/splice.h/p;", moved, "!d' passthrough.c | sed '$d' | sed '$d'",
      " >backing.c && sed -i '", moved, "{ /Setup passthrough/!d; s/^/\\/*\\n/ };",
      "/fuse_passthrough_open/,/^{/ { /struct inode/d }' passthrough.c"));
  ASSERT_EQ(split.exit_code, 0) << split.errors;
  const Command build = Build("--tree " + tree);
  ASSERT_EQ(build.exit_code, 0) << build.errors;
  EXPECT_EQ(IomodeSource("compare", build.output, "--quiet scenarios/backing").exit_code, 0);
}

TEST_F(SourceTest, TakesClang) {
  if (Shell("command -v clang").exit_code != 0) GTEST_SKIP() << "no clang here";
  const Command build = Build("--cc clang");
  ASSERT_EQ(build.exit_code, 0) << build.errors;
  const Command compare = IomodeSource("compare", build.output, absl::StrCat("--quiet ", kFolders));
  EXPECT_EQ(compare.exit_code, 0) << compare.output;
}

TEST_F(SourceTest, TakesACommitOfARepository) {
  const std::string tree = EditedTree("repository", "iomode.c", "");
  const std::string git = "git -c user.name=a -c user.email=a@b -C " + tree + " ";
  ASSERT_EQ(Shell("rm -rf " + tree + "/.git").exit_code, 0);
  ASSERT_EQ(Shell(git + "init -q && " + git + "add fs && " + git + "commit -qm one").exit_code, 0);
  const Command build = Build("--git " + tree + " --rev HEAD");
  ASSERT_EQ(build.exit_code, 0) << build.errors;
  EXPECT_EQ(IomodeSource("check", build.output, "--quiet scenarios/rules").exit_code, 0);
  EXPECT_EQ(Build("--git " + tree + " --rev HEAD~7").exit_code, 4);
  EXPECT_EQ(Build("--git " + tree).exit_code, 2);
}

TEST_F(SourceTest, SaysWhereThereIsNoKernel) {
  const Command build = Build("--tree /nowhere");
  EXPECT_EQ(build.exit_code, 4);
  EXPECT_THAT(build.errors, HasSubstr("/nowhere: has no fs/fuse/iomode.c"));
  EXPECT_EQ(Build("--tarball /nowhere.tar.xz").exit_code, 4);
  EXPECT_EQ(Build("--tree a --tarball b").exit_code, 2);
}

TEST(SourceLibrary, OtherFilesAreRefused) {
  const Command compare = IomodeSource("compare", "/nowhere.so", "scenarios");
  EXPECT_EQ(compare.exit_code, 2);
  EXPECT_THAT(compare.errors, HasSubstr("/nowhere.so"));
}

}  // namespace
}  // namespace iomode
