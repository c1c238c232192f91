// SPDX-License-Identifier: GPL-2.0-only
//
// What the library built by ./build exports: the table of the kernel's functions, and the points to
// be filled in. Compiled without instrumentation; the sources are compiled with -fsanitize=thread,
// whose calls before each plain access end here instead of in a sanitizer, and with
// -finstrument-functions.

#include "fuse_i.h"

#define EXPORT __attribute__((visibility("default")))
#define WEAK __attribute__((weak))

// Weak, so that sources without a function leave NULL.
extern WEAK typeof(fuse_file_cached_io_open) fuse_file_cached_io_open;
extern WEAK typeof(fuse_file_cached_io_start) fuse_file_cached_io_start;
extern WEAK typeof(fuse_inode_uncached_io_start) fuse_inode_uncached_io_start;
extern WEAK typeof(fuse_inode_uncached_io_end) fuse_inode_uncached_io_end;
extern WEAK typeof(fuse_file_io_open) fuse_file_io_open;
extern WEAK typeof(fuse_file_io_release) fuse_file_io_release;
extern WEAK typeof(fuse_backing_open) fuse_backing_open;
extern WEAK typeof(fuse_backing_close) fuse_backing_close;
extern WEAK typeof(fuse_backing_put) fuse_backing_put;
extern WEAK typeof(fuse_passthrough_release) fuse_passthrough_release;

EXPORT struct source_points source_points;

const struct vm_operations_struct fuse_file_vm_ops = {1};

static const char credentials;
const struct cred* source_cred = (const struct cred*)&credentials;

static struct super_block backing_sb;
static struct inode backing_inode = {&backing_sb};

struct inode* file_inode(const struct file* file) {
  return source_points.is_backing_file(file) ? &backing_inode : (struct inode*)file->fi;
}

#ifdef SOURCE_HAS_BACKING
#define uncached_io_start fuse_inode_uncached_io_start
#else
static int uncached_io_start(struct fuse_inode* fi, struct fuse_backing* fb) {
  (void)fb;
  return fuse_inode_uncached_io_start(fi);
}
#endif

// Functions of file.c are static, so the code cut out of it publishes them.
#define OF_FILE(function) \
  extern WEAK typeof(((struct source_functions*)0)->function) const file_##function;
OF_FILE(fuse_finish_open)
OF_FILE(fuse_sync_release)
OF_FILE(fuse_release)
OF_FILE(fuse_file_put)
OF_FILE(fuse_dio_lock)
OF_FILE(fuse_dio_unlock)
OF_FILE(fuse_file_mmap)

EXPORT void source_functions(struct source_functions* f) {
  f->origin = SOURCE_ORIGIN;
  f->version = SOURCE_VERSION;
  f->patchlevel = SOURCE_PATCHLEVEL;
  f->fuse_file_cached_io_open =
      fuse_file_cached_io_open ? fuse_file_cached_io_open : fuse_file_cached_io_start;
  f->fuse_inode_uncached_io_start = fuse_inode_uncached_io_start ? uncached_io_start : NULL;
  f->fuse_inode_uncached_io_end = fuse_inode_uncached_io_end;
  f->fuse_file_io_open = fuse_file_io_open;
  f->fuse_file_io_release = fuse_file_io_release;
  f->fuse_backing_open = fuse_backing_open;
  f->fuse_backing_close = fuse_backing_close;
  f->fuse_backing_put = fuse_backing_put;
  f->fuse_passthrough_release = fuse_passthrough_release;
#define TAKE(function) f->function = &file_##function ? file_##function : NULL
  TAKE(fuse_finish_open);
  TAKE(fuse_dio_lock);
  TAKE(fuse_dio_unlock);
  TAKE(fuse_file_mmap);
  // One cannot do without the others.
  if (!&file_fuse_release || !&file_fuse_sync_release || !&file_fuse_file_put) return;
  TAKE(fuse_release);
  TAKE(fuse_sync_release);
  TAKE(fuse_file_put);
}

EXPORT struct source_count source_counts[SOURCE_COUNTS];

void __cyg_profile_func_enter(void* function, void* caller) {
  (void)caller;
  for (unsigned i = 0; i < SOURCE_COUNTS; i++) {
    struct source_count* c = &source_counts[((unsigned long)function / 16 + i) % SOURCE_COUNTS];
    const void* has = NULL;
    if (!__atomic_compare_exchange_n(&c->function, &has, function, false, __ATOMIC_RELAXED,
                                     __ATOMIC_RELAXED) &&
        has != function)
      continue;
    __atomic_fetch_add(&c->calls, 1, __ATOMIC_RELAXED);
    return;
  }
}
void __cyg_profile_func_exit(void* function, void* caller) { (void)function, (void)caller; }

#define ACCESS(name, is_write) \
  void name(void* address) { source_points.access(address, is_write); }
ACCESS(__tsan_read1, 0)
ACCESS(__tsan_read2, 0)
ACCESS(__tsan_read4, 0)
ACCESS(__tsan_read8, 0)
ACCESS(__tsan_read16, 0)
ACCESS(__tsan_write1, 1)
ACCESS(__tsan_write2, 1)
ACCESS(__tsan_write4, 1)
ACCESS(__tsan_write8, 1)
ACCESS(__tsan_write16, 1)

void __tsan_init(void) {}
void __tsan_func_entry(void* caller) { (void)caller; }
void __tsan_func_exit(void) {}
