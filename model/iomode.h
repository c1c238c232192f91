// SPDX-License-Identifier: GPL-2.0-only
//
// fs/fuse/iomode.c: which inode is in caching io mode, which in uncached, and who waits for it to
// change.
//
//   iocachectr   mode                              a cached open   a parallel direct write   a
//   passthrough open > 0          caching                           counts up       runs
//   exclusively instead  ETXTBSY
//     0          neutral                           1               -1                        -1,
//     attaches fb
//   < 0, no fb   parallel direct writes in flight  waits           counts down               counts
//   down, attaches fb < 0, fb      passthrough                       EINVAL, ETXTBSY counts down
//   counts down if the same fb
//
// Callers hold no spin lock. fuse_file_cached_io_open may sleep, uninterruptibly.

#ifndef MODEL_IOMODE_H_
#define MODEL_IOMODE_H_

#include <cerrno>

#include "model/backing.h"
#include "model/fuse_i.h"

namespace iomode {

template <class W>
FuseBacking<W>* fuse_inode_backing(const FuseInode<W>& fi) {
  return W::READ_ONCE(fi.fb);
}

// Whether cached io has to wait: parallel direct writes are in flight and the inode is not open for
// passthrough.
template <class W>
bool fuse_is_io_cache_wait(const FuseInode<W>& fi) {
  return W::READ_ONCE(fi.iocachectr) < 0 && fuse_inode_backing(fi) == nullptr;
}

// Takes the file's caching reference; waits for parallel direct writes to end. At a cached open,
// and at the first shared mmap of a direct file. 0, or -ETXTBSY when the inode is (or, where opens
// wait, became) uncached.
template <class W>
[[gnu::noinline]] int fuse_file_cached_io_open(FuseInode<W>& fi, FuseFile<W>& ff) {
  if (const auto* ops = fi.fc->ops; ops != nullptr && ops->fuse_file_cached_io_open != nullptr)
    return ops->fuse_file_cached_io_open(fi, ff);
  typename W::Function fn("fuse_file_cached_io_open");
  const Rules& rules = *fi.fc->rules;
  if (!ff.has_args) return 0;

  W::spin_lock(fi.lock);
  if (rules.cached_open_waits) {
    while (fuse_is_io_cache_wait(fi)) {
      W::set_bit(FUSE_I_CACHE_IO_MODE, fi.state);
      W::spin_unlock(fi.lock);
      W::wait_event(fi.direct_io_waitq, [&fi, &rules] {
        if (!fuse_is_io_cache_wait(fi)) return true;
        if (rules.wait_sets_bit_again) W::set_bit(FUSE_I_CACHE_IO_MODE, fi.state);
        return false;
      });
      W::spin_lock(fi.lock);
    }
    if (fuse_inode_backing(fi) != nullptr) {
      W::clear_bit(FUSE_I_CACHE_IO_MODE, fi.state);
      W::spin_unlock(fi.lock);
      return -ETXTBSY;
    }
  } else if (W::READ_ONCE(fi.iocachectr) < 0) {
    W::spin_unlock(fi.lock);
    return -ETXTBSY;
  }

  W::WARN_ON(ff.iomode == IOM_UNCACHED, "ff->iomode == IOM_UNCACHED");
  if (ff.iomode == IOM_NONE) {
    ff.iomode = IOM_CACHED;
    const int ctr = W::READ_ONCE(fi.iocachectr);
    if (ctr == 0) W::set_bit(FUSE_I_CACHE_IO_MODE, fi.state);
    W::WRITE_ONCE(fi.iocachectr, ctr + 1);
  }
  W::spin_unlock(fi.lock);
  return 0;
}

// Drops the file's caching reference.
template <class W>
[[gnu::noinline]] void fuse_file_cached_io_release(FuseFile<W>& ff, FuseInode<W>& fi) {
  typename W::Function fn("fuse_file_cached_io_release");
  W::spin_lock(fi.lock);
  const int ctr = W::READ_ONCE(fi.iocachectr);
  W::WARN_ON(ctr <= 0, "fi->iocachectr <= 0");
  W::WARN_ON(ff.iomode != IOM_CACHED, "ff->iomode != IOM_CACHED");
  ff.iomode = IOM_NONE;
  W::WRITE_ONCE(fi.iocachectr, ctr - 1);
  if (ctr - 1 == 0) W::clear_bit(FUSE_I_CACHE_IO_MODE, fi.state);
  W::spin_unlock(fi.lock);
}

// Takes an uncached reference: for a parallel direct write (fb NULL), or for a passthrough open,
// whose reference to fb is then the inode's, or dropped when the inode has one already. On an error
// fb stays the caller's: -EBUSY when another backing is attached, -ETXTBSY when the inode is in
// caching mode. `marked` is the file whose mode changes with it, in one section.
template <class W>
[[gnu::noinline]] int fuse_inode_uncached_io_start(FuseInode<W>& fi, FuseBacking<W>* fb,
                                                   FuseFile<W>* marked = nullptr) {
  if (const auto* ops = fi.fc->ops; ops != nullptr && ops->fuse_inode_uncached_io_start != nullptr)
    return ops->fuse_inode_uncached_io_start(fi, fb);
  typename W::Function fn("fuse_inode_uncached_io_start");
  const Rules& rules = *fi.fc->rules;
  int err = 0;

  W::spin_lock(fi.lock);
  FuseBacking<W>* oldfb = fuse_inode_backing(fi);
  const int ctr = W::READ_ONCE(fi.iocachectr);
  if (oldfb != nullptr && oldfb != fb && (fb != nullptr || rules.null_backing_is_busy)) {
    err = -EBUSY;
  } else if (ctr > 0) {
    err = -ETXTBSY;
  } else {
    W::WARN_ON(marked != nullptr && marked->iomode != IOM_NONE, "ff->iomode != IOM_NONE");
    W::WRITE_ONCE(fi.iocachectr, ctr - 1);
    if (marked != nullptr) marked->iomode = IOM_UNCACHED;
    if (fb != nullptr && oldfb == nullptr) {
      oldfb = W::xchg(fi.fb, fb);
      W::WARN_ON(oldfb != nullptr, "oldfb != NULL");
      if (rules.attach_wakes_waiters) W::wake_up(fi.direct_io_waitq);
    } else {
      fuse_backing_put(*fi.fc, fb);
    }
  }
  W::spin_unlock(fi.lock);
  return err;
}

// Drops an uncached reference. The last one wakes the waiters and detaches fb. `marked` as above.
template <class W>
[[gnu::noinline]] void fuse_inode_uncached_io_end(FuseInode<W>& fi, FuseFile<W>* marked = nullptr) {
  if (const auto* ops = fi.fc->ops; ops != nullptr && ops->fuse_inode_uncached_io_end != nullptr)
    return ops->fuse_inode_uncached_io_end(fi);
  typename W::Function fn("fuse_inode_uncached_io_end");
  FuseBacking<W>* oldfb = nullptr;

  W::spin_lock(fi.lock);
  const int ctr = W::READ_ONCE(fi.iocachectr);
  W::WARN_ON(ctr >= 0, "fi->iocachectr >= 0");
  if (marked != nullptr) {
    W::WARN_ON(marked->iomode != IOM_UNCACHED, "ff->iomode != IOM_UNCACHED");
    marked->iomode = IOM_NONE;
  }
  W::WRITE_ONCE(fi.iocachectr, ctr + 1);
  if (ctr + 1 == 0) {
    W::wake_up(fi.direct_io_waitq);
    oldfb = W::xchg(fi.fb, static_cast<FuseBacking<W>*>(nullptr));
  }
  W::spin_unlock(fi.lock);
  if (oldfb != nullptr) fuse_backing_put(*fi.fc, oldfb);
}

// Whether a file's mode and its reference change in one section: before 4864a6dd8320.
inline bool marks_with_reference(const Rules& rules) {
  return rules.parallel_open_holds_reference || rules.parallel_write_marks_file;
}

// The uncached reference of a file, held from a passthrough open to its release.
template <class W>
int fuse_file_uncached_io_open(FuseInode<W>& fi, FuseFile<W>& ff, FuseBacking<W>* fb) {
  if (marks_with_reference(*fi.fc->rules)) return fuse_inode_uncached_io_start(fi, fb, &ff);
  const int err = fuse_inode_uncached_io_start(fi, fb);
  if (err) return err;
  W::WARN_ON(ff.iomode != IOM_NONE, "ff->iomode != IOM_NONE");
  ff.iomode = IOM_UNCACHED;
  return 0;
}

template <class W>
void fuse_file_uncached_io_release(FuseFile<W>& ff, FuseInode<W>& fi) {
  if (marks_with_reference(*fi.fc->rules)) return fuse_inode_uncached_io_end(fi, &ff);
  W::WARN_ON(ff.iomode != IOM_UNCACHED, "ff->iomode != IOM_UNCACHED");
  ff.iomode = IOM_NONE;
  fuse_inode_uncached_io_end(fi);
}

// The flags that may stand beside FOPEN_PASSTHROUGH.
inline constexpr uint32_t FOPEN_PASSTHROUGH_MASK =
    FOPEN_PASSTHROUGH | FOPEN_DIRECT_IO | FOPEN_PARALLEL_DIRECT_WRITES | FOPEN_NOFLUSH;

template <class W>
[[gnu::noinline]] int fuse_file_passthrough_open(FuseInode<W>& fi, File<W>& file) {
  typename W::Function fn("fuse_file_passthrough_open");
  FuseConn<W>& fc = *fi.fc;
  FuseFile<W>& ff = *file.private_data;
  if (!fc.passthrough || (ff.open_flags & ~FOPEN_PASSTHROUGH_MASK)) return -EINVAL;
  if (fc.rules->passthrough == Passthrough::kRefused) return -EOPNOTSUPP;

  FuseBacking<W>* fb = nullptr;
  int err = fuse_passthrough_open(fc, ff, ff.backing_id, &fb);
  if (err) return err;
  err = fuse_file_uncached_io_open(fi, ff, fb);
  if (!err) return 0;
  fuse_passthrough_release(fc, ff);
  fuse_backing_put(fc, fb);
  return err;
}

// The io-mode step of open(2). Every failure is EIO: an unfit mode is the server's mistake.
template <class W>
[[gnu::noinline]] int fuse_file_io_open(FuseInode<W>& fi, File<W>& file) {
  if (const auto* ops = fi.fc->ops; ops != nullptr && ops->fuse_file_io_open != nullptr)
    return ops->fuse_file_io_open(fi, file);
  typename W::Function fn("fuse_file_io_open");
  const Rules& rules = *fi.fc->rules;
  FuseFile<W>& ff = *file.private_data;
  if (!ff.has_args) return 0;

  const bool passthrough =
      rules.passthrough != Passthrough::kUnknownBit && (ff.open_flags & FOPEN_PASSTHROUGH) != 0;
  if (fuse_inode_backing(fi) != nullptr && !passthrough) return -EIO;
  if (!(ff.open_flags & FOPEN_DIRECT_IO)) ff.open_flags &= ~FOPEN_PARALLEL_DIRECT_WRITES;

  int err;
  if (passthrough) {
    err = fuse_file_passthrough_open(fi, file);
  } else if (ff.open_flags & FOPEN_DIRECT_IO) {
    if (!rules.parallel_open_holds_reference || !(ff.open_flags & FOPEN_PARALLEL_DIRECT_WRITES))
      return 0;
    err = fuse_file_uncached_io_open(fi, ff, static_cast<FuseBacking<W>*>(nullptr));
  } else {
    err = fuse_file_cached_io_open(fi, ff);
  }
  return err ? -EIO : 0;
}

// Drops whatever reference the file holds; no io through it is in flight or can start.
template <class W>
[[gnu::noinline]] void fuse_file_io_release(FuseFile<W>& ff, FuseInode<W>& fi) {
  if (const auto* ops = fi.fc->ops; ops != nullptr && ops->fuse_file_io_release != nullptr)
    return ops->fuse_file_io_release(ff, fi);
  typename W::Function fn("fuse_file_io_release");
  switch (ff.iomode) {
    case IOM_NONE:
      break;
    case IOM_UNCACHED:
      fuse_file_uncached_io_release(ff, fi);
      break;
    case IOM_CACHED:
      fuse_file_cached_io_release(ff, fi);
      break;
  }
}

}  // namespace iomode

#endif  // MODEL_IOMODE_H_
