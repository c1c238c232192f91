// SPDX-License-Identifier: GPL-2.0-only
//
// What the library built by ./build exports: the table of the kernel's functions, and the points to
// be filled in. Compiled without instrumentation; the sources are compiled with -fsanitize=thread,
// whose calls before each plain access end here instead of in a sanitizer.

#include "fuse_i.h"

#define EXPORT __attribute__((visibility("default")))
#define WEAK __attribute__((weak))

// Weak, so that sources without a function leave NULL.
extern WEAK typeof(fuse_file_cached_io_open) fuse_file_cached_io_open;
WEAK int fuse_file_cached_io_start(struct inode* inode, struct fuse_file* ff);
extern WEAK typeof(fuse_inode_uncached_io_start) fuse_inode_uncached_io_start;
extern WEAK typeof(fuse_inode_uncached_io_end) fuse_inode_uncached_io_end;
extern WEAK typeof(fuse_file_io_open) fuse_file_io_open;
extern WEAK typeof(fuse_file_io_release) fuse_file_io_release;
extern WEAK typeof(fuse_backing_open) fuse_backing_open;
extern WEAK typeof(fuse_backing_close) fuse_backing_close;
extern WEAK typeof(fuse_backing_put) fuse_backing_put;
extern WEAK typeof(fuse_passthrough_release) fuse_passthrough_release;

EXPORT struct source_points source_points;

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

EXPORT void source_functions(struct source_functions* f) {
  f->origin = SOURCE_ORIGIN;
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
}

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
