// SPDX-License-Identifier: GPL-2.0-only
//
// The FUSE server of a script: a directory with the script's inodes (named by their index), each
// backed by bytes in memory. It answers at once, but keeps the request that a `hold` step is about
// until told to reply.
//
// What it keeps of an inode starts at 65,536 bytes, grows by writes and fallocate, and is cut by
// SETATTR and, with atomic_o_trunc, OPEN. While a passthrough file of the inode is open, SETATTR
// sets the size of the backing file too and GETATTR tells that one's. Attributes live for an hour
// and times never change. INTERRUPT is ignored.
//
// Single-threaded; nothing here waits for a task of the script.

#ifndef CONFORMANCE_AGENT_FUSE_SERVER_H_
#define CONFORMANCE_AGENT_FUSE_SERVER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "conformance/agent/backing_files.h"
#include "conformance/agent/fuse_connection.h"
#include "conformance/agent/inode_content.h"
#include "conformance/agent/step_book.h"
#include "sim/script.h"

namespace iomode::agent {

// "WRITE" for FUSE_WRITE; "opcode 99" for an unknown one.
std::string OpcodeName(uint32_t opcode);

// One request as the server received it.
struct RequestRecord {
  uint32_t opcode = 0;
  int inode = -1;   // index into the script's; -1: the root or none
  int64_t off = 0;  // READ, WRITE; bytes
  int64_t len = 0;
  int step = 0;  // whose task sent it; 0: the kernel on nobody's behalf
  bool held = false;
};

class FuseServer {
 public:
  // All outlive the server. The connection is fresh: nothing was read from it.
  FuseServer(const Script& script, FuseConnection& connection, BackingFiles& backings,
             StepBook& book);

  // Answers INIT. FailedPrecondition if the kernel has no passthrough.
  absl::Status Negotiate();

  // Takes in every request that waits, answers all but the held ones. True if there were any.
  bool Serve();

  // Answers what is held for the steps, in this order; from now on nothing more is held for them.
  // `error`: an errno, or 0 for the answer that the script gives. False when nothing was held.
  bool Reply(const std::vector<int>& steps, int error);

  int64_t OpenBacking(int index, uint32_t flags);  // 0 or -errno
  int64_t CloseBacking(const Step& step);
  int64_t Abort();

  // The opcode of the first request held for a step; 0: none.
  uint32_t HeldFor(int step) const;
  // The requests since the last call, in order. LOOKUP of the set-up and FORGET are left out.
  std::vector<RequestRecord> TakeLog();

 private:
  struct Held {
    int step;
    std::vector<uint8_t> request;
  };
  struct OpenFile {
    int inode;
    int opened_by;     // step
    int backing = -1;  // passthrough: the file behind it
  };

  int InodeOf(const fuse_in_header& header) const;
  int SenderOf(const fuse_in_header& header);
  int HolderOf(const fuse_in_header& header, std::span<const uint8_t> body, int sender) const;
  void Receive(std::span<const uint8_t> request);
  RequestRecord RecordOf(const fuse_in_header& header, std::span<const uint8_t> body) const;

  // Each answers one request; `body` is what follows the header.
  void Answer(std::span<const uint8_t> request, int step, int error);
  void AnswerLookup(const fuse_in_header& header, std::span<const uint8_t> body);
  void AnswerAttributes(const fuse_in_header& header);
  void AnswerSetattr(const fuse_in_header& header, std::span<const uint8_t> body);
  void AnswerOpen(const fuse_in_header& header, std::span<const uint8_t> body, int step);
  void AnswerRead(const fuse_in_header& header, std::span<const uint8_t> body);
  void AnswerWrite(const fuse_in_header& header, std::span<const uint8_t> body);
  void AnswerFallocate(const fuse_in_header& header, std::span<const uint8_t> body);

  fuse_attr AttributesOf(uint64_t node) const;
  // The backing file of the passthrough file of `inode` that was opened last; -1: none is open.
  int BackingOfPassthrough(int inode) const;

  const Script& script_;
  FuseConnection& connection_;
  BackingFiles& backings_;
  StepBook& book_;
  std::vector<InodeContent> contents_;       // by inode
  std::map<uint64_t, OpenFile> open_files_;  // by file handle
  uint64_t next_handle_ = 1;
  std::vector<Held> held_;
  std::vector<RequestRecord> log_;
};

}  // namespace iomode::agent

#endif  // CONFORMANCE_AGENT_FUSE_SERVER_H_
