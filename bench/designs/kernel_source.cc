// SPDX-License-Identifier: GPL-2.0-only

#include "bench/designs/kernel_source.h"

#include <dlfcn.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <type_traits>

#include "conformance/source/build_source.h"
#include "conformance/source/native/slow.h"
#include "conformance/source/points.h"

namespace iomode {
namespace {

using W = DesignWorld;

// The C code's objects are the model's.
#define SAME_PLACE(c_type, c_field, cc_type, cc_field)                           \
  static_assert(offsetof(c_type, c_field) == offsetof(cc_type, cc_field) &&      \
                    sizeof(c_type::c_field) == sizeof(cc_type::cc_field),        \
                "conformance/source/objects.h and native/types.h do not follow " \
                "model/fuse_i.h in DesignWorld: " #c_type "." #c_field)
SAME_PLACE(fuse_inode, fc, FuseInode<W>, fc);
SAME_PLACE(fuse_inode, lock, FuseInode<W>, lock);
SAME_PLACE(fuse_inode, direct_io_waitq, FuseInode<W>, direct_io_waitq);
SAME_PLACE(fuse_inode, iocachectr, FuseInode<W>, iocachectr);
SAME_PLACE(fuse_inode, state, FuseInode<W>, state);
SAME_PLACE(fuse_inode, fb, FuseInode<W>, fb);
SAME_PLACE(fuse_inode, i_rwsem, FuseInode<W>, i_rwsem);
SAME_PLACE(fuse_inode, i_size, FuseInode<W>, i_size);
SAME_PLACE(fuse_file, count, FuseFile<W>, count);
SAME_PLACE(fuse_file, args, FuseFile<W>, args);
SAME_PLACE(fuse_file, open_flags, FuseFile<W>, open_flags);
SAME_PLACE(fuse_file, iomode, FuseFile<W>, iomode);
SAME_PLACE(fuse_backing, count, FuseBacking<W>, count);
SAME_PLACE(file, fi, File<W>, inode);
SAME_PLACE(file, private_data, File<W>, private_data);
#undef SAME_PLACE
static_assert(offsetof(wait_queue_head_t, wakeups) == offsetof(NativeWaitQueue, wakeups));
static_assert(RWSEM_WRITER == NativeRwSem::kWriter &&
              RWSEM_WRITER_WAITS == NativeRwSem::kWriterWaits &&
              RWSEM_SLEEPERS == NativeRwSem::kSleepers && RWSEM_READERS == NativeRwSem::kReaders);

template <class To, class From>
To& As(From* object) {
  return *reinterpret_cast<To*>(object);
}

void Report(const char* what, const char* function) {
  std::fprintf(stderr, "kernel's C: %s: %s\n", function, what);
  std::abort();
}

constexpr source_slow kSlow = {
    .spin_lock = [](spinlock_t* lock) { As<NativeSpinLock>(lock).Lock(); },
    .sleep = [](wait_queue_head_t* queue,
                unsigned ticket) { As<NativeWaitQueue>(queue).Sleep(ticket); },
    .wake = [](wait_queue_head_t* queue) { As<NativeWaitQueue>(queue).WakeSleepers(); },
    .lock_shared = [](rw_semaphore* sem) { As<NativeRwSem>(sem).LockSharedSlowly(); },
    .lock = [](rw_semaphore* sem) { As<NativeRwSem>(sem).LockSlowly(); },
    .wake_lockers = [](rw_semaphore* sem) { As<NativeRwSem>(sem).state.notify_all(); },
    .report = Report,
};

source_functions kernel;

kiocb KiocbOf(const Kiocb<W>& iocb) {
  return {reinterpret_cast<file*>(iocb.file), iocb.pos, iocb.append ? IOCB_APPEND : 0};
}
bool DioLock(FuseInode<W>&, const Kiocb<W>& iocb) {
  kiocb k = KiocbOf(iocb);
  iov_iter from = {static_cast<unsigned long>(iocb.count)};
  bool exclusive = false;
  kernel.fuse_dio_lock(&k, &from, &exclusive);
  return exclusive;
}
void DioUnlock(FuseInode<W>&, const Kiocb<W>& iocb, bool exclusive) {
  kiocb k = KiocbOf(iocb);
  kernel.fuse_dio_unlock(&k, exclusive);
}

}  // namespace

bool KernelSource::Load(std::string* what) {
  const BuiltSource built = BuildSource({}, SourceWorld::kNative);
  if (built.status != BuiltSource::Status::kBuilt) {
    *what = built.status == BuiltSource::Status::kNoSources
                ? "no kernel sources, or no clang, to be had here (linux-source-6.12)"
                : "the kernel's sources do not compile over the shims";
    return false;
  }
  void* library = dlopen(built.library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    *what = dlerror();
    return false;
  }
  auto* slow = static_cast<source_slow*>(dlsym(library, "source_slow"));
  auto* functions =
      reinterpret_cast<void (*)(source_functions*)>(dlsym(library, "source_functions"));
  if (slow == nullptr || functions == nullptr) {
    *what = built.library + ": is no library made by conformance/source/build --native";
    return false;
  }
  *slow = kSlow;
  functions(&kernel);
  if (kernel.fuse_file_cached_io_open == nullptr ||
      kernel.fuse_inode_uncached_io_start == nullptr || kernel.fuse_dio_lock == nullptr ||
      kernel.fuse_dio_unlock == nullptr) {
    *what = std::string(kernel.origin) + ": lacks one of the functions to be timed";
    return false;
  }
  *what = "Linux " + std::to_string(kernel.version) + "." + std::to_string(kernel.patchlevel) +
          ", " + kernel.origin;
  return true;
}

// A pointer and a reference are passed alike, and so are pointers to both sides' objects.
IomodeOps<W> KernelSource::Calls() {
  IomodeOps<W> calls = {};
  const auto take = [](auto& to, auto* from) {
    to = reinterpret_cast<std::remove_reference_t<decltype(to)>>(reinterpret_cast<void*>(from));
  };
  take(calls.fuse_inode_uncached_io_start, kernel.fuse_inode_uncached_io_start);
  take(calls.fuse_inode_uncached_io_end, kernel.fuse_inode_uncached_io_end);
  take(calls.fuse_file_cached_io_open, kernel.fuse_file_cached_io_open);
  take(calls.fuse_file_io_release, kernel.fuse_file_io_release);
  calls.fuse_dio_lock = DioLock;
  calls.fuse_dio_unlock = DioUnlock;
  return calls;
}

}  // namespace iomode
