// SPDX-License-Identifier: GPL-2.0-only
//
// The simulated FUSE server of a Machine.

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "model/request_end.h"
#include "sim/hold.h"
#include "sim/machine.h"

namespace iomode {

bool Machine::HoldsWriteback(const Step& step) { return HoldKeeps(step, FUSE_WRITE, true); }

bool Machine::Holds(const FuseReq<W>& req) const {
  if (req.task >= programs_.size() || steps_[req.task].released) return false;
  // Pages that were held up (FUSE_NOWRITE) until after the step are nobody's business any more.
  if (req.writeback && steps_[req.task].kind == StepState::kReported) return false;
  return HoldKeeps(*programs_[req.task].step, req.args.opcode, req.writeback);
}

void Machine::Receive(FuseConn<W>&, FuseReq<W>& req) {
  const bool data = req.args.opcode == FUSE_READ || req.args.opcode == FUSE_WRITE;
  if (data && !req.writeback && req.task < programs_.size()) steps_[req.task].reached_server = true;
  if (req.background ||
      (req.task < programs_.size() && programs_[req.task].step->hold != Hold::kNone))
    W::scheduler().Touch(server_);
  if (req.args.opcode == FUSE_RELEASE) {
    // A RELEASE belongs to the close that asked for it to be held, whoever drops the last count.
    // The file is one that nobody holds any more.
    for (int i = 0; i < fc_->fuse_files.capacity; i++) {
      const FuseFile<W>& ff = fc_->fuse_files.items[i];
      if (release_holders_[i] == 0 || ff.inode != req.args.inode || ff.count.value != 0) continue;
      req.task = static_cast<uint32_t>(release_holders_[i] - 1);
      release_holders_[i] = 0;
      break;
    }
  }
  req.held = Holds(req);
  if (KeepsBytes(req)) KeepBytes(req);
  if (req.held) {
    FuseReq<W>** tail = &server_->held;
    while (*tail != nullptr) tail = &(*tail)->next;
    *tail = &req;
  } else if (req.background) {
    FuseReq<W>** tail = &server_->queue;
    while (*tail != nullptr) tail = &(*tail)->next;
    *tail = &req;
    W::Wake(server_->task - 1);
  } else {
    Answer(req, 0);
    W::complete_quietly(req.done);
  }
}

// What happens later to the dirty pages of a WRITE is not in it when the server keeps it, as it has
// read it then, or when they were copied.
bool Machine::KeepsBytes(const FuseReq<W>& req) const {
  return req.writeback && (req.held || fc_->rules->writeback_copies_pages);
}

void Machine::KeepBytes(const FuseReq<W>& req) {
  const AddressSpace<W>& mapping = req.args.inode->i_data;
  W::scheduler().Touch(&mapping.i_pages, false);
  std::copy_n(mapping.bytes, mapping.npages, HeldBytes(req));
}

uint16_t* Machine::HeldBytes(const FuseReq<W>& req) {
  return held_bytes_ + (&req - fc_->reqs.items) * req.args.inode->i_data.npages;
}

void Machine::QueueDioDone(FuseConn<W>&, FuseIoPriv<W>& io) {
  W::scheduler().Touch(&server_->dio_done);
  FuseIoPriv<W>** tail = &server_->dio_done;
  while (*tail != nullptr) tail = &(*tail)->next;
  *tail = &io;
  W::Wake(server_->worker - 1);
}

void Machine::WorkerMain() {
  while (true) {
    W::scheduler().Touch(&server_->dio_done);
    while (server_->dio_done == nullptr) W::Sleep(&server_->dio_done);
    W::scheduler().Touch(&server_->dio_done);
    FuseIoPriv<W>* io = server_->dio_done;
    server_->dio_done = io->next;
    io->next = nullptr;
    fuse_dio_done_work(*fc_, io);
  }
}

void Machine::ServerMain() {
  while (true) {
    W::scheduler().Touch(server_);
    while (server_->queue == nullptr) W::Sleep(server_);
    W::scheduler().Touch(server_);
    W::operation("answers", server_->queue, server_->queue->args.opcode);
    W::scheduler().Touch(server_);
    FuseReq<W>* req = server_->queue;
    if (req == nullptr) continue;
    server_->queue = req->next;
    req->next = nullptr;
    Answer(*req, 0);
    fuse_request_end(*fc_, req);
  }
}

void Machine::Answer(FuseReq<W>& req, int error) {
  if (!error && req.args.opcode != FUSE_RELEASE && faults_->request > 0 && --faults_->request == 0)
    error = -faults_->error;
  req.error = static_cast<int16_t>(error);
  if (error) return;
  ServerInode& file = server_inodes_[req.args.inode->index];
  TouchAnswered(req);
  switch (req.args.opcode) {
    case FUSE_OPEN:
      AnswerOpen(req);
      break;
    case FUSE_READ:
      AnswerRead(req);
      break;
    case FUSE_WRITE:
      AnswerWrite(req);
      break;
    case FUSE_SETATTR: {
      if (req.args.times) break;
      for (int64_t i = pages_up_to(req.args.size); i < req.args.inode->i_data.npages; i++)
        file.bytes[i] = 0;
      file.size = req.args.size;
      BackingInode* backing = BackingOfPassthrough(req.args.inode->index);
      if (backing != nullptr) backing->size = req.args.size;
      req.args.out_size = file.size;
      break;
    }
    case FUSE_GETATTR:
      req.args.out_size = SizeForServer(req.args.inode->index);
      break;
    case FUSE_FALLOCATE:
      file.size = std::max(file.size, req.args.offset + req.args.size);
      break;
    default:
      break;
  }
}

// What answering reads and writes besides the request.
void Machine::TouchAnswered(const FuseReq<W>& req) {
  Scheduler& s = *scheduler_;
  const FuseArgs<W>& args = req.args;
  const Step* step = req.task < programs_.size() ? programs_[req.task].step : nullptr;
  switch (args.opcode) {
    case FUSE_OPEN:
      if (step->backing >= 0) s.Touch(&backings_[step->backing], false);
      if (args.truncate) s.Touch(&server_inodes_[args.inode->index]);
      break;
    case FUSE_READ:
      s.Touch(&server_inodes_[args.inode->index], false);
      if (args.page_cache) s.Touch(&args.inode->i_data.i_pages);
      break;
    case FUSE_WRITE:
      s.Touch(&server_inodes_[args.inode->index]);
      if (req.writeback) s.Touch(&args.inode->i_data.i_pages, false);
      break;
    case FUSE_FALLOCATE:
      s.Touch(&server_inodes_[args.inode->index]);
      break;
    case FUSE_SETATTR:
    case FUSE_GETATTR:
      s.Touch(&server_inodes_[args.inode->index], args.opcode == FUSE_SETATTR);
      s.Touch(&fc_->rcu, false);  // where a file's `passthrough` is set
      break;
    default:
      break;
  }
}

void Machine::AnswerOpen(FuseReq<W>& req) {
  const Step& step = *programs_[req.task].step;
  if (fc_->cap(CONN_NO_OPEN)) {
    req.error = -ENOSYS;
    return;
  }
  if (step.error) {
    req.error = static_cast<int16_t>(-step.error);
    return;
  }
  if (req.args.truncate) {
    ServerInode& file = server_inodes_[req.args.inode->index];
    std::fill_n(file.bytes, req.args.inode->i_data.npages, uint16_t{0});
    file.size = 0;
  }
  req.args.open_flags = static_cast<uint16_t>(step.fopen_flags);
  if (step.backing_id.has_value()) {
    req.args.backing_id = static_cast<int32_t>(*step.backing_id);
  } else if (step.backing >= 0) {
    req.args.backing_id = backings_[step.backing].id;
  }
}

void Machine::AddPageFinding(const char* rule, const FuseInode<W>& fi, int64_t page) {
  AddFinding(FindingKind::kAccounting, rule,
             absl::StrCat("inode ", script_.inodes[fi.index], " page ", page));
}

void Machine::AnswerRead(FuseReq<W>& req) {
  const ServerInode& file = server_inodes_[req.args.inode->index];
  req.args.out_size = std::clamp<int64_t>(file.size - req.args.offset, 0, req.args.size);
  if (!req.args.page_cache) return;
  AddressSpace<W>& mapping = req.args.inode->i_data;
  for (int64_t i = page_of(req.args.offset); i < page_of(req.args.offset + req.args.size); i++) {
    if (i >= mapping.npages) break;
    if (!__page_is(mapping, i, PG_present | PG_locked))
      AddPageFinding("a READ fills a page that is not there and locked", *req.args.inode, i);
    mapping.bytes[i] = file.bytes[i];
  }
}

void Machine::AnswerWrite(FuseReq<W>& req) {
  ServerInode& file = server_inodes_[req.args.inode->index];
  const AddressSpace<W>& mapping = req.args.inode->i_data;
  const uint16_t* dirty = KeepsBytes(req) ? HeldBytes(req) : mapping.bytes;
  const int64_t end = req.args.offset + req.args.size;
  const bool of_cache = req.writeback && !fc_->rules->writeback_copies_pages;
  for (int64_t i = page_of(req.args.offset); i < pages_up_to(end) && i < mapping.npages; i++) {
    if (of_cache && !__page_is(mapping, i, PG_present | PG_writeback))
      AddPageFinding("a page goes while its WRITE is under way", *req.args.inode, i);
    file.bytes[i] = req.writeback ? dirty[i] : static_cast<uint16_t>(req.task + 1);
  }
  if (KeepsBytes(req)) std::fill_n(HeldBytes(req), mapping.npages, uint16_t{0});
  file.size = std::max(file.size, end);
  req.args.out_size = req.args.size;
}

BackingInode* Machine::BackingOfPassthrough(int inode) {
  BackingInode* backing = nullptr;
  fc_->fuse_files.for_each([&](FuseFile<W>& ff) {
    if (ff.live && ff.inode == &inodes_[inode] && ff.passthrough != nullptr)
      backing = ff.passthrough;
  });
  return backing;
}

int64_t Machine::SizeForServer(int inode) {
  const BackingInode* backing = BackingOfPassthrough(inode);
  return backing != nullptr ? backing->size : server_inodes_[inode].size;
}

bool Machine::AnswerHeld(int step, int error) {
  W::scheduler().Touch(server_);
  const auto matches = [step](const FuseReq<W>& req) {
    return step < 0 || req.task == static_cast<uint32_t>(step);
  };
  int count = 0;
  for (FuseReq<W>* req = server_->held; req != nullptr; req = req->next) count += matches(*req);
  for (int i = 0; i < count; i++) {
    FuseReq<W>** at = &server_->held;
    while (*at != nullptr && !matches(**at)) at = &(*at)->next;
    if (*at == nullptr) break;
    FuseReq<W>* req = *at;
    *at = req->next;
    req->next = nullptr;
    Answer(*req, -error);
    req->held = false;
    fuse_request_end(*fc_, req);
  }
  return count > 0;
}

int64_t Machine::DoReply(const Step& step) {
  bool any = false;
  for (int target : step.targets) {
    W::operation("replies to", server_, target);
    steps_[target - 1].released = true;
    any |= AnswerHeld(target - 1, step.error);
  }
  return any ? 0 : -ENOENT;
}

int64_t Machine::DoAbort() {
  W::WRITE_ONCE(fc_->connected, uint8_t{0});
  while (server_->queue != nullptr) {
    FuseReq<W>* req = server_->queue;
    server_->queue = req->next;
    req->next = nullptr;
    req->error = -ECONNABORTED;
    fuse_request_end(*fc_, req);
  }
  AnswerHeld(-1, ECONNABORTED);
  return 0;
}

}  // namespace iomode
