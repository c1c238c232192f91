// SPDX-License-Identifier: GPL-2.0-only
//
// The server against a socket that stands for the kernel.

#include "conformance/agent/fuse_server.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "sim/script_parser.h"

namespace iomode::agent {
namespace {

constexpr uint64_t kNode = FUSE_ROOT_ID + 1;  // of the script's first inode
constexpr uint32_t kTaskBase = 1000;          // the task of step N is kTaskBase + N

struct Reply {
  int error = 0;  // positive
  std::vector<uint8_t> data;

  template <typename T>
  T As() const {
    T value = {};
    EXPECT_GE(data.size(), sizeof value);
    memcpy(&value, data.data(), std::min(sizeof value, data.size()));
    return value;
  }
};

class FuseServerTest : public testing::Test {
 protected:
  // All steps of `text` are issued; the task of step N has the number kTaskBase + N.
  void Start(const std::string& text) {
    absl::StatusOr<Script> parsed = ParseScript("test", text);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    script_ = *parsed;
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends), 0);
    kernel_ = Descriptor(ends[0]);
    connection_ = FuseConnection::On(Descriptor(ends[1]));
    book_ = std::make_unique<StepBook>(script_);
    for (const Step& step : script_.steps) {
      StepRun& run = book_->at(step.number);
      run.issued = true;
      run.inode = 0;
      run.holding = step.hold != Hold::kNone;
      book_->set_current(step.number);
      book_->NoteTask(step.number, static_cast<pid_t>(kTaskBase) + step.number);
    }
    server_ = std::make_unique<FuseServer>(script_, *connection_, backings_, *book_);
  }

  // Sends a request of step `step`'s task (0: of nobody's) with the given parts behind the header,
  // and lets the server see it. Returns its number.
  template <typename... Parts>
  uint64_t Send(uint32_t opcode, int step, const Parts&... parts) {
    std::vector<uint8_t> request(sizeof(fuse_in_header));
    (Append(request, parts), ...);
    fuse_in_header header = {};
    header.len = static_cast<uint32_t>(request.size());
    header.opcode = opcode;
    header.unique = ++unique_;
    header.nodeid = kNode;
    header.pid = step > 0 ? kTaskBase + static_cast<uint32_t>(step) : 0;
    memcpy(request.data(), &header, sizeof header);
    EXPECT_EQ(send(kernel_.get(), request.data(), request.size(), 0), ssize_t(request.size()));
    if (opcode != FUSE_INIT) server_->Serve();
    return unique_;
  }

  // The answer to request `unique`, if it is the next.
  std::optional<Reply> Receive(uint64_t unique) {
    std::vector<uint8_t> answer(kMaxTransfer + 4096);
    const ssize_t size = recv(kernel_.get(), answer.data(), answer.size(), 0);
    if (size < ssize_t(sizeof(fuse_out_header))) return std::nullopt;
    fuse_out_header header;
    memcpy(&header, answer.data(), sizeof header);
    EXPECT_EQ(header.len, size);
    EXPECT_EQ(header.unique, unique);
    Reply reply;
    reply.error = -header.error;
    reply.data.assign(answer.begin() + sizeof header, answer.begin() + size);
    return reply;
  }

  uint64_t Open(int step, uint32_t flags = O_RDWR) {
    fuse_open_in in = {};
    in.flags = flags;
    return Send(FUSE_OPEN, step, in);
  }
  uint64_t Write(int step, uint64_t offset, const std::vector<uint8_t>& bytes) {
    fuse_write_in in = {};
    in.offset = offset;
    in.size = static_cast<uint32_t>(bytes.size());
    return Send(FUSE_WRITE, step, in, bytes);
  }
  uint64_t Read(int step, uint64_t offset, uint32_t size) {
    fuse_read_in in = {};
    in.offset = offset;
    in.size = size;
    return Send(FUSE_READ, step, in);
  }
  uint64_t SizeNow() {
    const auto reply = Receive(Send(FUSE_GETATTR, 0, fuse_getattr_in{}));
    return reply.has_value() ? reply->As<fuse_attr_out>().attr.size : 0;
  }

  Script script_;
  Descriptor kernel_;
  BackingFiles backings_;
  std::unique_ptr<FuseConnection> connection_;
  std::unique_ptr<StepBook> book_;
  std::unique_ptr<FuseServer> server_;

 private:
  template <typename T>
  static void Append(std::vector<uint8_t>& request, const T& part) {
    const uint8_t* bytes = reinterpret_cast<const uint8_t*>(&part);
    request.insert(request.end(), bytes, bytes + sizeof part);
  }
  static void Append(std::vector<uint8_t>& request, const std::vector<uint8_t>& bytes) {
    request.insert(request.end(), bytes.begin(), bytes.end());
  }

  uint64_t unique_ = 0;
};

fuse_init_in Offer(uint64_t flags) {
  fuse_init_in in = {};
  in.major = FUSE_KERNEL_VERSION;
  in.minor = 41;
  in.flags = static_cast<uint32_t>(flags);
  in.flags2 = static_cast<uint32_t>(flags >> 32);
  return in;
}

TEST_F(FuseServerTest, NegotiatesWhatTheScriptNames) {
  Start("conn passthrough writeback_cache\ninode A\n1: open f A\n");
  const uint64_t init = Send(FUSE_INIT, 0, Offer(~uint64_t{0}));
  ASSERT_TRUE(server_->Negotiate().ok());
  const InitOut out = Receive(init)->As<InitOut>();
  const uint64_t flags = out.flags | uint64_t{out.flags2} << 32;
  EXPECT_TRUE(flags & kInitPassthrough);
  EXPECT_TRUE(flags & kInitWritebackCache);
  EXPECT_TRUE(flags & kInitAsyncRead);
  EXPECT_FALSE(flags & kInitDirectIoAllowMmap);
  EXPECT_FALSE(flags & kInitAutoInvalData);
  EXPECT_EQ(out.max_stack_depth, 1u);
}

TEST_F(FuseServerTest, RefusesAKernelWithoutPassthrough) {
  Start("conn passthrough\ninode A\n1: open f A\n");
  Send(FUSE_INIT, 0, Offer(kInitExt | kInitDirectIoAllowMmap));
  const absl::Status status = server_->Negotiate();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(status.message().find("7.41"), absl::string_view::npos) << status;
}

TEST_F(FuseServerTest, RefusesWhatIsNotInit) {
  Start("inode A\n1: open f A\n");
  fuse_in_header header = {};
  header.len = sizeof header;
  header.opcode = FUSE_GETATTR;
  ASSERT_EQ(send(kernel_.get(), &header, sizeof header, 0), ssize_t(sizeof header));
  EXPECT_EQ(server_->Negotiate().code(), absl::StatusCode::kUnavailable);
}

TEST_F(FuseServerTest, LooksUpInodesByTheirNumber) {
  Start("inode A\ninode B\n1: open f A\n");
  const std::vector<uint8_t> one = {'1', 0}, two = {'2', 0};
  // The name is looked for in the root only.
  EXPECT_EQ(Receive(Send(FUSE_LOOKUP, 0, one))->error, ENOENT);
  fuse_in_header header = {};
  header.len = sizeof header + 2;
  header.opcode = FUSE_LOOKUP;
  header.unique = 900;
  header.nodeid = FUSE_ROOT_ID;
  std::vector<uint8_t> request(sizeof header);
  memcpy(request.data(), &header, sizeof header);
  for (const auto& name : {one, two}) {
    std::vector<uint8_t> named = request;
    named.insert(named.end(), name.begin(), name.end());
    ASSERT_EQ(send(kernel_.get(), named.data(), named.size(), 0), ssize_t(named.size()));
    server_->Serve();
    const auto reply = Receive(900);
    if (name == two) {
      EXPECT_EQ(reply->error, ENOENT);
      continue;
    }
    EXPECT_EQ(reply->As<fuse_entry_out>().nodeid, kNode + 1);
    EXPECT_EQ(reply->As<fuse_entry_out>().attr.size, 65536u);
  }
}

TEST_F(FuseServerTest, OpensAsTheScriptSays) {
  Start(
      "inode A\n1: open f A DIRECT_IO|KEEP_CACHE\n2: open g A err=EACCES\n3: open h A hold\n"
      "4: reply 3 ENFILE\n");
  EXPECT_EQ(Receive(Open(1))->As<OpenOut>().open_flags, FOPEN_DIRECT_IO | FOPEN_KEEP_CACHE);
  EXPECT_EQ(Receive(Open(2))->error, EACCES);
  const uint64_t held = Open(3);
  EXPECT_FALSE(Receive(held).has_value());
  EXPECT_EQ(server_->HeldFor(3), uint32_t{FUSE_OPEN});
  EXPECT_TRUE(server_->Reply({3}, ENFILE));
  EXPECT_EQ(Receive(held)->error, ENFILE);
  EXPECT_FALSE(server_->Reply({3}, 0)) << "there is nothing left";
}

TEST_F(FuseServerTest, KeepsWhatIsWritten) {
  Start("inode A\n1: open f A\n2: write f\n");
  EXPECT_EQ(Receive(Write(2, 65530, std::vector<uint8_t>(10, 7)))->As<fuse_write_out>().size, 10u);
  EXPECT_TRUE(book_->at(2).reached_server);
  EXPECT_EQ(SizeNow(), 65540u);
  const std::vector<uint8_t> read = Receive(Read(2, 65529, 100))->data;
  ASSERT_EQ(read.size(), 11u);
  EXPECT_NE(read[0], 7);
  EXPECT_EQ(std::vector<uint8_t>(read.begin() + 1, read.end()), std::vector<uint8_t>(10, 7));
  EXPECT_TRUE(Receive(Read(2, 65540, 100))->data.empty());
  EXPECT_TRUE(Receive(Read(2, uint64_t{1} << 40, 100))->data.empty());
}

TEST_F(FuseServerTest, AFarWriteCostsNoMemory) {
  Start("inode A\n1: open f A\n2: write f\n");
  const uint64_t far = uint64_t{1} << 42;
  EXPECT_EQ(Receive(Write(2, far, {1, 2}))->As<fuse_write_out>().size, 2u);
  EXPECT_EQ(SizeNow(), far + 2);
  EXPECT_EQ(Receive(Read(2, far - 1, 10))->data, (std::vector<uint8_t>{0, 1, 2}));
}

TEST_F(FuseServerTest, CutsAndGrows) {
  Start("inode A\n1: open f A\n2: truncate f 100\n3: fallocate f len=5000\n");
  fuse_setattr_in cut = {};
  cut.valid = kAttrSize;
  cut.size = 100;
  EXPECT_EQ(Receive(Send(FUSE_SETATTR, 2, cut))->As<fuse_attr_out>().attr.size, 100u);
  EXPECT_EQ(Receive(Read(1, 0, 4096))->data.size(), 100u);
  fuse_fallocate_in grow = {};
  grow.offset = 4000;
  grow.length = 1000;
  EXPECT_EQ(Receive(Send(FUSE_FALLOCATE, 3, grow))->error, 0);
  EXPECT_EQ(SizeNow(), 5000u);
  EXPECT_EQ(Receive(Read(1, 100, 1))->data, std::vector<uint8_t>{0});
  EXPECT_EQ(Receive(Open(1, O_RDWR | O_TRUNC))->error, 0);
  EXPECT_EQ(SizeNow(), 0u);
}

TEST_F(FuseServerTest, AnswersHeldRequestsInTheOrderOfTheReply) {
  Start("inode A\n1: open f A\n2: write f hold\n3: read f hold\n4: reply 3,2\n");
  const uint64_t write = Write(2, 0, {1});
  const uint64_t read = Read(3, 0, 1);
  const uint64_t other = Read(1, 0, 1);
  EXPECT_TRUE(Receive(other).has_value()) << "step 1 is not held";
  EXPECT_TRUE(server_->Reply({3, 2}, 0));
  EXPECT_NE(Receive(read)->data, std::vector<uint8_t>{1}) << "it was answered before the write";
  EXPECT_EQ(Receive(write)->error, 0);
  EXPECT_TRUE(Receive(Write(2, 0, {1})).has_value()) << "nothing more is held for step 2";
}

TEST_F(FuseServerTest, HoldsWritebackForTheStepThatCausesIt) {
  Start("inode A\n1: open f A\n2: fsync f hold\n3: reply 2\n");
  const uint64_t writeback = Write(0, 0, {1});
  EXPECT_FALSE(Receive(writeback).has_value());
  EXPECT_FALSE(book_->at(2).reached_server);
  EXPECT_TRUE(server_->Reply({2}, 0));
  EXPECT_TRUE(Receive(writeback).has_value());
}

TEST_F(FuseServerTest, HoldsTheReleaseOfTheFileWhoeverSendsIt) {
  Start("inode A\n1: open f A\n2: close f hold=RELEASE\n3: reply 2\n");
  const uint64_t handle = Receive(Open(1))->As<OpenOut>().fh;
  book_->HoldRelease(1, 2);
  fuse_release_in in = {};
  in.fh = handle;
  const uint64_t release = Send(FUSE_RELEASE, 0, in);
  EXPECT_FALSE(Receive(release).has_value());
  EXPECT_TRUE(server_->Reply({2}, 0));
  EXPECT_EQ(Receive(release)->error, 0);
}

TEST_F(FuseServerTest, TellsWhatItSaw) {
  Start("inode A\n1: open f A\n2: write f hold\n");
  server_->TakeLog();
  Write(2, 8192, std::vector<uint8_t>(100));
  Send(FUSE_INTERRUPT, 0, fuse_interrupt_in{});
  const std::vector<RequestRecord> log = server_->TakeLog();
  ASSERT_EQ(log.size(), 2u);
  EXPECT_EQ(log[0].opcode, uint32_t{FUSE_WRITE});
  EXPECT_EQ(log[0].inode, 0);
  EXPECT_EQ(log[0].off, 8192);
  EXPECT_EQ(log[0].len, 100);
  EXPECT_EQ(log[0].step, 2);
  EXPECT_TRUE(log[0].held);
  EXPECT_FALSE(Receive(0).has_value()) << "INTERRUPT gets no answer";
  EXPECT_TRUE(server_->TakeLog().empty());
}

}  // namespace
}  // namespace iomode::agent
