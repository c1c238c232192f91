// SPDX-License-Identifier: GPL-2.0-only
//
// The model's kernel on real threads: one connection with its inodes, backing files and server, and
// the system calls that model/vfs.h does not have whole. For the rest call vfs_read(), vfs_write(),
// fuse_fsync() ... on a File, from any thread, with a reference to it.
//
// Each thread that calls sets W::task first, to its own number.

#ifndef SIM_NATIVE_KERNEL_H_
#define SIM_NATIVE_KERNEL_H_

#include <atomic>
#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "model/request_end.h"
#include "model/revision.h"
#include "model/vfs.h"
#include "sim/native_server.h"
#include "sim/native_world.h"

namespace iomode {

struct NativeOptions {
  uint32_t caps = CONN_PASSTHROUGH | CONN_ASYNC_DIO | CONN_DIRECT_IO_ALLOW_MMAP;
  int backings = 1;
  int pages = 64;          // of each inode's page cache
  int backing_ids = 1024;  // how many BACKING_OPENs there can be
  // `inodes` of the server's are the kernel's, too.
  NativeServerOptions server;
};

// A process, as far as mappings go.
template <class W>
struct NativeProcess {
  static constexpr int kMaps = 4;
  typename W::RwSem mmap_lock;
  Vma<W>* maps[kMaps];  // under mmap_lock
};

template <class W>
class NativeKernel {
 public:
  struct OpenReply {
    uint16_t flags = 0;  // FopenFlag
    int backing = -1;    // which backing's newest id; -1: none
  };

  // `rules` outlives the kernel. Files do not get longer than `pages`, but by passthrough writes:
  // those are the caller's to bound.
  NativeKernel(const Rules& rules, const NativeOptions& options);
  NativeKernel(const NativeKernel&) = delete;
  NativeKernel& operator=(const NativeKernel&) = delete;

  FuseConn<W>& conn() { return fc_; }
  FuseInode<W>& inode(int i) { return inodes_[i]->inode; }
  int inodes() const { return static_cast<int>(inodes_.size()); }
  int backings() const { return static_cast<int>(backings_.size()); }

  // System calls. Each returns a value >= 0 or a negative errno.

  int Open(int inode, uint32_t flags, const OpenReply& reply, File<W>** file);
  // The server registers the file once more, and closes the id that it had before. The new id.
  int BackingOpen(int backing);
  int BackingClose(int backing);
  // The caller holds a reference to the file. EEXIST: `map` is in use.
  int Mmap(NativeProcess<W>& process, int map, File<W>& file, bool shared, bool may_write);
  int Munmap(NativeProcess<W>& process, int map);
  int Access(NativeProcess<W>& process, int map, int64_t offset, bool store);
  int Msync(NativeProcess<W>& process, int map);

  // The rest only when no thread is in the model.

  // Waits until the server has answered everything.
  void Drain() { server_.Drain(); }
  // What does not add up although everything is closed and drained; empty: all well.
  std::vector<std::string> CheckClosed();
  // Evicts all inodes and takes the connection down: what is still allocated then. After Drain().
  // Counts only what W's Probe counts.
  std::vector<std::string> TakeDown();

  // At any time, as good as reads without a lock are:
  // "inode 0: iocachectr=-2 CACHE_IO_MODE=1 fb=attached waiters=1 i_rwsem=S1".
  std::string Describe(int inode);
  // "inode 0: i_rwsem" for the address of something to sleep on, or "".
  std::string NameOf(const void* address);

 private:
  struct Inode {
    FuseInode<W> inode = {};
    std::vector<uint8_t> flags;
    std::vector<uint16_t> bytes;
  };
  struct Backing {
    BackingInode inode = {};
    std::atomic<int32_t> id = 0;
  };

  const int pages_;
  FuseConn<W> fc_ = {};
  std::vector<FuseBacking<W>*> id_table_;
  std::vector<std::unique_ptr<Inode>> inodes_;
  std::vector<std::unique_ptr<Backing>> backings_;
  NativeServer<W> server_;
};

template <class W>
NativeKernel<W>::NativeKernel(const Rules& rules, const NativeOptions& options)
    : pages_(options.pages), id_table_(options.backing_ids), server_(options.server) {
  fc_.rules = &rules;
  fc_.server = &server_;
  fc_.caps = options.caps;
  fc_.passthrough = fc_.cap(CONN_PASSTHROUGH) && rules.passthrough != Passthrough::kUnknownBit &&
                    !(rules.writeback_cache_excludes_passthrough && fc_.cap(CONN_WRITEBACK_CACHE));
  fc_.connected.value = 1;
  fc_.backing_files_map = id_table_.data();
  fc_.backing_capacity = options.backing_ids;
  for (int i = 0; i < options.server.inodes; i++) {
    inodes_.push_back(std::make_unique<Inode>());
    Inode& file = *inodes_.back();
    file.flags.resize(pages_);
    file.bytes.resize(pages_);
    FuseInode<W>& fi = file.inode;
    fi.fc = &fc_;
    fi.index = static_cast<uint8_t>(i);
    fi.i_size.value = kInitialFileSize;
    fi.i_data.npages = static_cast<int16_t>(pages_);
    fi.i_data.flags = file.flags.data();
    fi.i_data.bytes = file.bytes.data();
  }
  for (int i = 0; i < options.backings; i++) {
    backings_.push_back(std::make_unique<Backing>());
    backings_.back()->inode.size = kInitialFileSize;
  }
}

template <class W>
int NativeKernel<W>::Open(int i, uint32_t flags, const OpenReply& reply, File<W>** file) {
  NativeServer<W>::SetReply(
      {reply.flags, reply.backing < 0 ? 0 : backings_[reply.backing]->id.load()});
  return vfs_open(inode(i), flags, file);
}

template <class W>
int NativeKernel<W>::BackingOpen(int i) {
  const int id = fuse_backing_open(fc_, &backings_[i]->inode, 0);
  if (id < 0) return id;
  const int32_t before = backings_[i]->id.exchange(id);
  if (before > 0) fuse_backing_close(fc_, before);
  return id;
}

template <class W>
int NativeKernel<W>::BackingClose(int i) {
  return fuse_backing_close(fc_, backings_[i]->id.exchange(0));
}

template <class W>
int NativeKernel<W>::Mmap(NativeProcess<W>& process, int map, File<W>& file, bool shared,
                          bool may_write) {
  W::down_write(process.mmap_lock);
  int err = -EEXIST;
  if (process.maps[map] == nullptr) {
    Vma<W>* vma = fc_.vmas.alloc();
    vma->shared = shared;
    vma->may_write = may_write;
    vma->cow = new uint8_t[pages_]();
    err = vfs_mmap(file, *vma);
    if (err) {
      delete[] vma->cow;
      fc_.vmas.free(vma);
    } else {
      if (vma->file != nullptr) fc_.vmas.Show(vma);
      process.maps[map] = vma;
    }
  }
  W::up_write(process.mmap_lock);
  return err;
}

template <class W>
int NativeKernel<W>::Munmap(NativeProcess<W>& process, int map) {
  W::down_write(process.mmap_lock);
  Vma<W>* vma = process.maps[map];
  process.maps[map] = nullptr;
  W::downgrade_write(process.mmap_lock);
  if (vma != nullptr) {
    if (vma->file != nullptr) fc_.vmas.Hide(vma);
    remove_vma(fc_, *vma);
    delete[] vma->cow;
    fc_.vmas.free(vma);
  }
  W::up_read(process.mmap_lock);
  return vma == nullptr ? -EINVAL : 0;
}

template <class W>
int NativeKernel<W>::Access(NativeProcess<W>& process, int map, int64_t offset, bool store) {
  W::down_read(process.mmap_lock);
  Vma<W>* vma = process.maps[map];
  Kiocb<W> iocb = {};
  iocb.pos = offset;
  iocb.count = 1;
  const int err = vma == nullptr
                      ? -EFAULT
                      : access_memory(*vma, static_cast<typename W::RwSem*>(nullptr), iocb, store);
  W::up_read(process.mmap_lock);
  return err;
}

template <class W>
int NativeKernel<W>::Msync(NativeProcess<W>& process, int map) {
  W::down_read(process.mmap_lock);
  Vma<W>* vma = process.maps[map];
  File<W>* file = vma != nullptr && vma->shared ? vma->file : nullptr;
  if (file != nullptr) W::refcount_inc(file->f_count);
  W::up_read(process.mmap_lock);
  if (vma == nullptr) return -ENOMEM;
  if (file == nullptr) return 0;
  const int err = fuse_fsync(*file);
  fput(fc_, file);
  return err;
}

template <class W>
std::string NativeKernel<W>::Describe(int i) {
  const FuseInode<W>& fi = inode(i);
  const uint32_t sem = fi.i_rwsem.state.load();
  std::string text =
      "inode " + std::to_string(i) + ": iocachectr=" + std::to_string(fi.iocachectr.value.load()) +
      " CACHE_IO_MODE=" + std::to_string((fi.state.value.load() >> FUSE_I_CACHE_IO_MODE) & 1) +
      " fb=" + (fi.fb.value.load() != nullptr ? "attached" : "-") +
      " waiters=" + std::to_string(fi.direct_io_waitq.sleepers.load()) + " i_rwsem=";
  if (sem & NativeRwSem::kWriter) return text + "X";
  const uint32_t readers = sem & NativeRwSem::kReaders;
  return text + (readers != 0 ? "S" + std::to_string(readers) : "-");
}

template <class W>
std::string NativeKernel<W>::NameOf(const void* address) {
  for (int i = 0; i < inodes(); i++) {
    const FuseInode<W>& fi = inode(i);
    const std::string name = "inode " + std::to_string(i) + ": ";
    if (address == &fi.direct_io_waitq) return name + "direct_io_waitq";
    if (address == &fi.i_rwsem) return name + "i_rwsem";
    if (address == &fi.page_waitq) return name + "page_waitq";
    if (address == &fi.i_data.page_wait) return name + "page waitqueue";
  }
  return "";
}

template <class W>
std::vector<std::string> NativeKernel<W>::CheckClosed() {
  std::vector<std::string> wrong;
  const auto check = [&wrong](bool good, const std::string& what) {
    if (!good) wrong.push_back(what);
  };
  for (int i = 0; i < inodes(); i++) {
    const FuseInode<W>& fi = inode(i);
    const std::string at = Describe(i) + ": ";
    check(fi.iocachectr.value == 0, at + "an io-mode reference is left");
    check(fi.state.value == 0, at + "the cache bit is left");
    check(fi.fb.value == nullptr, at + "a backing is left");
    check(fi.direct_io_waitq.sleepers == 0, at + "a task is on direct_io_waitq");
    check(fi.i_rwsem.state == 0, at + "i_rwsem is held");
    check(fi.lock.locked == 0 && fi.i_data.i_pages.locked == 0, at + "a spin lock is held");
    check(fi.write_files == nullptr, at + "fi->write_files is not empty");
    check(fi.queued_writes == nullptr && fi.writectr == 0, at + "a writeback is left");
    check(!fi.nowrite, at + "FUSE_NOWRITE is left");
    int present = 0;
    for (int page = 0; page < fi.i_data.npages; page++) {
      const uint8_t flags = fi.i_data.flags[page];
      present += (flags & PG_present) != 0;
      check(!(flags & (PG_locked | PG_writeback)),
            at + "page " + std::to_string(page) + " is locked or under writeback");
    }
    check(present == fi.i_data.nrpages, at + "nrpages does not count the pages");
  }
  return wrong;
}

template <class W>
std::vector<std::string> NativeKernel<W>::TakeDown() {
  for (auto& file : inodes_) fuse_evict_inode(file->inode);
  fuse_backing_files_free(fc_);
  std::vector<std::string> left;
  const auto check = [&left](const char* what, const auto& pool) {
    if (pool.live() != 0) left.push_back(std::to_string(pool.live()) + " " + what + " never freed");
  };
  check("fuse_file", fc_.fuse_files);
  check("struct file", fc_.files);
  check("request", fc_.reqs);
  check("fuse_io_priv", fc_.ios);
  check("fuse_backing", fc_.backings);
  check("vma", fc_.vmas);
  return left;
}

}  // namespace iomode

#endif  // SIM_NATIVE_KERNEL_H_
