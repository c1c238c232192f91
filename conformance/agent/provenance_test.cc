// SPDX-License-Identifier: GPL-2.0-only
//
// What is told about finished steps: where their bytes came from, and the lines of `--state`.

#include "conformance/agent/provenance.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "conformance/agent/state_lines.h"
#include "sim/script_parser.h"

namespace iomode::agent {
namespace {

constexpr char kScript[] =
    "conn passthrough\n"
    "inode A\n"
    "backing B1\n"
    "1: backing_open B1\n"
    "2: open p A PASSTHROUGH backing=B1\n"
    "3: open c A\n"
    "4: read p\n"
    "5: write p\n"
    "6: read c\n"
    "7: write c\n"
    "8: stat c\n"
    "9: mmap m p shared\n"
    "10: store m\n";

class ProvenanceTest : public testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<Script> parsed = ParseScript("test", kScript);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    script_ = *parsed;
    book_ = std::make_unique<StepBook>(script_);
    book_->set_current(book_->size());
    for (int number : {4, 5, 9, 10}) book_->at(number).opened_by = 2;
    for (int number : {6, 7, 8}) book_->at(number).opened_by = 3;
    const Descriptor directory(open(testing::TempDir().c_str(), O_PATH | O_DIRECTORY));
    auto backings = BackingFiles::Create(directory.get(), 1);
    ASSERT_TRUE(backings.ok()) << backings.status();
    backings_ = *std::move(backings);
  }

  Via ViaOf(int number, int64_t value, std::vector<Source> sources, bool reached_server = false) {
    StepRun& run = book_->at(number);
    run.done = true;
    run.reached_server = reached_server;
    run.sources = std::move(sources);
    run.result = {Result::Kind::kValue, value, Via::kNone};
    run.result.via = DecideVia(script_, *book_, run, *backings_);
    return run.result.via;
  }

  Script script_;
  std::unique_ptr<StepBook> book_;
  std::unique_ptr<BackingFiles> backings_;
};

TEST_F(ProvenanceTest, ARequestOfTheStepsTaskMeansServer) {
  EXPECT_EQ(ViaOf(6, 4096, {SourceOfInode(0)}, true), Via::kServer);
  EXPECT_EQ(ViaOf(6, 0, {}, true), Via::kServer);
}

TEST_F(ProvenanceTest, BytesTellWhoseTheyAre) {
  EXPECT_EQ(ViaOf(6, 4096, {SourceOfInode(0)}), Via::kCache);
  EXPECT_EQ(ViaOf(6, 4096, {SourceOfBacking(0)}), Via::kBacking);
  EXPECT_EQ(ViaOf(4, 4096, {SourceOfBacking(0)}), Via::kBacking);
  EXPECT_EQ(ViaOf(4, 4096, {SourceOfInode(0)}), Via::kCache);
}

TEST_F(ProvenanceTest, WrittenBytesAreTheFilesTheyWentTo) {
  EXPECT_EQ(ViaOf(7, 4096, {}, true), Via::kServer);
  EXPECT_EQ(ViaOf(6, 4096, {SourceOfStep(7)}), Via::kCache);
  EXPECT_EQ(ViaOf(5, 4096, {}), Via::kBacking);
  EXPECT_EQ(ViaOf(6, 4096, {SourceOfStep(5)}), Via::kBacking);
}

TEST_F(ProvenanceTest, AWriteIsLookedForInTheBackingFiles) {
  EXPECT_EQ(ViaOf(7, 4096, {}), Via::kCache);
  std::vector<uint8_t> bytes(4096);
  Fill(bytes, SourceOfStep(7));
  // Far behind a hole.
  ASSERT_EQ(pwrite(backings_->fd(0), bytes.data(), bytes.size(), off_t{1} << 36), 4096);
  EXPECT_TRUE(backings_->Hold(SourceOfStep(7)));
  EXPECT_FALSE(backings_->Hold(SourceOfStep(6)));
  EXPECT_EQ(ViaOf(7, 4096, {}), Via::kBacking);
}

TEST_F(ProvenanceTest, HolesAndOwnBytesAreTheFiles) {
  EXPECT_EQ(ViaOf(4, 4096, {}), Via::kBacking);
  EXPECT_EQ(ViaOf(6, 4096, {}), Via::kCache);
  EXPECT_EQ(ViaOf(10, 0, {SourceOfStep(10)}), Via::kBacking);
}

TEST_F(ProvenanceTest, WithNoOpenNoFileIsPassthrough) {
  script_.conn |= CONN_NO_OPEN;
  EXPECT_EQ(ViaOf(4, 4096, {}), Via::kCache);
  EXPECT_EQ(ViaOf(5, 4096, {}), Via::kCache);
  EXPECT_EQ(ViaOf(4, 4096, {SourceOfStep(5)}), Via::kCache);
}

TEST_F(ProvenanceTest, NothingMovedHasNoSource) {
  EXPECT_EQ(ViaOf(6, 0, {}), Via::kNone);
  EXPECT_EQ(ViaOf(8, 65536, {}), Via::kNone);
  EXPECT_EQ(ViaOf(9, 0, {}), Via::kNone);
}

TEST_F(ProvenanceTest, StateLinesOfRequestsAndData) {
  RequestRecord request;
  request.opcode = FUSE_WRITE;
  request.inode = 0;
  request.len = 4096;
  request.step = 7;
  request.held = true;
  EXPECT_EQ(RequestLine(script_, request), "#     req WRITE(A) off=0 len=4096 step=7 held");
  EXPECT_EQ(RequestLine(script_, {.opcode = FUSE_RELEASE, .inode = 0}),
            "#     req RELEASE(A) pid=0");
  EXPECT_EQ(RequestLine(script_, {.opcode = 999}), "#     req opcode 999(0) pid=0");
  ViaOf(10, 0, {SourceOfStep(10), SourceOfStep(5), SourceOfBacking(0), SourceOfInode(0)});
  EXPECT_EQ(DataLine(script_, book_->at(10)), "#     data 10: W5+B1+A");
  EXPECT_EQ(DataLine(script_, book_->at(8)), "");
  EXPECT_TRUE(IsStateLine(DataLine(script_, book_->at(10))));
  EXPECT_FALSE(IsStateLine("# a comment of the author's"));
}

TEST_F(ProvenanceTest, StateLinesOfInodes) {
  InodeState state;
  state.size = 65536;
  EXPECT_EQ(InodeLine(script_, 0, state, *backings_),
            "#     A: iocachectr=0 CACHE_IO_MODE=0 fb=- waiters=0 i_rwsem=- pages=0 size=65536");
  struct stat attributes;
  ASSERT_EQ(fstat(backings_->fd(0), &attributes), 0);
  state = {.iocachectr = -2,
           .cache_io_mode = true,
           .backing = attributes.st_ino,
           .backing_refs = 3,
           .waiters = 1,
           .lock_readers = 2,
           .lock_waiters = true,
           .pages = 4,
           .size = 1};
  EXPECT_EQ(InodeLine(script_, 0, state, *backings_),
            "#     A: iocachectr=-2 CACHE_IO_MODE=1 fb=B1(refs=3) waiters=1 i_rwsem=S2+waiters "
            "pages=4 size=1");
  state.locked_exclusive = true;
  state.backing = ~uint64_t{0};
  EXPECT_EQ(InodeLine(script_, 0, state, *backings_),
            "#     A: iocachectr=-2 CACHE_IO_MODE=1 fb=?(refs=3) waiters=1 i_rwsem=X+waiters "
            "pages=4 size=1");
}

}  // namespace
}  // namespace iomode::agent
