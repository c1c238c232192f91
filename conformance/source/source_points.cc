// SPDX-License-Identifier: GPL-2.0-only
//
// The points of the C code as operations of ScheduledWorld.

#include "conformance/source/source_points.h"

#include <atomic>
#include <cstddef>
#include <cstring>

#include "conformance/source/objects.h"
#include "model/backing.h"
#include "model/vfs.h"
#include "sim/machine.h"

namespace iomode {
namespace {

using W = ScheduledWorld;

// The C code's objects are the model's.
#define SAME_PLACE(c_type, c_field, cc_type, cc_field)                                  \
  static_assert(offsetof(c_type, c_field) == offsetof(cc_type, cc_field),               \
                "conformance/source/objects.h does not follow model/fuse_i.h: " #c_type \
                "." #c_field)
SAME_PLACE(fuse_inode, fc, FuseInode<W>, fc);
SAME_PLACE(fuse_inode, lock, FuseInode<W>, lock);
SAME_PLACE(fuse_inode, direct_io_waitq, FuseInode<W>, direct_io_waitq);
SAME_PLACE(fuse_inode, iocachectr, FuseInode<W>, iocachectr);
SAME_PLACE(fuse_inode, state, FuseInode<W>, state);
SAME_PLACE(fuse_inode, fb, FuseInode<W>, fb);
SAME_PLACE(fuse_file, count, FuseFile<W>, count);
SAME_PLACE(fuse_file, fm, FuseFile<W>, inode);
SAME_PLACE(fuse_file, passthrough, FuseFile<W>, passthrough);
SAME_PLACE(fuse_file, cred, FuseFile<W>, cred);
SAME_PLACE(fuse_file, args, FuseFile<W>, args);
SAME_PLACE(fuse_file, open_flags, FuseFile<W>, open_flags);
SAME_PLACE(fuse_file, backing_id, FuseFile<W>, backing_id);
SAME_PLACE(fuse_file, iomode, FuseFile<W>, iomode);
SAME_PLACE(fuse_file, write_entry, FuseFile<W>, write_next);
SAME_PLACE(fuse_file, flock, FuseFile<W>, release_inode);
SAME_PLACE(fuse_backing, count, FuseBacking<W>, count);
SAME_PLACE(fuse_backing, file, FuseBacking<W>, file);
SAME_PLACE(fuse_backing, cred, FuseBacking<W>, cred);
SAME_PLACE(fuse_backing, live, FuseBacking<W>, live);
SAME_PLACE(fuse_conn, lock, FuseConn<W>, lock);
SAME_PLACE(fuse_conn, caps, FuseConn<W>, caps);
SAME_PLACE(fuse_conn, passthrough, FuseConn<W>, passthrough);
SAME_PLACE(fuse_conn, no_open, FuseConn<W>, no_open);
SAME_PLACE(fuse_conn, backing_files_map.slots, FuseConn<W>, backing_files_map);
SAME_PLACE(fuse_conn, backing_files_map.ids, FuseConn<W>, backing_ids);
SAME_PLACE(fuse_conn, backing_files_map.capacity, FuseConn<W>, backing_capacity);
SAME_PLACE(file, fi, File<W>, inode);
SAME_PLACE(file, private_data, File<W>, private_data);
SAME_PLACE(file, f_flags, File<W>, f_flags);
#undef SAME_PLACE
static_assert(sizeof(fuse_backing) == sizeof(FuseBacking<W>));
static_assert(sizeof(fuse_file_args) <= sizeof(FuseFileArgs::room));

Machine& machine() { return *static_cast<Machine*>(W::listener); }
FuseConn<W>& conn() { return machine().conn(); }

template <class To, class From>
To& As(From* object) {
  static_assert(sizeof(To) == sizeof(From));
  return *reinterpret_cast<To*>(object);
}

FuseInode<W>& Model(const inode* i) {
  return *reinterpret_cast<FuseInode<W>*>(const_cast<inode*>(i));
}
FuseFile<W>& Model(const fuse_file* ff) {
  return *reinterpret_cast<FuseFile<W>*>(const_cast<fuse_file*>(ff));
}

// Names the C function that the task is in while one of its operations lasts, or sleeps.
class Function {
 public:
  explicit Function(const char* name) : outer_(W::self().function) { W::self().function = name; }
  ~Function() { W::self().function = outer_; }
  Function(const Function&) = delete;
  Function& operator=(const Function&) = delete;

 private:
  const char* outer_;
};

bool Within(const void* address, const void* begin, size_t bytes) {
  const auto* at = static_cast<const uint8_t*>(address);
  const auto* from = static_cast<const uint8_t*>(begin);
  return at >= from && at < from + bytes;
}

// The inode whose iocachectr, state or fb this is, or nullptr. These are what tasks read of each
// other outside locks.
const FuseInode<W>* SharedIn(const void* address) {
  Machine& m = machine();
  for (int i = 0; i < m.inode_count(); i++) {
    const FuseInode<W>& fi = m.inode(i);
    if (Within(address, &fi.iocachectr, sizeof(fi.iocachectr)) ||
        Within(address, &fi.state, sizeof(fi.state)) || Within(address, &fi.fb, sizeof(fi.fb)))
      return &fi;
  }
  return nullptr;
}

bool Locked(const FuseInode<W>& fi) {
  return fi.lock.owner == W::scheduler().SlotOf(&W::self()) + 1;
}

// While all writes of the shared variables are made with fi->lock held, reading one with it held is
// not visible to others, as in the model.
std::atomic<bool> unlocked_write = false;
std::atomic<bool> unlocked_write_told = false;

void PointBeforeRead(const void* address) {
  const FuseInode<W>* fi = SharedIn(address);
  if (fi != nullptr && !unlocked_write && Locked(*fi)) return;
  W::scheduler().Point(address);
}
void NoteWrite(const void* address) {
  const FuseInode<W>* fi = SharedIn(address);
  if (fi != nullptr && !Locked(*fi)) unlocked_write = true;
}

void Access(const void* address, int write) {
  if (address == &conn().no_open && conn().cap(CONN_NO_OPEN)) {
    W::operation(write ? "writes" : "reads", address);
    return;
  }
  if (SharedIn(address) == nullptr) return;
  if (write) {
    NoteWrite(address);
    W::operation("writes", address);
  } else {
    PointBeforeRead(address);
    W::Trace("reads", address);
  }
}

// Reads and writes of `bytes` bytes without a point.
unsigned long Load(const void* address, int bytes) {
  unsigned long value = 0;
  std::memcpy(&value, address, bytes);
  return value;
}
void Store(void* address, int bytes, unsigned long value) { std::memcpy(address, &value, bytes); }
int64_t ForTrace(int bytes, unsigned long value) {
  return bytes == 4 ? static_cast<int32_t>(value) : static_cast<int64_t>(value);
}

unsigned long Read(const void* address, int bytes, const char* function) {
  Function fn(function);
  PointBeforeRead(address);
  const unsigned long value = Load(address, bytes);
  W::Trace("reads", address, ForTrace(bytes, value));
  return value;
}
void Write(void* address, int bytes, unsigned long value, const char* function) {
  Function fn(function);
  NoteWrite(address);
  W::scheduler().Point(address);
  Store(address, bytes, value);
  W::Trace("writes", address, ForTrace(bytes, value));
}
unsigned long Exchange(void* address, int bytes, unsigned long value, const char* function) {
  Function fn(function);
  NoteWrite(address);
  W::scheduler().Point(address);
  const unsigned long old = Load(address, bytes);
  Store(address, bytes, value);
  W::Trace("exchanges", address, ForTrace(bytes, value));
  return old;
}

using Word = W::Atomic<uint8_t>;
bool TestBit(int bit, const unsigned char* word, const char* function) {
  Function fn(function);
  PointBeforeRead(word);
  W::Trace("reads", word, *word);
  return (*word >> bit) & 1;
}
void SetBit(int bit, unsigned char* word, const char* function) {
  Function fn(function);
  NoteWrite(word);
  W::set_bit(bit, As<Word>(word));
}
void ClearBit(int bit, unsigned char* word, const char* function) {
  Function fn(function);
  NoteWrite(word);
  W::clear_bit(bit, As<Word>(word));
}

void SpinLock(spinlock_t* lock, const char* function) {
  Function fn(function);
  W::spin_lock(As<W::SpinLock>(lock));
}
void SpinUnlock(spinlock_t* lock, const char* function) {
  Function fn(function);
  W::spin_unlock(As<W::SpinLock>(lock));
}

uint64_t MyBit() { return uint64_t{1} << W::scheduler().SlotOf(&W::self()); }
void PrepareToWait(wait_queue_head_t* queue, const char* function) {
  Function fn(function);
  W::operation("queues on", queue);
  queue->sleepers |= MyBit();
  W::self().wakeup = false;
}
void Schedule(wait_queue_head_t* queue, const char* function) {
  Function fn(function);
  if (!W::self().wakeup) W::Sleep(queue);
}
void FinishWait(wait_queue_head_t* queue, const char* function) {
  Function fn(function);
  W::operation("leaves", queue);
  queue->sleepers &= ~MyBit();
}
void WakeUp(wait_queue_head_t* queue, const char* function) {
  Function fn(function);
  W::wake_up(As<W::WaitQueue>(queue));
}

void RefcountSet(refcount_t* r, int n) { W::refcount_set(As<W::Refcount>(r), n); }
int RefcountRead(const refcount_t* r) { return r->refs; }
void RefcountInc(refcount_t* r, const char* function) {
  Function fn(function);
  W::refcount_inc(As<W::Refcount>(r));
}
bool RefcountIncNotZero(refcount_t* r, const char* function) {
  Function fn(function);
  return W::refcount_inc_not_zero(As<W::Refcount>(r));
}
bool RefcountDecAndTest(refcount_t* r, const char* function) {
  Function fn(function);
  return W::refcount_dec_and_test(As<W::Refcount>(r));
}

int IdrAlloc(idr* idr, void* object, const char* function) {
  Function fn(function);
  W::operation("enters into", idr, idr->ids + 1);
  const int id = ++idr->ids;
  idr->slots[id - 1] = object;
  return id;
}
void* IdrRemove(idr* idr, int id, const char* function) {
  Function fn(function);
  W::operation("removes from", idr, id);
  if (id < 1 || id > idr->ids) return nullptr;
  void* object = idr->slots[id - 1];
  idr->slots[id - 1] = nullptr;
  return object;
}
void* IdrFind(idr* idr, int id, const char* function) {
  Function fn(function);
  W::operation("looks up in", idr, id);
  return id >= 1 && id <= idr->ids ? idr->slots[id - 1] : nullptr;
}

void RcuReadLock(const char* function) {
  Function fn(function);
  W::rcu_read_lock(conn().rcu);
}
void RcuReadUnlock(const char* function) {
  Function fn(function);
  if (W::rcu_read_unlock(conn().rcu)) fuse_backing_reclaim(conn());
}

void InodeLock(inode* i, const char* function) {
  Function fn(function);
  W::down_write(Model(i).i_rwsem);
}
void InodeUnlock(inode* i, const char* function) {
  Function fn(function);
  W::up_write(Model(i).i_rwsem);
}
void InodeLockShared(inode* i, const char* function) {
  Function fn(function);
  W::down_read(Model(i).i_rwsem);
}
void InodeUnlockShared(inode* i, const char* function) {
  Function fn(function);
  W::up_read(Model(i).i_rwsem);
}
long SizeRead(const inode* i, const char* function) {
  Function fn(function);
  return i_size_read(Model(i));
}

int WriteInodeNow(inode* i, const char* function) {
  Function fn(function);
  return write_inode_now(Model(i));
}
int InvalidateInodePages2(void* mapping, const char* function) {
  Function fn(function);
  return invalidate_inode_pages2(*static_cast<FuseInode<W>*>(mapping));
}

// include/uapi/linux/fuse.h
constexpr int kReleaseRequest = 18;

int Send(fuse_mount* fm, int opcode, bool background, const char* function) {
  Function fn(function);
  if (opcode != kReleaseRequest) return -ENOSYS;
  FuseArgs<W> args = {};
  args.opcode = FUSE_RELEASE;
  args.inode = reinterpret_cast<FuseInode<W>*>(fm);
  if (!background) return fuse_simple_request(conn(), args);
  FuseReq<W>* req = conn().reqs.alloc();
  req->args = args;
  const int err = fuse_simple_background(conn(), *req);
  if (err) conn().reqs.free(req);
  return err;
}

bool WriteFileLinked(const fuse_file* ff) { return Model(ff).write_linked; }
void LinkWriteFile(fuse_file* c_file) {
  FuseFile<W>& ff = Model(c_file);
  ff.write_linked = true;
  ff.write_next = ff.inode->write_files;
  ff.inode->write_files = &ff;
}
void UnlinkWriteFile(fuse_file* c_file) {
  FuseFile<W>& ff = Model(c_file);
  for (FuseFile<W>** at = &ff.inode->write_files; *at != nullptr; at = &(*at)->write_next) {
    if (*at != &ff) continue;
    *at = ff.write_next;
    ff.write_next = nullptr;
    ff.write_linked = false;
    return;
  }
}

fuse_backing* AllocBacking() {
  if (W::allocation_fails()) return nullptr;
  return reinterpret_cast<fuse_backing*>(conn().backings.alloc());
}
void FreeBacking(fuse_backing* fb) { conn().backings.free(reinterpret_cast<FuseBacking<W>*>(fb)); }
void FreeBackingRcu(fuse_backing* fb) {
  fuse_backing_free(conn(), reinterpret_cast<FuseBacking<W>*>(fb));
}
void FreeFile(fuse_file* ff) { conn().fuse_files.free(&Model(ff)); }
void FreeArgs(fuse_file_args* args) {
  if (args != nullptr) conn().file_args.free(reinterpret_cast<FuseFileArgs*>(args));
}
bool AllocationFails() { return W::allocation_fails(); }

file* FileOfDescriptor(int fd) { return reinterpret_cast<file*>(W::scheduler().shared() + fd); }
bool IsBackingFile(const file* f) {
  const auto& files = conn().files;
  return !Within(f, files.items, files.capacity * sizeof(*files.items));
}

void Warn(const char* what, const char* function) {
  Function fn(function);
  W::WARN_ON(true, what);
}
void FalseBusy() {
  Function fn("fuse_dio_lock");
  W::FALSE_BUSY(true,
                "a write that may run in parallel is refused with EBUSY although no file caches");
}

}  // namespace

bool UnlockedWriteAppeared() { return unlocked_write && !unlocked_write_told.exchange(true); }

void ForgetUnlockedWrites() {
  unlocked_write = false;
  unlocked_write_told = false;
}

const source_points& SourcePoints() {
  static constexpr source_points points = {
      .access = Access,
      .read = Read,
      .write = Write,
      .xchg = Exchange,
      .test_bit = TestBit,
      .set_bit = SetBit,
      .clear_bit = ClearBit,
      .spin_lock = SpinLock,
      .spin_unlock = SpinUnlock,
      .prepare_to_wait = PrepareToWait,
      .schedule = Schedule,
      .finish_wait = FinishWait,
      .wake_up = WakeUp,
      .refcount_set = RefcountSet,
      .refcount_read = RefcountRead,
      .refcount_inc = RefcountInc,
      .refcount_inc_not_zero = RefcountIncNotZero,
      .refcount_dec_and_test = RefcountDecAndTest,
      .idr_alloc = IdrAlloc,
      .idr_remove = IdrRemove,
      .idr_find = IdrFind,
      .rcu_read_lock = RcuReadLock,
      .rcu_read_unlock = RcuReadUnlock,
      .inode_lock = InodeLock,
      .inode_unlock = InodeUnlock,
      .inode_lock_shared = InodeLockShared,
      .inode_unlock_shared = InodeUnlockShared,
      .i_size_read = SizeRead,
      .write_inode_now = WriteInodeNow,
      .invalidate_inode_pages2 = InvalidateInodePages2,
      .send = Send,
      .write_file_linked = WriteFileLinked,
      .link_write_file = LinkWriteFile,
      .unlink_write_file = UnlinkWriteFile,
      .alloc_backing = AllocBacking,
      .free_backing = FreeBacking,
      .free_backing_rcu = FreeBackingRcu,
      .free_file = FreeFile,
      .free_args = FreeArgs,
      .allocation_fails = AllocationFails,
      .file_of_descriptor = FileOfDescriptor,
      .is_backing_file = IsBackingFile,
      .warn = Warn,
      .false_busy = FalseBusy,
  };
  return points;
}

}  // namespace iomode
