// SPDX-License-Identifier: GPL-2.0-only
//
// One thread through the kernel of the Native world.

#include "sim/native_kernel.h"

#include <gtest/gtest.h>

namespace iomode {
namespace {

using W = NativeWorld;

class NativeKernelTest : public ::testing::Test {
 protected:
  File<W>* Open(uint16_t reply, int backing = -1) {
    File<W>* file = nullptr;
    EXPECT_EQ(kernel_.Open(0, OPEN_READ | OPEN_WRITE, {reply, backing}, &file), 0);
    return file;
  }
  int FailedOpen(uint16_t reply, int backing = -1) {
    File<W>* file = nullptr;
    return kernel_.Open(0, OPEN_READ | OPEN_WRITE, {reply, backing}, &file);
  }
  int64_t Write(File<W>* file, int64_t pos, int64_t count) {
    Kiocb<W> iocb = {};
    iocb.file = file;
    iocb.pos = pos;
    iocb.count = count;
    return vfs_write(iocb);
  }
  int64_t Read(File<W>* file, int64_t pos, int64_t count) {
    Kiocb<W> iocb = {};
    iocb.file = file;
    iocb.pos = pos;
    iocb.count = count;
    return vfs_read(iocb);
  }
  int Counter() { return kernel_.inode(0).iocachectr.value; }
  void Close(File<W>* file) { EXPECT_EQ(vfs_close(kernel_.conn(), file), 0); }
  void TearDown() override {
    kernel_.Drain();
    EXPECT_EQ(kernel_.CheckClosed(), std::vector<std::string>());
    EXPECT_EQ(kernel_.TakeDown(), std::vector<std::string>());
  }

  NativeKernel<W> kernel_{NewestRevision().rules, NativeOptions()};
};

TEST_F(NativeKernelTest, ModesExcludeOneAnother) {
  ASSERT_EQ(kernel_.BackingOpen(0), 1);
  File<W>* cached = Open(FOPEN_KEEP_CACHE);
  EXPECT_EQ(Counter(), 1);
  EXPECT_EQ(FailedOpen(FOPEN_PASSTHROUGH, 0), -EIO);
  EXPECT_EQ(Read(cached, 0, 100), 100);
  Close(cached);
  kernel_.Drain();  // readahead holds the file
  EXPECT_EQ(Counter(), 0);
  File<W>* passthrough = Open(FOPEN_PASSTHROUGH, 0);
  EXPECT_EQ(Counter(), -1);
  EXPECT_EQ(FailedOpen(0), -EIO);
  EXPECT_EQ(Write(passthrough, kInitialFileSize, 10), 10);
  EXPECT_EQ(Read(passthrough, kInitialFileSize, 100), 10);
  Close(passthrough);
}

TEST_F(NativeKernelTest, DirectWritesAndMappings) {
  File<W>* direct = Open(FOPEN_DIRECT_IO | FOPEN_PARALLEL_DIRECT_WRITES);
  EXPECT_EQ(Write(direct, 0, 8192), 8192);
  EXPECT_EQ(Write(direct, kInitialFileSize, 8), 8);
  NativeProcess<W> process = {};
  EXPECT_EQ(kernel_.Mmap(process, 0, *direct, true, true), 0);
  EXPECT_EQ(Counter(), 1);
  EXPECT_EQ(kernel_.Access(process, 0, 4096, true), 0);
  EXPECT_EQ(kernel_.Access(process, 0, 1 << 20, false), -EFAULT);
  EXPECT_EQ(Write(direct, 4096, 1), 1);
  EXPECT_EQ(kernel_.Munmap(process, 0), 0);
  Close(direct);
}

TEST_F(NativeKernelTest, AsynchronousIo) {
  File<W>* direct = Open(FOPEN_DIRECT_IO | FOPEN_PARALLEL_DIRECT_WRITES);
  W::Completion done = {};
  int64_t result = 0;
  Kiocb<W> iocb = {};
  iocb.file = direct;
  iocb.count = 4096;
  iocb.aio_done = &done;
  iocb.aio_result = &result;
  EXPECT_EQ(vfs_write(iocb), -EIOCBQUEUED);
  W::wait_for_completion(done);
  EXPECT_EQ(result, 4096);
  Close(direct);
}

}  // namespace
}  // namespace iomode
