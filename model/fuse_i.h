// SPDX-License-Identifier: GPL-2.0-only
//
// The objects of the machine: connection, inode, open file, backing, request, and the VFS objects
// around them (struct file, mapping of memory, process). Names of types and fields are the kernel's
// (fs/fuse/fuse_i.h, include/linux/fs.h).
//
// Which lock protects what:
//   fi->lock: iocachectr, state, fb, i_size, attr_version, write_files, queued_writes, writepages,
//     writectr, nowrite, and a file's iomode
//   fc->lock: backing_files_map
//   i_pages: the page cache, every page's flags and bytes; page_wait is woken under it
//   i_rwsem: the inode lock; nothing in particular, see docs/design.md for who takes it how
// Published fields are written under their lock and read without it.
//
// All of it is plain memory, zero at the start. In the scheduled world it lies in the arena, and
// its bytes are the state; so pointers go to other objects here, and unused fields are zero.

#ifndef MODEL_FUSE_I_H_
#define MODEL_FUSE_I_H_

#include <cstdint>

#include "model/racy.h"
#include "model/revision.h"
#include "model/uapi.h"

namespace iomode {

enum IoMode : uint8_t { IOM_NONE = 0, IOM_CACHED, IOM_UNCACHED };

// fuse_inode.state bits.
inline constexpr int FUSE_I_CACHE_IO_MODE = 0;

// fuse_inode.inval_mask: which cached attributes are stale.
enum StatxMask : uint8_t { FUSE_STATX_SIZE = 1, FUSE_STATX_ATIME = 2 };

// A page's flags.
enum PageFlag : uint8_t {
  PG_present = 1,
  PG_locked = 2,
  PG_uptodate = 4,
  PG_dirty = 8,
  PG_writeback = 16,
  PG_readahead = 32,  // reading this page starts the next readahead
  PG_ahead = 64,      // came by readahead and nobody asked for it yet
};

template <class W>
struct FuseInode;
template <class W>
struct FuseConn;
template <class W>
struct FuseIoPriv;
template <class W>
struct FuseBacking;
template <class W>
struct FuseFile;
template <class W>
struct File;
template <class W>
struct Vma;
template <class W>
struct Kiocb;

// A regular file on the backing filesystem.
struct BackingInode {
  Racy<int64_t> size;
};

// Other code for functions of iomode.h, backing.h, file.h, dio.h and mmap.h: a kernel's own,
// compiled into this program. A function that is not nullptr is called instead of the model's of
// the same name, with the same meaning and the same objects.
template <class W>
struct IomodeOps {
  int (*fuse_file_cached_io_open)(FuseInode<W>& fi, FuseFile<W>& ff);
  int (*fuse_inode_uncached_io_start)(FuseInode<W>& fi, FuseBacking<W>* fb);
  void (*fuse_inode_uncached_io_end)(FuseInode<W>& fi);
  int (*fuse_file_io_open)(FuseInode<W>& fi, File<W>& file);
  void (*fuse_file_io_release)(FuseFile<W>& ff, FuseInode<W>& fi);
  int (*fuse_backing_open)(FuseConn<W>& fc, BackingInode* file, int64_t flags);
  int (*fuse_backing_close)(FuseConn<W>& fc, int64_t id);
  void (*fuse_backing_put)(FuseConn<W>& fc, FuseBacking<W>* fb);
  void (*fuse_passthrough_release)(FuseConn<W>& fc, FuseFile<W>& ff);
  int (*fuse_finish_open)(FuseInode<W>& fi, File<W>& file);
  // These three together, or none.
  void (*fuse_sync_release)(FuseInode<W>& fi, FuseFile<W>* ff);
  void (*fuse_release)(File<W>& file);
  void (*fuse_file_put)(FuseConn<W>& fc, FuseFile<W>* ff, bool sync);
  bool (*fuse_dio_lock)(FuseInode<W>& fi, const Kiocb<W>& iocb);
  void (*fuse_dio_unlock)(FuseInode<W>& fi, const Kiocb<W>& iocb, bool exclusive);
  int (*fuse_file_mmap)(FuseInode<W>& fi, File<W>& file, Vma<W>& vma);
};

// union fuse_file_args as IomodeOps lay it out.
struct FuseFileArgs {
  uint64_t room[7];
  bool live;
};

// struct fuse_backing.
template <class W>
struct FuseBacking {
  typename W::Refcount count;
  BackingInode* file;
  const void* cred;  // IomodeOps only: the registering server's credentials
  bool live;
  bool rcu_pending;  // freed when the last RCU reader leaves
};

// struct fuse_file.
template <class W>
struct FuseFile {
  typename W::Refcount count;
  FuseInode<W>* inode;
  FuseFile* write_next;       // fi->write_files
  BackingInode* passthrough;  // this file's own backing_file, while open for passthrough
  const void* cred;           // IomodeOps only: a reference to fb->cred, with `passthrough`
  FuseFileArgs* args;         // IomodeOps only: nullptr where has_args is false
  uint16_t open_flags;        // FopenFlag
  int32_t backing_id;         // args->open_outarg.backing_id
  IoMode iomode;
  bool has_args;       // args != NULL
  bool release_inode;  // args->release_args.inode was set: release holds the inode
  bool write_linked;   // on fi->write_files
  bool live;

  const char* owned() const { return passthrough != nullptr ? "its backing_file" : nullptr; }
};

// struct file_ra_state, in pages; prev_pos in bytes, -1 before the first read. Readers of one
// file share it without a lock.
struct FileRaState {
  Racy<int32_t> start;
  Racy<int32_t> size;
  Racy<int32_t> async_size;
  Racy<int32_t> mmap_miss;
  Racy<int64_t> prev_pos;
};

// struct file.
template <class W>
struct File {
  typename W::Refcount f_count;
  FuseInode<W>* inode;
  FuseFile<W>* private_data;
  Racy<uint32_t> f_flags;  // OpenFlag: OPEN_DIRECT, OPEN_APPEND; and how it was opened
  FileRaState f_ra;
  bool opened_to_append;  // by open(2): a passthrough file's backing file keeps it
  uint8_t f_wb_err;       // mapping.wb_seq when errors were last reported here
  bool live;
};

// struct vm_area_struct: one mapping of a whole file.
template <class W>
struct Vma {
  File<W>* file;              // vm_file; NULL when `backing` took over
  BackingInode* backing;      // a passthrough mapping: the backing file
  uint8_t* cow;               // by page: a private copy exists; racy
  typename W::RwSem vm_lock;  // shared: an access is under way; exclusive: it is being unmapped
  uint8_t anon_vma;           // it has had a private copy; racy
  bool shared;
  bool may_write;    // PROT_WRITE
  bool fuse_vm_ops;  // fuse_file_vm_ops: page_mkwrite, and writeback at close
  bool live;         // until munmap takes it out of the address space
};

// struct address_space of an inode. Arrays have `npages` entries.
template <class W>
struct AddressSpace {
  typename W::SpinLock i_pages;
  typename W::WaitQueue page_wait;  // PG_locked, PG_writeback and I_SYNC
  uint8_t* flags;                   // PageFlag
  uint16_t* bytes;      // whose bytes: the step that wrote them, 0: the file's first ones
  int32_t npages;       // capacity
  int32_t nrpages;      // present ones
  Racy<int16_t> error;  // AS_EIO, AS_ENOSPC: a negative errno that filemap_check_errors reports
  int16_t wb_err;       // the last writeback error, reported once to every file
  Racy<uint8_t> wb_seq;
  Racy<bool> wb_seen;  // wb_err was reported to somebody
  // Of the inode's i_state:
  Racy<bool> dirty_times;  // I_DIRTY_SYNC: its times are newer than the server's
  Racy<bool> syncing;      // I_SYNC: somebody is in writeback_single_inode
};

// What a request asks and what the server answered (fuse_args).
template <class W>
struct FuseArgs {
  FuseInode<W>* inode;
  FuseFile<W>* ff;  // READ, and WRITE: the file
  int64_t offset;
  int64_t size;         // READ, WRITE: bytes; SETATTR: the new size; FALLOCATE: length
  int64_t out_size;     // answer: bytes read or written; GETATTR, SETATTR: the inode's size
  int32_t backing_id;   // answer to OPEN
  uint16_t open_flags;  // answer to OPEN
  FuseOpcode opcode;
  bool page_cache;  // READ into locked pages of the cache, whose `bytes` the server sets
  bool truncate;    // OPEN with O_TRUNC under atomic_o_trunc
  bool times;       // SETATTR of the times, not of the size
};

// A request on its way (fuse_req).
template <class W>
struct FuseReq {
  typename W::Completion done;
  FuseArgs<W> args;
  FuseIoPriv<W>* io;         // a direct io by aio
  FuseReq* next;             // fi->queued_writes, or the server's queue
  FuseReq* writepages_next;  // fi->writepages
  int64_t writepages_last;   // the last page of those that it is for
  uint32_t task;             // whose system call it belongs to
  int16_t error;             // answer: 0 or a negative errno
  uint16_t attr_version;
  bool background;
  bool writeback;  // a WRITE of dirty pages
  bool held;       // the server keeps it
  bool live;
};

// struct fuse_io_priv: one asynchronous direct read or write.
template <class W>
struct FuseIoPriv {
  typename W::Completion* aio_done;  // the kiocb's completion
  int64_t* aio_result;
  File<W>* file;  // ki_filp, held until the end
  int64_t offset;
  int64_t size;
  bool write;
  FuseIoPriv* next;  // waiting for fuse_dio_done_work
  int64_t result;
  bool live;
};

// struct fuse_inode with its struct inode.
template <class W>
struct FuseInode {
  FuseConn<W>* fc;
  typename W::SpinLock lock;
  typename W::WaitQueue direct_io_waitq;
  typename W::template Published<int32_t> iocachectr;
  typename W::template Published<uint8_t> state;
  typename W::template Published<FuseBacking<W>*> fb;
  typename W::RwSem i_rwsem;
  typename W::template Atomic<int64_t> i_size;
  typename W::template Atomic<uint8_t> inval_mask;
  typename W::template Atomic<uint8_t> size_unstable;  // FUSE_I_SIZE_UNSTABLE
  uint16_t attr_version;
  FuseFile<W>* write_files;
  FuseReq<W>* queued_writes;
  FuseReq<W>* writepages;  // all WRITEs of dirty pages, queued or sent, newest first
  typename W::WaitQueue page_waitq;
  int16_t writectr;  // sent writebacks
  bool nowrite;      // FUSE_NOWRITE is in effect
  uint8_t index;     // which of the script's inodes
  AddressSpace<W> i_data;
};

template <class W>
void fuse_dio_done_work(FuseConn<W>& fc, FuseIoPriv<W>* io);

// The connection's server: whoever answers requests. Lives above the model.
template <class W>
class FuseServer {
 public:
  // Takes a sent request. A foreground request is either answered before this returns (fields
  // filled, done) or later by fuse_request_end(). A background request is always answered later,
  // from another task. No locks of the model but fi->lock may be held.
  virtual void Receive(FuseConn<W>& fc, FuseReq<W>& req) = 0;

  // Runs fuse_dio_done_work() where it may wait for pages whose READ this server has yet to answer:
  // in another task (the kernel's s_dio_done_wq). Servers with a task for each answer may do it at
  // once.
  virtual void QueueDioDone(FuseConn<W>& fc, FuseIoPriv<W>& io) { fuse_dio_done_work(fc, &io); }

 protected:
  ~FuseServer() = default;
};

// struct fuse_conn.
template <class W>
struct FuseConn {
  typename W::SpinLock lock;
  const Rules* rules;
  const IomodeOps<W>* ops;  // nullptr: all code is the model's
  FuseServer<W>* server;
  uint32_t caps;  // ConnCap, as asked for
  bool passthrough;
  typename W::template Atomic<uint8_t> connected;
  typename W::template Atomic<uint8_t> no_open;  // the server answered ENOSYS to OPEN
  typename W::RcuState rcu;
  typename W::template Atomic<uint16_t> attr_version;
  FuseBacking<W>** backing_files_map;  // by id - 1; ids are never used again
  Racy<int32_t> backing_ids;           // how many were given out
  int32_t backing_capacity;
  typename W::template Pool<FuseBacking<W>> backings;
  typename W::template Pool<FuseFile<W>> fuse_files;
  typename W::template Pool<File<W>> files;
  typename W::template Pool<Vma<W>> vmas;
  typename W::template Pool<FuseReq<W>> reqs;
  typename W::template Pool<FuseIoPriv<W>> ios;
  typename W::template Pool<FuseFileArgs> file_args;  // IomodeOps only

  bool cap(uint32_t bit) const { return (caps & bit) != 0; }
};

}  // namespace iomode

#endif  // MODEL_FUSE_I_H_
