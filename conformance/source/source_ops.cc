// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/source/source_ops.h"

#include <dlfcn.h>

#include <cerrno>

#include "conformance/source/source_points.h"
#include "sim/machine.h"

namespace iomode {
namespace {

using W = ScheduledWorld;

// The kernel functions of the loaded library, under the model's signatures.
source_functions kernel;

fuse_inode* C(FuseInode<W>& fi) { return reinterpret_cast<fuse_inode*>(&fi); }
inode* Inode(FuseInode<W>& fi) { return reinterpret_cast<inode*>(&fi); }
fuse_backing* C(FuseBacking<W>* fb) { return reinterpret_cast<fuse_backing*>(fb); }
fuse_conn* C(FuseConn<W>& fc) { return reinterpret_cast<fuse_conn*>(&fc); }
fuse_file* C(FuseFile<W>& ff) {
  ff.args = ff.has_args ? &ff.backing_id : nullptr;
  return reinterpret_cast<fuse_file*>(&ff);
}

int CachedIoOpen(FuseInode<W>& fi, FuseFile<W>& ff) {
  return kernel.fuse_file_cached_io_open(Inode(fi), C(ff));
}
int UncachedIoStart(FuseInode<W>& fi, FuseBacking<W>* fb) {
  return kernel.fuse_inode_uncached_io_start(C(fi), C(fb));
}
void UncachedIoEnd(FuseInode<W>& fi) { kernel.fuse_inode_uncached_io_end(C(fi)); }
int IoOpen(FuseInode<W>& fi, File<W>& f) {
  C(*f.private_data);
  return kernel.fuse_file_io_open(reinterpret_cast<file*>(&f), Inode(fi));
}
void IoRelease(FuseFile<W>& ff, FuseInode<W>& fi) { kernel.fuse_file_io_release(C(ff), Inode(fi)); }
int BackingOpen(FuseConn<W>& fc, BackingInode* backing, int64_t flags) {
  // The descriptor of a backing file is where it lies in the arena.
  const auto offset = reinterpret_cast<uint8_t*>(backing) - W::scheduler().shared();
  fuse_backing_map map = {static_cast<int>(offset), static_cast<unsigned>(flags), 0};
  return kernel.fuse_backing_open(C(fc), &map);
}
int BackingClose(FuseConn<W>& fc, int64_t id) {
  return kernel.fuse_backing_close(C(fc), static_cast<int>(id));
}
void BackingPut(FuseConn<W>&, FuseBacking<W>* fb) { kernel.fuse_backing_put(C(fb)); }
void PassthroughRelease(FuseConn<W>&, FuseFile<W>& ff) {
  kernel.fuse_passthrough_release(C(ff), C(ff.inode->fb.value));
}

}  // namespace

const Revision* LoadSource(const std::string& path, const Revision& base, SourceInfo* info,
                           std::string* error) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    *error = dlerror();
    return nullptr;
  }
  auto* points = static_cast<source_points*>(dlsym(library, "source_points"));
  auto* functions =
      reinterpret_cast<void (*)(source_functions*)>(dlsym(library, "source_functions"));
  if (points == nullptr || functions == nullptr) {
    *error = path + ": is no library made by conformance/source/build";
    dlclose(library);
    return nullptr;
  }
  *points = SourcePoints();
  ForgetUnlockedWrites();
  kernel = {};
  functions(&kernel);
  *info = {};
  info->origin = kernel.origin;

  static IomodeOps<W> ops;
  const auto take = [info](const char* name, auto* from, auto*& slot, auto* wrapper) {
    slot = from != nullptr ? wrapper : nullptr;
    (from != nullptr ? info->kernel : info->model).push_back(name);
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
#undef TAKE
  static Revision source;
  source = base;
  source.name = "source";
  Machine::SetOps(source, &ops);
  return &source;
}

}  // namespace iomode
