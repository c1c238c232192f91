// SPDX-License-Identifier: GPL-2.0-only
//
// Mappings (fs/fuse/file.c, mm/filemap.c, mm/memory.c): which file a mapping is of, what it pins,
// and what a load or a store of it does. Page tables are not modelled: a page that is there and
// unlocked is taken to be mapped.
//
// The process's mmap_lock is held for write around fuse_file_mmap, shared while vm_ops->close runs.

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
  typename W::Function fn("fuse_file_mmap");
  FuseConn<W>& fc = *fi.fc;
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

  vma.fuse_vm_ops = true;
  if (ff.open_flags & FOPEN_DIRECT_IO) {
    if (vma.shared && !fc.cap(CONN_DIRECT_IO_ALLOW_MMAP)) return -ENODEV;
    invalidate_inode_pages2(fi);
    if (!vma.shared) {
      vma.fuse_vm_ops = false;
    } else {
      const int err = fuse_file_cached_io_open(fi, ff);
      if (err) return err;
    }
  }
  if (vma.shared && (file.f_flags & OPEN_WRITE)) fuse_link_write_file(fi, ff);
  W::refcount_inc(file.f_count);
  vma.file = &file;
  return 0;
}

// Waits until page `index` is there and up to date; leaves it locked, with i_pages held. -EFAULT:
// SIGBUS.
template <class W>
[[gnu::noinline]] int filemap_fault(FuseInode<W>& fi, Kiocb<W>& iocb, int64_t index) {
  typename W::Function fn("filemap_fault");
  AddressSpace<W>& mapping = fi.i_data;
  if (index >= pages_up_to(i_size_read(fi))) return -EFAULT;
  bool tried = false;
  while (true) {
    W::spin_lock(mapping.i_pages);
    const bool there = __page_is(mapping, index, PG_present);
    const bool marked = __page_is(mapping, index, PG_readahead);
    W::spin_unlock(mapping.i_pages);
    if (there && marked && !tried) page_cache_async_ra(fi, *iocb.file, index, kReadaheadPages);
    if (!there && !tried) {
      iocb.from_server = true;
      do_sync_mmap_readahead(fi, *iocb.file, index);
    }
    W::spin_lock(mapping.i_pages);
    if (!__page_is(mapping, index, PG_present)) {
      if (index >= mapping.npages) {
        W::spin_unlock(mapping.i_pages);
        return -EFAULT;
      }
      __page_add(mapping, index, 0);
    } else {
      if (!__page_wait_unlocked(mapping, index)) {
        W::spin_unlock(mapping.i_pages);
        continue;
      }
      __page_set(mapping, index, PG_locked);
    }
    tried = true;
    if (__page_is(mapping, index, PG_uptodate)) break;
    W::spin_unlock(mapping.i_pages);
    iocb.from_server = true;
    const int err = fuse_read_folio(fi, *iocb.file, index);
    if (err) return -EFAULT;
  }
  if (index >= pages_up_to(fi.i_size.value)) {
    __page_unlock(mapping, index);
    W::spin_unlock(mapping.i_pages);
    return -EFAULT;
  }
  return 0;
}

// One access to a mapping of a FUSE file. 0 or -EFAULT.
template <class W>
[[gnu::noinline]] int handle_mm_fault(FuseInode<W>& fi, Vma<W>& vma, Kiocb<W>& iocb, bool store) {
  typename W::Function fn("handle_mm_fault");
  AddressSpace<W>& mapping = fi.i_data;
  const int64_t index = page_of(iocb.pos);
  if (index < mapping.npages && racy_read(vma.cow[index])) return 0;
  const bool write_shared = store && vma.shared;
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
    const int err = filemap_fault(fi, iocb, index);
    if (err) return err;
  }
  if (write_shared) {
    __page_wait_writeback(mapping, index);
    if (__page_is(mapping, index, PG_present)) {
      __page_set(mapping, index, PG_dirty);
      mapping.bytes[index] = static_cast<uint16_t>(W::current() + 1);
    }
  } else if (store) {
    racy_write(vma.cow[index], uint8_t{1});
  }
  iocb.from_ahead = __page_is(mapping, index, PG_ahead);
  if (__page_is(mapping, index, PG_present)) {
    __page_clear(mapping, index, PG_ahead);
    __page_unlock(mapping, index);
  }
  W::spin_unlock(mapping.i_pages);
  return 0;
}

}  // namespace iomode

#endif  // MODEL_MMAP_H_
