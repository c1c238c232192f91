// SPDX-License-Identifier: GPL-2.0-only
//
// Mappings (fs/fuse/file.c, mm/filemap.c, mm/memory.c): which file a mapping is of, what it pins,
// and what a load or a store of it does. Page tables are not modelled: a page that is there and
// unlocked is taken to be mapped.
//
// The process's mmap_lock is held for write around fuse_file_mmap, shared while vm_ops->close runs.
// An access holds the mapping's own lock, lets go of it while pages come in, and is then handled
// once more under mmap_lock (arch/x86/mm/fault.c).

#ifndef MODEL_MMAP_H_
#define MODEL_MMAP_H_

#include <cerrno>

#include "model/file.h"
#include "model/fuse_i.h"
#include "model/iomode.h"
#include "model/read_write.h"
#include "model/readahead.h"

namespace iomode {

// Maps the file. 0 with *vma set up, or ENODEV, ETXTBSY. A passthrough file's mapping is of its
// backing file and does not hold the FUSE file.
template <class W>
[[gnu::noinline]] int fuse_file_mmap(FuseInode<W>& fi, File<W>& file, Vma<W>& vma) {
  FuseConn<W>& fc = *fi.fc;
  if (fc.ops != nullptr && fc.ops->fuse_file_mmap != nullptr)
    return fc.ops->fuse_file_mmap(fi, file, vma);
  typename W::Function fn("fuse_file_mmap");
  FuseFile<W>& ff = *file.private_data;
  if (fc.rules->passthrough == Passthrough::kFull) {
    if (ff.passthrough != nullptr) {
      vma.backing = ff.passthrough;
      return 0;
    }
    if (fuse_inode_backing(fi) != nullptr) return -ENODEV;
  } else if (ff.passthrough != nullptr) {
    return -ENODEV;
  }

  bool fuse_vm_ops = true;
  if (ff.open_flags & FOPEN_DIRECT_IO) {
    if (vma.shared && !fc.cap(CONN_DIRECT_IO_ALLOW_MMAP)) return -ENODEV;
    invalidate_inode_pages2(fi);
    if (!vma.shared) {
      fuse_vm_ops = false;
    } else {
      const int err = fuse_file_cached_io_open(fi, ff);
      if (err) return err;
    }
  }
  if (vma.shared && (file.f_flags & OPEN_WRITE)) fuse_link_write_file(fi, ff);
  vma.fuse_vm_ops = fuse_vm_ops;
  W::refcount_inc(file.f_count);
  vma.file = &file;
  return 0;
}

// struct vm_fault: one access that the page tables do not answer.
template <class W>
struct VmFault {
  Vma<W>* vma;
  Kiocb<W>* iocb;  // where; says afterwards where the bytes came from
  bool store;
  typename W::RwSem* held;       // the lock held shared: the mapping's or mmap_lock
  typename W::RwSem* mmap_lock;  // nullptr: held by the caller, for the whole access
  bool may_retry;                // FAULT_FLAG_ALLOW_RETRY without FAULT_FLAG_TRIED
  bool major;                    // VM_FAULT_MAJOR
  bool retry;                    // VM_FAULT_RETRY: `held` was let go, handle it again
  uint8_t pins;                  // references to the file, taken when `held` was let go
};

// maybe_unlock_mmap_for_io(): the lock is not held while pages come in.
template <class W>
void maybe_unlock_mmap_for_io(VmFault<W>& vmf) {
  if (!vmf.may_retry || vmf.retry) return;
  W::refcount_inc(vmf.vma->file->f_count);
  vmf.pins++;
  vmf.retry = true;
  W::up_read(*vmf.held);
}

// Waits until page `index` is there and up to date; leaves it locked, with i_pages held. -EFAULT:
// SIGBUS. With vmf.retry set, or a negative errno, nothing is held.
template <class W>
[[gnu::noinline]] int filemap_fault(FuseInode<W>& fi, VmFault<W>& vmf, int64_t index) {
  typename W::Function fn("filemap_fault");
  AddressSpace<W>& mapping = fi.i_data;
  File<W>& file = *vmf.vma->file;
  if (index >= pages_up_to(i_size_read(fi))) return -EFAULT;
  bool tried = false;
  while (true) {
    W::spin_lock(mapping.i_pages);
    const bool there = __page_is(mapping, index, PG_present);
    const bool marked = __page_is(mapping, index, PG_readahead);
    W::spin_unlock(mapping.i_pages);
    if (there && marked && !tried) {
      maybe_unlock_mmap_for_io(vmf);
      vmf.iocb->from_ahead = true;
      page_cache_async_ra(fi, file, index, kReadaheadPages);
    }
    if (!there && !tried) {
      vmf.major = true;
      maybe_unlock_mmap_for_io(vmf);
      do_sync_mmap_readahead(fi, file, index);
    }
    W::spin_lock(mapping.i_pages);
    if (!__page_is(mapping, index, PG_present)) {
      if (index >= mapping.npages) {
        W::spin_unlock(mapping.i_pages);
        return -EFAULT;
      }
      __page_add(mapping, index, 0);
    } else {
      if (__page_is(mapping, index, PG_locked)) {
        W::spin_unlock(mapping.i_pages);
        maybe_unlock_mmap_for_io(vmf);
        W::spin_lock(mapping.i_pages);
      }
      const int err = __page_wait_unlocked_killable(mapping, index);
      if (err || !__page_is(mapping, index, PG_present)) {
        W::spin_unlock(mapping.i_pages);
        if (err) return err;
        continue;
      }
      __page_set(mapping, index, PG_locked);
    }
    tried = true;
    if (__page_is(mapping, index, PG_uptodate)) break;
    W::spin_unlock(mapping.i_pages);
    maybe_unlock_mmap_for_io(vmf);
    const int err = fuse_read_folio(fi, file, index);
    if (vmf.retry) return 0;
    if (err) return -EFAULT;
  }
  const bool beyond = index >= pages_up_to(fi.i_size.value);
  if (!beyond && !vmf.retry) return 0;
  __page_unlock(mapping, index);
  W::spin_unlock(mapping.i_pages);
  return vmf.retry ? 0 : -EFAULT;
}

// vmf_anon_prepare(): the first private copy of a page in a mapping needs mmap_lock. False when it
// must be waited for: vmf.retry is set then.
template <class W>
bool vmf_anon_prepare(VmFault<W>& vmf) {
  Vma<W>& vma = *vmf.vma;
  if (racy_read(vma.anon_vma)) return true;
  if (vmf.held != vmf.mmap_lock && vmf.mmap_lock != nullptr) {
    if (!W::down_read_trylock(*vmf.mmap_lock)) {
      vmf.retry = true;
      W::up_read(*vmf.held);
      return false;
    }
    W::up_read(*vmf.mmap_lock);
  }
  racy_write(vma.anon_vma, uint8_t{1});
  return true;
}

// 0; with vmf.retry set the access is to be handled again, and `held` was let go; or a negative
// errno.
template <class W>
[[gnu::noinline]] int handle_mm_fault(FuseInode<W>& fi, VmFault<W>& vmf) {
  typename W::Function fn("handle_mm_fault");
  AddressSpace<W>& mapping = fi.i_data;
  Vma<W>& vma = *vmf.vma;
  const int64_t index = page_of(vmf.iocb->pos);
  if (index < mapping.npages && racy_read(vma.cow[index])) return 0;
  const bool write_shared = vmf.store && vma.shared;
  if (vmf.store && !vma.shared && !vmf_anon_prepare(vmf)) return 0;
  W::spin_lock(mapping.i_pages);
  const bool mapped = __page_is(mapping, index, PG_present | PG_uptodate) &&
                      !__page_is(mapping, index, PG_locked) &&
                      !__page_is(mapping, index, PG_readahead) &&
                      (!write_shared || __page_is(mapping, index, PG_dirty)) &&
                      index < pages_up_to(fi.i_size.value);
  if (mapped) {
    __page_set(mapping, index, PG_locked);
  } else {
    W::spin_unlock(mapping.i_pages);
    const int err = filemap_fault(fi, vmf, index);
    if (err || vmf.retry) return err;
  }
  if (write_shared) {
    __page_wait_writeback(mapping, index);
    if (__page_is(mapping, index, PG_present)) {
      if (!__page_is(mapping, index, PG_dirty)) file_update_time(fi);
      __page_set(mapping, index, PG_dirty);
      mapping.bytes[index] = static_cast<uint16_t>(W::current() + 1);
    }
  } else if (vmf.store) {
    racy_write(vma.cow[index], uint8_t{1});
  }
  vmf.iocb->from_ahead |= __page_is(mapping, index, PG_ahead);
  if (__page_is(mapping, index, PG_present)) {
    __page_clear(mapping, index, PG_ahead);
    __page_unlock(mapping, index);
  }
  W::spin_unlock(mapping.i_pages);
  return 0;
}

template <class W>
void fput(FuseConn<W>& fc, File<W>* file);

// One access to a mapping of a FUSE file. 0, -EFAULT where the task would get a signal, or -EINTR
// when it was killed. `mmap_lock` is the process's, not held; nullptr: the caller holds it shared,
// and keeps it.
template <class W>
[[gnu::noinline]] int do_user_addr_fault(Vma<W>& vma, typename W::RwSem* mmap_lock, Kiocb<W>& iocb,
                                         bool store) {
  VmFault<W> vmf = {};
  vmf.vma = &vma;
  vmf.iocb = &iocb;
  vmf.store = store;
  vmf.mmap_lock = mmap_lock;
  vmf.may_retry = mmap_lock != nullptr;
  if (mmap_lock != nullptr && W::down_read_trylock(vma.vm_lock)) vmf.held = &vma.vm_lock;
  File<W>* file = nullptr;
  int err = 0;
  do {
    if (mmap_lock != nullptr && vmf.held == nullptr) {
      err = W::down_read_killable(*mmap_lock);
      if (err) break;
      vmf.held = mmap_lock;
    }
    vmf.retry = false;
    if (!vma.live) {
      err = -EFAULT;
    } else {
      file = vma.file;
      err = handle_mm_fault(*file->inode, vmf);
    }
    if (!vmf.retry) {
      if (vmf.held != nullptr) W::up_read(*vmf.held);
      break;
    }
    // After an attempt that met no missing page under the mapping's lock there may be another one.
    vmf.may_retry = vmf.held == &vma.vm_lock && !vmf.major;
    vmf.held = nullptr;
    if (W::fatal_signal_pending()) err = -EINTR;
  } while (!err);
  for (; vmf.pins > 0; vmf.pins--) fput(*file->inode->fc, file);
  return err;
}

}  // namespace iomode

#endif  // MODEL_MMAP_H_
