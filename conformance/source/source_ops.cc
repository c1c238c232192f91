// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/source/source_ops.h"

#include <dlfcn.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>

#include "absl/strings/str_cat.h"
#include "conformance/source/source_points.h"
#include "sim/machine.h"

namespace iomode {
namespace {

using W = ScheduledWorld;

fuse_inode* C(FuseInode<W>& fi) { return reinterpret_cast<fuse_inode*>(&fi); }
inode* Inode(FuseInode<W>& fi) { return reinterpret_cast<inode*>(&fi); }
fuse_backing* C(FuseBacking<W>* fb) { return reinterpret_cast<fuse_backing*>(fb); }
fuse_conn* C(FuseConn<W>& fc) { return reinterpret_cast<fuse_conn*>(&fc); }
fuse_file* C(FuseFile<W>& ff) {
  if (ff.has_args && ff.args == nullptr) {
    ff.args = ff.inode->fc->file_args.alloc();
    reinterpret_cast<fuse_file_args*>(ff.args)->open_outarg.backing_id = ff.backing_id;
  }
  return reinterpret_cast<fuse_file*>(&ff);
}
file* C(File<W>& f) {
  if (f.private_data != nullptr) C(*f.private_data);
  return reinterpret_cast<file*>(&f);
}

// Counts the model's functions on machines that run a library.
std::mutex entered_mutex;
std::map<const IomodeOps<W>*, std::map<const char*, uint64_t>> entered_functions;

void CountEntered(const char* function) {
  const auto* ops = static_cast<Machine*>(W::listener)->conn().ops;
  if (ops == nullptr) return;
  const std::lock_guard<std::mutex> lock(entered_mutex);
  entered_functions[ops][function]++;
}

// A loaded library: its functions, under the model's signatures.
template <int slot>
struct Loaded {
  static inline source_functions kernel;
  static inline IomodeOps<W> ops;
  static inline Revision revision;
  static inline std::string name;
  static inline const source_count* counts;
  static inline std::map<uint64_t, std::string> names;  // by address in the file

  static int CachedIoOpen(FuseInode<W>& fi, FuseFile<W>& ff) {
    return kernel.fuse_file_cached_io_open(Inode(fi), C(ff));
  }
  static int UncachedIoStart(FuseInode<W>& fi, FuseBacking<W>* fb) {
    return kernel.fuse_inode_uncached_io_start(C(fi), C(fb));
  }
  static void UncachedIoEnd(FuseInode<W>& fi) { kernel.fuse_inode_uncached_io_end(C(fi)); }
  static int IoOpen(FuseInode<W>& fi, File<W>& f) {
    return kernel.fuse_file_io_open(C(f), Inode(fi));
  }
  static void IoRelease(FuseFile<W>& ff, FuseInode<W>& fi) {
    kernel.fuse_file_io_release(C(ff), Inode(fi));
  }
  static int BackingOpen(FuseConn<W>& fc, BackingInode* backing, int64_t flags) {
    // The descriptor of a backing file is where it lies in the arena.
    const auto offset = reinterpret_cast<uint8_t*>(backing) - W::scheduler().shared();
    fuse_backing_map map = {static_cast<int>(offset), static_cast<unsigned>(flags), 0};
    return kernel.fuse_backing_open(C(fc), &map);
  }
  static int BackingClose(FuseConn<W>& fc, int64_t id) {
    return kernel.fuse_backing_close(C(fc), static_cast<int>(id));
  }
  static void BackingPut(FuseConn<W>&, FuseBacking<W>* fb) { kernel.fuse_backing_put(C(fb)); }
  static void PassthroughRelease(FuseConn<W>&, FuseFile<W>& ff) {
    kernel.fuse_passthrough_release(C(ff), C(ff.inode->fb.value));
  }

  static int FinishOpen(FuseInode<W>& fi, File<W>& f) {
    return kernel.fuse_finish_open(Inode(fi), C(f));
  }
  static void SyncRelease(FuseInode<W>& fi, FuseFile<W>* ff) {
    kernel.fuse_sync_release(C(fi), C(*ff), 0);
  }
  static void Release(File<W>& f) { kernel.fuse_release(Inode(*f.inode), C(f)); }
  static void FilePut(FuseConn<W>&, FuseFile<W>* ff, bool sync) {
    kernel.fuse_file_put(C(*ff), sync);
  }
  static kiocb KiocbOf(const Kiocb<W>& iocb) {
    return {C(*iocb.file), iocb.pos, iocb.append ? IOCB_APPEND : 0};
  }
  static bool DioLock(FuseInode<W>&, const Kiocb<W>& iocb) {
    kiocb k = KiocbOf(iocb);
    iov_iter from = {static_cast<unsigned long>(iocb.count)};
    bool exclusive = false;
    kernel.fuse_dio_lock(&k, &from, &exclusive);
    return exclusive;
  }
  static void DioUnlock(FuseInode<W>&, const Kiocb<W>& iocb, bool exclusive) {
    kiocb k = KiocbOf(iocb);
    kernel.fuse_dio_unlock(&k, exclusive);
  }
  // With what mmap_region does before and after.
  static int FileMmap(FuseInode<W>&, File<W>& f, Vma<W>& vma) {
    vm_area_struct area = {};
    area.vm_file = C(f);
    if (vma.shared) area.vm_flags |= VM_MAYSHARE;
    if (!vma.shared || (f.f_flags & OPEN_WRITE)) area.vm_flags |= VM_MAYWRITE;
    if (vma.shared && (f.f_flags & OPEN_WRITE)) area.vm_flags |= VM_SHARED;
    const int err = kernel.fuse_file_mmap(area.vm_file, &area);
    if (err) return err;
    vma.backing = reinterpret_cast<BackingInode*>(area.backing);
    if (vma.backing != nullptr) return 0;
    vma.fuse_vm_ops = area.vm_ops != nullptr;
    W::refcount_inc(f.f_count);
    vma.file = &f;
    return 0;
  }

  static void TakeFunctions(SourceInfo* info) {
    const auto take = [info](const char* function, auto* from, auto*& to, auto* wrapper) {
      to = from != nullptr ? wrapper : nullptr;
      if (from == nullptr) info->lacking.push_back(function);
    };
#define TAKE(function, wrapper) take(#function, kernel.function, ops.function, wrapper)
    TAKE(fuse_file_cached_io_open, CachedIoOpen);
    TAKE(fuse_inode_uncached_io_start, UncachedIoStart);
    TAKE(fuse_inode_uncached_io_end, UncachedIoEnd);
    TAKE(fuse_file_io_open, IoOpen);
    TAKE(fuse_file_io_release, IoRelease);
    TAKE(fuse_backing_open, BackingOpen);
    TAKE(fuse_backing_close, BackingClose);
    TAKE(fuse_backing_put, BackingPut);
    TAKE(fuse_passthrough_release, PassthroughRelease);
    TAKE(fuse_finish_open, FinishOpen);
    TAKE(fuse_sync_release, SyncRelease);
    TAKE(fuse_release, Release);
    TAKE(fuse_file_put, FilePut);
    TAKE(fuse_dio_lock, DioLock);
    TAKE(fuse_dio_unlock, DioUnlock);
    TAKE(fuse_file_mmap, FileMmap);
#undef TAKE
  }

  static const Revision* Load(void* library, const std::string& path, const std::string& called,
                              const Revision* base, SourceInfo* info, std::string* error) {
    source_functions found = {};
    reinterpret_cast<void (*)(source_functions*)>(dlsym(library, "source_functions"))(&found);
    if (base == nullptr) base = RevisionOfLinux(found.version, found.patchlevel);
    if (base == nullptr) {
      *error = found.version == 0
                   ? absl::StrCat(found.origin, ": has no Makefile that says which kernel this is")
                   : absl::StrCat(found.origin, ": is Linux ", found.version, ".", found.patchlevel,
                                  ", older than every vX.Y");
      absl::StrAppend(error, "; name the revision that the rest behaves like with --kernel");
      return nullptr;
    }
    kernel = found;
    *info = {};
    info->origin = kernel.origin;
    info->base = base;
    TakeFunctions(info);
    name = called;
    revision = *base;
    revision.name = name.c_str();
    counts = static_cast<const source_count*>(dlsym(library, "source_counts"));
    names.clear();
    std::ifstream in(std::filesystem::path(path).replace_extension(".names"));
    uint64_t address;
    for (std::string function; in >> std::hex >> address >> function;) names[address] = function;
    Machine::SetOps(revision, &ops);
    W::entered = CountEntered;
    return &revision;
  }

  static EnteredFunctions Counted() {
    EnteredFunctions all;
    for (const auto& [address, function] : names) all.kernel[function] = 0;
    Dl_info library;
    for (int i = 0; i < SOURCE_COUNTS; i++) {
      if (counts[i].function == nullptr || !dladdr(counts, &library)) continue;
      const auto at = names.find(static_cast<const char*>(counts[i].function) -
                                 static_cast<const char*>(library.dli_fbase));
      if (at != names.end()) all.kernel[at->second] += counts[i].calls;
    }
    const std::lock_guard<std::mutex> lock(entered_mutex);
    for (const auto& [function, calls] : entered_functions[&ops]) all.model[function] += calls;
    return all;
  }
};

}  // namespace

const Revision* LoadSource(int slot, const std::string& path, const std::string& name,
                           const Revision* base, SourceInfo* info, std::string* error) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    *error = dlerror();
    return nullptr;
  }
  auto* points = static_cast<source_points*>(dlsym(library, "source_points"));
  if (points == nullptr || dlsym(library, "source_functions") == nullptr ||
      dlsym(library, "source_counts") == nullptr) {
    *error = path + ": is no library made by conformance/source/build";
    dlclose(library);
    return nullptr;
  }
  *points = SourcePoints();
  ForgetUnlockedWrites();
  return slot == 0 ? Loaded<0>::Load(library, path, name, base, info, error)
                   : Loaded<1>::Load(library, path, name, base, info, error);
}

EnteredFunctions Entered(int slot) {
  return slot == 0 ? Loaded<0>::Counted() : Loaded<1>::Counted();
}

}  // namespace iomode
