// SPDX-License-Identifier: GPL-2.0-only
//
// fs/fuse/backing.c and the open half of passthrough.c: the ids under which a server registers
// backing files, and the references to them. One reference each: the id table, every inode that a
// backing is attached to, every open under way. The last put frees after an RCU grace period, since
// lookups are under RCU only.
//
// fc->lock protects the id table. Callers may hold fi->lock.

#ifndef MODEL_BACKING_H_
#define MODEL_BACKING_H_

#include <cerrno>

#include "model/fuse_i.h"

namespace iomode {

// Frees the backings whose grace period has come.
template <class W>
void fuse_backing_reclaim(FuseConn<W>& fc) {
  fc.backings.for_each([&fc](FuseBacking<W>& fb) {
    if (fb.live && fb.rcu_pending) fc.backings.free(&fb);
  });
}

template <class W>
void fuse_backing_free(FuseConn<W>& fc, FuseBacking<W>* fb) {
  if (W::rcu_idle(fc.rcu)) {
    fc.backings.free(fb);
  } else {
    fb->rcu_pending = true;
  }
}

template <class W>
FuseBacking<W>* fuse_backing_get(FuseBacking<W>* fb) {
  return fb != nullptr && W::refcount_inc_not_zero(fb->count) ? fb : nullptr;
}

template <class W>
void fuse_backing_put(FuseConn<W>& fc, FuseBacking<W>* fb) {
  if (fb == nullptr) return;
  if (fc.ops != nullptr && fc.ops->fuse_backing_put != nullptr)
    return fc.ops->fuse_backing_put(fc, fb);
  if (W::refcount_dec_and_test(fb->count)) fuse_backing_free(fc, fb);
}

// FUSE_DEV_IOC_BACKING_OPEN of a regular file. Returns the id, at least 1, or a negative errno:
// -ENOTTY where the ioctl does not exist, -EPERM without the capability, -EINVAL for flags,
// -ENOMEM.
template <class W>
[[gnu::noinline]] int fuse_backing_open(FuseConn<W>& fc, BackingInode* file, int64_t flags) {
  if (fc.ops != nullptr && fc.ops->fuse_backing_open != nullptr)
    return fc.ops->fuse_backing_open(fc, file, flags);
  typename W::Function fn("fuse_backing_open");
  if (fc.rules->passthrough == Passthrough::kUnknownBit) return -ENOTTY;
  if (!fc.passthrough) return -EPERM;
  if (flags != 0) return -EINVAL;
  FuseBacking<W>* fb = W::allocation_fails() ? nullptr : fc.backings.alloc();
  if (fb == nullptr) return -ENOMEM;
  fb->file = file;
  W::refcount_set(fb->count, 1);

  W::spin_lock(fc.lock);
  W::operation("enters into", &fc.backing_files_map, fc.backing_ids + 1);
  const int id = fc.backing_ids + 1;
  fc.backing_ids = id;
  racy_write(fc.backing_files_map[id - 1], fb);
  W::spin_unlock(fc.lock);
  return id;
}

// FUSE_DEV_IOC_BACKING_CLOSE: drops the id table's reference only. 0, -ENOTTY, -EPERM, -EINVAL for
// an id below 1, -ENOENT.
template <class W>
[[gnu::noinline]] int fuse_backing_close(FuseConn<W>& fc, int64_t id) {
  if (fc.ops != nullptr && fc.ops->fuse_backing_close != nullptr)
    return fc.ops->fuse_backing_close(fc, id);
  typename W::Function fn("fuse_backing_close");
  if (fc.rules->passthrough == Passthrough::kUnknownBit) return -ENOTTY;
  if (!fc.passthrough) return -EPERM;
  if (id <= 0) return -EINVAL;

  FuseBacking<W>* fb = nullptr;
  W::spin_lock(fc.lock);
  W::operation("removes from", &fc.backing_files_map, id);
  if (id <= fc.backing_ids) {
    fb = fc.backing_files_map[id - 1];
    racy_write(fc.backing_files_map[id - 1], static_cast<FuseBacking<W>*>(nullptr));
  }
  W::spin_unlock(fc.lock);
  if (fb == nullptr) return -ENOENT;
  fuse_backing_put(fc, fb);
  return 0;
}

// Looks an id up and opens this file's own backing_file. On success *result holds a reference.
// -EINVAL for an id below 1, -ENOENT for one that is not in the table, or what opening gives.
template <class W>
[[gnu::noinline]] int fuse_passthrough_open(FuseConn<W>& fc, FuseFile<W>& ff, int32_t id,
                                            FuseBacking<W>** result) {
  typename W::Function fn("fuse_passthrough_open");
  if (id <= 0) return -EINVAL;

  W::rcu_read_lock(fc.rcu);
  W::operation("looks up in", &fc.backing_files_map, id);
  FuseBacking<W>* fb = id <= fc.backing_ids ? racy_read(fc.backing_files_map[id - 1]) : nullptr;
  fb = fuse_backing_get(fb);
  if (W::rcu_read_unlock(fc.rcu)) fuse_backing_reclaim(fc);
  if (fb == nullptr) return -ENOENT;

  if (W::allocation_fails()) {
    fuse_backing_put(fc, fb);
    return -ENOMEM;
  }
  ff.passthrough = fb->file;
  *result = fb;
  return 0;
}

// Closes the file's own backing_file. The inode's reference to the backing stays.
template <class W>
void fuse_passthrough_release(FuseConn<W>& fc, FuseFile<W>& ff) {
  if (fc.ops != nullptr && fc.ops->fuse_passthrough_release != nullptr)
    return fc.ops->fuse_passthrough_release(fc, ff);
  ff.passthrough = nullptr;
}

// The connection goes away: the id table drops its references.
template <class W>
void fuse_backing_files_free(FuseConn<W>& fc) {
  for (int32_t i = 0; i < fc.backing_ids; i++) {
    FuseBacking<W>* fb = fc.backing_files_map[i];
    if (fb == nullptr) continue;
    W::WARN_ON(W::refcount_read(fb->count) != 1, "refcount_read(&fb->count) != 1");
    fuse_backing_free(fc, fb);
  }
}

}  // namespace iomode

#endif  // MODEL_BACKING_H_
