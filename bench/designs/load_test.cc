// SPDX-License-Identifier: GPL-2.0-only
//
// The designs, and the kernel's own C code, on real threads: one call after the other, and under
// every load for a moment. A load aborts when its kernel does not add up afterwards, and does not
// end when a wakeup is lost.

#include "bench/designs/load.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "bench/designs/atomic_word.h"
#include "bench/designs/kernel_source.h"
#include "bench/designs/sharded.h"

namespace iomode {
namespace {

using W = DesignWorld;

// Without the kernel's sources there is nothing to test of its code, and the test says so.
template <class D>
std::string WhyNot() {
  return "";
}
template <>
std::string WhyNot<KernelSource>() {
  if (const char* folder = std::getenv("TEST_TMPDIR")) setenv("IOMODE_SOURCE_CACHE", folder, 1);
  static std::string what;
  static const bool loaded = KernelSource::Load(&what);
  return loaded ? "" : what;
}

template <class D>
class LoadTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string why_not = WhyNot<D>();
    if (!why_not.empty()) GTEST_SKIP() << why_not;
  }
};
using Designs = testing::Types<Lock<W>, AtomicWord<W>, Sharded<W>, KernelSource>;
TYPED_TEST_SUITE(LoadTest, Designs);

TYPED_TEST(LoadTest, ExcludesWhatTheKernelExcludes) {
  NativeShards shards;
  W::shards_of_inode[0] = &shards;
  NativeKernel<W> kernel(FindRevision(TypeParam::kRevision)->rules,
                         {.caps = CONN_PASSTHROUGH, .backings = 2, .server = {}});
  kernel.conn().ops = TypeParam::Ops();
  const IomodeOps<W> calls = CallsOf<TypeParam>();
  FuseInode<W>& fi = kernel.inode(0);
  FuseFileArgs args = {};
  FuseFile<W> file = {};
  file.has_args = true;
  file.args = &args;

  // Two writes, then a cached open, which keeps writes and passthrough opens out.
  EXPECT_EQ(calls.fuse_inode_uncached_io_start(fi, nullptr), 0);
  EXPECT_EQ(calls.fuse_inode_uncached_io_start(fi, nullptr), 0);
  calls.fuse_inode_uncached_io_end(fi);
  calls.fuse_inode_uncached_io_end(fi);
  EXPECT_EQ(calls.fuse_file_cached_io_open(fi, file), 0);
  EXPECT_EQ(file.iomode, IOM_CACHED);
  EXPECT_TRUE(W::test_bit(FUSE_I_CACHE_IO_MODE, fi.state));
  EXPECT_EQ(calls.fuse_inode_uncached_io_start(fi, nullptr), -ETXTBSY);
  calls.fuse_file_io_release(file, fi);
  EXPECT_FALSE(W::test_bit(FUSE_I_CACHE_IO_MODE, fi.state));

  // A backing, which keeps another one and cached opens out until the last write has ended.
  FuseBacking<W>* fb[2] = {};
  FuseFile<W> uncached = {};
  for (int i = 0; i < 2; i++) {
    const int id = kernel.BackingOpen(i);
    ASSERT_EQ(fuse_passthrough_open(kernel.conn(), uncached, id, &fb[i]), 0);
  }
  EXPECT_EQ(calls.fuse_inode_uncached_io_start(fi, fb[0]), 0);
  uncached.iomode = IOM_UNCACHED;
  EXPECT_EQ(calls.fuse_inode_uncached_io_start(fi, fb[1]), -EBUSY);
  fuse_backing_put(kernel.conn(), fb[1]);
  EXPECT_EQ(calls.fuse_inode_uncached_io_start(fi, nullptr), 0);
  calls.fuse_file_io_release(uncached, fi);
  EXPECT_EQ(fi.fb.value.load(), fb[0]);
  EXPECT_EQ(calls.fuse_file_cached_io_open(fi, file), -ETXTBSY);
  calls.fuse_inode_uncached_io_end(fi);
  EXPECT_EQ(fi.fb.value.load(), nullptr);
  EXPECT_EQ(calls.fuse_file_cached_io_open(fi, file), 0);
  calls.fuse_file_io_release(file, fi);
  for (const std::string& wrong : kernel.CheckClosed()) ADD_FAILURE() << wrong;
}

TYPED_TEST(LoadTest, RunsEveryLoad) {
  for (const auto kind : {Load::kStartEnd, Load::kWrites, Load::kExclusiveWrites,
                          Load::kCachedOpens, Load::kPassthroughOpens}) {
    for (const int openers : {0, 4}) {
      if (openers != 0 && kind != Load::kWrites) continue;
      const LoadResult result = LoadRun<TypeParam>({.kind = kind,
                                                    .threads = 4,
                                                    .openers_in_16 = openers,
                                                    .window = std::chrono::milliseconds(20)})
                                    .Run();
      EXPECT_GT(result.operations, 0) << kind;
      EXPECT_EQ(result.refused, 0) << kind;
      EXPECT_EQ(result.opens.Percentile(0.5) > 0, openers != 0) << kind;
    }
  }
}

// Cached opens wait for the writes that the server keeps, and say how long.
TYPED_TEST(LoadTest, OpenersWaitForTheServer) {
  const LoadResult result = LoadRun<TypeParam>({.kind = Load::kWrites,
                                                .threads = 4,
                                                .openers_in_16 = 4,
                                                .server = std::chrono::milliseconds(2),
                                                .window = std::chrono::milliseconds(100)})
                                .Run();
  EXPECT_GT(result.opens.Percentile(0.99), 1e6);
}

}  // namespace
}  // namespace iomode
