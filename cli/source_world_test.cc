// SPDX-License-Identifier: GPL-2.0-only
//
// --world source: the kernel's own io-mode code against the model, on the project's scripts.
// Unchanged they agree; a change of one line is found; a fix does what its author says. Everything
// runs the command that a user would, in a process of its own, as changed code may crash, or not
// come back: it then fails after a limit. Also the sources' ways in, and what is said of code that
// the shims cannot take.

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
using ::testing::Not;

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

// What ./test leaves to the slow tests.
class LongSourceTest : public SourceTest {};

// A kernel tree with the default sources, after `sed` has edited `file`. Says how many lines
// changed.
std::string EditedTree(const std::string& name, const std::string& file, const std::string& sed,
                       int* changed = nullptr) {
  const fs::path tree = TestFolder(name);
  const fs::path edited = tree / "fs/fuse" / file;
  fs::copy(BuiltSourceFolder(), tree,
           fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  std::ofstream(tree / "edit.sed") << sed << "\n";
  const Command edit =
      Shell(absl::StrCat("sed -i -f ", (tree / "edit.sed").string(), " ", edited.string()));
  EXPECT_EQ(edit.exit_code, 0) << edit.errors;
  const Command diff = Shell(absl::StrCat("diff ", BuiltSourceFolder(), "/fs/fuse/", file, " ",
                                          edited.string(), " | grep -c '^[<>]'"));
  if (changed != nullptr) *changed = std::atoi(diff.output.c_str());
  return tree;
}

Command Iomode(const std::string& arguments) { return Shell("cli/iomode " + arguments); }

// Exit code 124: it took longer.
Command IomodeWithin(int seconds, const std::string& arguments) {
  return Shell(absl::StrCat("timeout --kill-after=5 ", seconds, " cli/iomode ", arguments));
}

TEST_F(SourceTest, SmallScriptsAgreeWithTheModel) {
  const Command diff = Iomode(
      "diff v6.12 source --quiet scenarios/backing scenarios/hazards scenarios/mmap "
      "scenarios/parallel scenarios/rules scenarios/waits");
  EXPECT_EQ(diff.exit_code, 0) << diff.output << diff.errors;
  EXPECT_THAT(diff.output, HasSubstr(" 0 differ, 0 incomplete"));
}

TEST_F(LongSourceTest, AllScriptsAgreeWithTheModel) {
  const Command diff = Iomode("diff v6.12 source --quiet scenarios");
  EXPECT_EQ(diff.exit_code, 0) << diff.output << diff.errors;
  EXPECT_THAT(diff.output, HasSubstr(" 0 differ, 0 incomplete"));
  EXPECT_THAT(diff.output, HasSubstr("in lock step: "));
  // Whose code ran, with how often it was entered.
  const std::string kernels =
      diff.output.substr(diff.output.find("source: the kernel's code ("), std::string::npos);
  const std::string models = kernels.substr(kernels.find("source: the model's (v6.12): "));
  for (const char* function :
       {"fuse_file_cached_io_open", "fuse_inode_uncached_io_start", "fuse_inode_uncached_io_end",
        "fuse_file_io_open", "fuse_file_io_release", "fuse_backing_open", "fuse_backing_close",
        "fuse_dio_wr_exclusive_lock", "fuse_dio_lock", "fuse_dio_unlock", "fuse_file_mmap",
        "fuse_file_put", "fuse_prepare_release", "fuse_finish_open", "fuse_release"}) {
    const std::string entry = absl::StrCat(" ", function, " ");
    EXPECT_THAT(kernels.substr(0, kernels.find('\n')), HasSubstr(entry));
    EXPECT_THAT(models, Not(HasSubstr(entry)));
  }
  std::cout << diff.output << "\n";
}

// The op-level graphs side by side, as deep as is quick.
TEST_F(LongSourceTest, NoShortScriptTellsItFromTheModel) {
  const Command diff = Iomode("diff v6.12 source --steps 5");
  EXPECT_EQ(diff.exit_code, 0) << diff.output << diff.errors;
  EXPECT_THAT(diff.output, HasSubstr("no difference within"));
  EXPECT_THAT(diff.output, Not(HasSubstr("incomplete")));
  std::cout << diff.output << "\n";
}

// Pages that mmap leaves in the cache: no result of the script tells.
TEST_F(LongSourceTest, AShortScriptTellsAnotherState) {
  const std::string tree = EditedTree(
      "states", "file.c", "/^static int fuse_file_mmap/,/^}/ { /invalidate_inode_pages2/d }");
  const Command diff = Iomode("diff v6.12 source --steps 5 --tree " + tree);
  EXPECT_EQ(diff.exit_code, 1) << diff.output << diff.errors;
  EXPECT_THAT(diff.output, HasSubstr("# v6.12 alone ends in\n#     A: iocachectr="));
}

// What was not compared is no agreement.
TEST_F(SourceTest, SaysHowFarItCompared) {
  const Command diff = Iomode("diff v6.12 source --max-states 100");
  EXPECT_EQ(diff.exit_code, 3) << diff.output << diff.errors;
  EXPECT_THAT(diff.output, HasSubstr("scripts of up to 2 operations"));
  EXPECT_THAT(diff.output, HasSubstr("incomplete: bound of pairs"));
}

TEST_F(SourceTest, EveryCommandRunsIt) {
  const std::string script = "scenarios/hazards/H1-lost-wakeup.iom";
  for (const char* command : {"check", "run"}) {
    const Command of_model = Iomode(absl::StrCat(command, " --kernel v6.12 ", script));
    const Command of_source = Iomode(absl::StrCat(command, " --world source ", script));
    EXPECT_EQ(of_source.exit_code, of_model.exit_code) << of_source.output << of_source.errors;
    EXPECT_THAT(of_source.output, HasSubstr("source: the kernel's code ("));
    EXPECT_THAT(of_source.output, HasSubstr("lost-wakeup"));
  }
  const Command explore = Iomode("explore --world source --files 1");
  EXPECT_THAT(explore.output, HasSubstr("source: all "));
  EXPECT_THAT(explore.output, HasSubstr("source: the kernel's code ("));
}

// The counts in "NAME: all N states, M edges; BOUNDS".
std::string GraphCounts(const std::string& arguments) {
  const std::string output = Iomode("explore " + arguments).output;
  const size_t begin = output.find(": all ");
  return begin == std::string::npos ? output : output.substr(begin, output.find('\n') - begin);
}

TEST_F(LongSourceTest, HasTheModelsStateGraph) {
  for (const std::string bounds : {"", " --maps 1"}) {
    const std::string counts = GraphCounts("--kernel v6.12" + bounds);
    EXPECT_THAT(counts, HasSubstr(": all "));
    EXPECT_EQ(GraphCounts("--world source" + bounds), counts);
  }
  const std::string tree = EditedTree("graph", "iomode.c", "/wake_up(&fi->direct_io_waitq)/d");
  EXPECT_NE(GraphCounts("--world source --tree " + tree), GraphCounts("--kernel v6.12"));
}

TEST_F(SourceTest, ScriptsForOtherRevisionsAreLeftOut) {
  const Command check = Iomode("check --world source scenarios/revisions/v6.9");
  EXPECT_THAT(check.output, HasSubstr("0 scripts at source"));
  EXPECT_THAT(check.output, HasSubstr("left out, for other revisions than v6.12"));
}

// v6.18 has other rules around the same io modes.
TEST_F(SourceTest, RecordingsOfARealKernelHold) {
  const Command check = Iomode("check --world source --kernel v6.18 --quiet scenarios/recorded");
  EXPECT_EQ(check.exit_code, 0) << check.output << check.errors;
}

constexpr int kMutantSeconds = 120;

struct Mutation {
  const char* name;
  const char* file;
  const char* sed;  // where, by function and a few characters; and what
};

// One line each. Not in the list is what cannot show: the capability test of a passthrough open, as
// no id exists without the capability; the inode that the release of a failed open does not hold,
// as such a file holds no io mode.
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
    // In the state only, for as long as the file lives.
    {"UncachedMarkStays", "iomode.c",
     "/^static void fuse_file_uncached_io_release/,/^}/ { /iomode = IOM_NONE/d }"},
    {"ParallelFlagOfCachedFileStays", "iomode.c",
     "/^int fuse_file_io_open/,/^}/ s/&= ~FOPEN_PARALLEL.*;/\\&= ~0;/"},
    {"NoUncachedRelease", "iomode.c",
     "/^void fuse_file_io_release/,/^}/ { /fuse_file_uncached_io_release/d }"},
    {"WriteIgnoresCacheBit", "file.c",
     "/^static bool fuse_dio_wr_exclusive_lock/,/^}/ s/if (test_bit(/if (0 \\&\\& test_bit(/"},
    {"AppendInParallel", "file.c",
     "/^static bool fuse_dio_wr_exclusive_lock/,/^}/ s/if (iocb->ki_flags & IOCB_APPEND)/if (0)/"},
    {"EveryWriteMayBeParallel", "file.c",
     "/^static bool fuse_dio_wr_exclusive_lock/,/^}/ s/if (!(ff->open_flags/if (!(1 | "
     "ff->open_flags/"},
    {"WriteKeepsInodeLock", "file.c",
     "/^static void fuse_dio_unlock/,/^}/ { /inode_unlock_shared/d }"},
    {"WriteKeepsReference", "file.c",
     "/^static void fuse_dio_unlock/,/^}/ { /fuse_inode_uncached_io_end/d }"},
    {"FallBackHoldsBothLocks", "file.c",
     "/^static void fuse_dio_lock/,/^}/ { /inode_unlock_shared/d }"},
    {"MmapOfPassthroughInode", "file.c",
     "/^static int fuse_file_mmap/,/^}/ s/else if (fuse_inode_backing(.*/else if (0)/"},
    {"MmapKeepsPages", "file.c",
     "/^static int fuse_file_mmap/,/^}/ { /invalidate_inode_pages2/d }"},
    {"PutForgetsIoMode", "file.c",
     "/^static void fuse_file_put/,/^}/ s/if (ra && ra->inode)/if (0)/"},
    {"WriteFileNotLinked", "file.c",
     "/^int fuse_finish_open/,/^}/ s/ && fc->writeback_cache/ \\&\\& 0/"},
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
  const Command diff =
      IomodeWithin(kMutantSeconds, absl::StrCat("diff v6.12 source --tree ", tree,
                                                " --first --quiet --max-states 200000 ", kFolders));
  EXPECT_EQ(diff.exit_code, 1) << diff.output << diff.errors;
  EXPECT_THAT(diff.output, HasSubstr(" 1 differ"));
}

INSTANTIATE_TEST_SUITE_P(OneLine, MutationTest, ::testing::ValuesIn(kMutations),
                         [](const auto& info) { return std::string(info.param.name); });

// docs/how-to/check-a-patch.md
TEST_F(LongSourceTest, FixOfTheLostWakeup) {
  const std::string scenario = "scenarios/hazards/H1-lost-wakeup.iom";
  const Command before = Iomode("check --world source " + scenario);
  EXPECT_EQ(before.exit_code, 0) << before.output;  // it expects the finding

  int changed = 0;
  const std::string tree =
      EditedTree("fix", "iomode.c",
                 "/^int fuse_inode_uncached_io_start/,/^}/ {\n"
                 "/fuse_inode_backing_set(/a wake_up(&fi->direct_io_waitq);\n}",
                 &changed);
  EXPECT_EQ(changed, 1);
  const Command after = Iomode("check --world source:" + tree + " " + scenario);
  EXPECT_EQ(after.exit_code, 1) << after.output;
  EXPECT_THAT(after.output, HasSubstr("model gives -> 0; 4 -> EIO"));  // in step 5
  // What the fix does is what the model's proposal says it would.
  const Command diff = Iomode(absl::StrCat("diff v7.3+wake-on-attach source:", tree,
                                           " --kernel v7.3+wake-on-attach --quiet ", kFolders));
  EXPECT_EQ(diff.exit_code, 0) << diff.output;
  // Two kernels' code side by side.
  const Command both = Iomode(absl::StrCat("diff source source:", tree, " --steps 5"));
  EXPECT_EQ(both.exit_code, 1) << both.output << both.errors;
  EXPECT_THAT(both.output, HasSubstr("# source finds lost-wakeup"));
}

TEST_F(LongSourceTest, NamesMissingShims) {
  const struct {
    const char* sed;
    const char* message;
  } cases[] = {
      {"1i #include <linux/xarray.h>", "add conformance/source/shim/linux/xarray.h"},
      {"/spin_lock(/s/spin_lock(/mutex_lock(/", "uses mutex_lock(), which no shim has"},
      {"s/= fuse_file_uncached_io_open(/= fuse_other(/",
       "uses fuse_other(), which no shim has: add it to conformance/source/shim/fuse_i.h"},
      {"s/FUSE_I_CACHE_IO_MODE/FUSE_I_OTHER/", "uses FUSE_I_OTHER, which no shim has"},
      {"s/fi->iocachectr/fi->other/", "uses other of struct fuse_inode"},
      {"s/^\tint err;/\tint err = fuse_dax_mmap(0, 0);/",
       "calls fuse_dax_mmap(), which is declared"},
  };
  for (const auto& c : cases) {
    const Command check =
        Iomode("check scenarios/rules --world source:" + EditedTree("missing", "iomode.c", c.sed));
    EXPECT_EQ(check.exit_code, 2);
    EXPECT_THAT(check.errors, HasSubstr(c.message));
  }
}

// The names, types and arguments of the first commits, cb098dd24b to fc8ff397b2.
TEST_F(LongSourceTest, TakesTheFilesOfEarlierKernels) {
  const std::string tree = EditedTree("earlier", "iomode.c", "s/!ff->args\\b/!ff->release_args/");
  const Command edit = Shell(absl::StrCat(
      "cd ", tree, "/fs/fuse && sed -i 's/fuse_file_cached_io_open/fuse_file_cached_io_start/' ",
      "iomode.c file.c && sed -i 's/&ff->args->release_args/ff->release_args/; ",
      "/^static void fuse_dio_unlock/,/^}/ { s/struct kiocb \\*iocb/struct inode *inode/; ",
      "/file_inode/d }' file.c"));
  ASSERT_EQ(edit.exit_code, 0) << edit.errors;
  const Command diff = Iomode("diff v6.12 source --tree " + tree + " --quiet " + kFolders);
  EXPECT_EQ(diff.exit_code, 0) << diff.output << diff.errors;
  EXPECT_THAT(diff.output, HasSubstr(" fuse_file_cached_io_start "));
}

// What iomode.c does not define is then the model's, on objects that iomode.c has used.
TEST_F(LongSourceTest, TakesIomodeWithoutFileC) {
  const std::string tree = EditedTree("alone", "iomode.c", "");
  fs::remove(fs::path(tree) / "fs/fuse/file.c");
  const Command diff = Iomode("diff v6.12 source --tree " + tree + " --quiet " + kFolders);
  EXPECT_EQ(diff.exit_code, 0) << diff.output << diff.errors;
  EXPECT_THAT(diff.output, HasSubstr(" fuse_file_put "));
}

// 6.18 moved half of passthrough.c to backing.c and changed a signature.
TEST_F(LongSourceTest, TakesTheFilesOfLaterKernels) {
  const std::string tree = EditedTree("later", "iomode.c", "s/_open(file, inode,/_open(file,/");
  const std::string folder = tree + "/fs/fuse/";
  // The includes, and then what belongs to the one or the other.
  const std::string moved = "/^struct fuse_backing \\*fuse_backing_get/,/^ \\* Setup passthrough/";
  const Command split = Shell(absl::StrCat(
      "cd ", folder, " && sed '1,/splice.h/p;", moved, "!d' passthrough.c | sed '$d' | sed '$d'",
      " >backing.c && sed -i '", moved, "{ /Setup passthrough/!d; s/^/\\/*\\n/ };",
      "/fuse_passthrough_open/,/^{/ { /struct inode/d }' passthrough.c"));
  ASSERT_EQ(split.exit_code, 0) << split.errors;
  const Command diff =
      Iomode("diff v6.12 source --tree " + tree + " --quiet scenarios/backing scenarios/waits");
  EXPECT_EQ(diff.exit_code, 0) << diff.output << diff.errors;
}

TEST_F(LongSourceTest, TakesClang) {
  if (Shell("command -v clang").exit_code != 0) GTEST_SKIP() << "no clang here";
  const Command diff =
      Shell(absl::StrCat("CC=clang cli/iomode diff v6.12 source --quiet ", kFolders));
  EXPECT_EQ(diff.exit_code, 0) << diff.output << diff.errors;
}

TEST_F(LongSourceTest, TakesACommitOfARepository) {
  const std::string tree = EditedTree("repository", "iomode.c", "");
  const std::string git = "git -c user.name=a -c user.email=a@b -C " + tree + " ";
  ASSERT_EQ(Shell("rm -rf " + tree + "/.git").exit_code, 0);
  ASSERT_EQ(
      Shell(git + "init -q && " + git + "add fs Makefile && " + git + "commit -qm one").exit_code,
      0);
  const std::string check = "check --quiet scenarios/rules --world source --git " + tree;
  const Command at_head = Iomode(check + " --rev HEAD");
  EXPECT_EQ(at_head.exit_code, 0) << at_head.output << at_head.errors;
  EXPECT_EQ(Iomode(check + " --rev HEAD~7").exit_code, 4);
  EXPECT_EQ(Iomode(check).exit_code, 2);
}

TEST_F(SourceTest, SaysWhereThereIsNoKernel) {
  const Command check = Iomode("check scenarios/rules --world source:/nowhere");
  EXPECT_EQ(check.exit_code, 4);
  EXPECT_THAT(check.errors, HasSubstr("/nowhere: has no fs/fuse/iomode.c"));
  EXPECT_EQ(Iomode("check scenarios/rules --world source --tarball /nowhere.tar.xz").exit_code, 4);
}

TEST_F(SourceTest, SaysWhatIsAmbiguous) {
  EXPECT_EQ(Iomode("check scenarios/rules --world source --tree a --tarball b").exit_code, 2);
  EXPECT_EQ(Iomode("check scenarios/rules --world source:a --tree b").exit_code, 2);
  EXPECT_EQ(Iomode("check scenarios/rules --tree a").exit_code, 2);
  EXPECT_EQ(Iomode("check scenarios/rules --world other").exit_code, 2);
}

// Sources that do not say their version need --kernel.
TEST_F(LongSourceTest, SaysWhenTheVersionIsUnknown) {
  const std::string tree = EditedTree("unknown", "iomode.c", "");
  fs::remove(fs::path(tree) / "Makefile");
  const Command check = Iomode("check scenarios/rules --world source:" + tree);
  EXPECT_EQ(check.exit_code, 2);
  EXPECT_THAT(check.errors, HasSubstr("--kernel"));
  EXPECT_EQ(Iomode("check scenarios/rules --kernel v6.12 --world source:" + tree).exit_code, 0);
}

}  // namespace
}  // namespace iomode
