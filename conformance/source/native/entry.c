// SPDX-License-Identifier: GPL-2.0-only
//
// What the library built by `../build --native` exports: the kernel's functions that take and drop
// io-mode references and the locks of direct writes, and the slow paths to be filled in.

#include "fuse_i.h"

#define EXPORT __attribute__((visibility("default")))
#define WEAK __attribute__((weak))

EXPORT struct source_slow source_slow;

// Of file.c, which publishes them; NULL in sources without.
#define OF_FILE(function) \
  extern WEAK typeof(((struct source_functions*)0)->function) const file_##function;
OF_FILE(fuse_dio_lock)
OF_FILE(fuse_dio_unlock)

EXPORT void source_functions(struct source_functions* f) {
  f->origin = SOURCE_ORIGIN;
  f->version = SOURCE_VERSION;
  f->patchlevel = SOURCE_PATCHLEVEL;
#ifdef SOURCE_HAS_BACKING
  f->fuse_file_cached_io_open = fuse_file_cached_io_open;
  f->fuse_inode_uncached_io_start = fuse_inode_uncached_io_start;
#endif
  f->fuse_inode_uncached_io_end = fuse_inode_uncached_io_end;
  f->fuse_file_io_release = fuse_file_io_release;
#define TAKE(function) f->function = &file_##function ? file_##function : NULL
  TAKE(fuse_dio_lock);
  TAKE(fuse_dio_unlock);
}
