// SPDX-License-Identifier: GPL-2.0-only
//
// What the functions cut out of fs/fuse/file.c stand on besides fuse_i.h. Included before them.

#ifndef SHIM_FILE_C_H_
#define SHIM_FILE_C_H_

#include <linux/list.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <string.h>

#include "fuse_i.h"

#define FUSE_RELEASE 18
#define FUSE_RELEASEDIR 29
#define FUSE_RELEASE_FLOCK_UNLOCK (1 << 1)
#define FMODE_WRITE 2
#define fuse_lock_owner_id(fc, id) ((void)(id), 0)
typedef void* fl_owner_t;

#define fuse_simple_request(fm, args) source_points.send((fm), (args)->opcode, false, __func__)
// The end of the request is run when it is sent: all that it does is to free its arguments. Linux
// 7.0 dropped its first parameter.
#define fuse_simple_background(fm, args, gfp)                                            \
  ({                                                                                     \
    const int failed = source_points.send((fm), (args)->opcode, true, __func__);         \
    if (!failed) {                                                                       \
      _Generic(&fuse_release_end,                                                        \
          end_with_mount: ((end_with_mount)(void*)fuse_release_end)((fm), (args), 0),           \
          default: ((end_without_mount)(void*)fuse_release_end)((args), 0));                    \
    }                                                                                    \
    failed;                                                                              \
  })
typedef void (*end_with_mount)(struct fuse_mount*, struct fuse_args*, int);
typedef void (*end_without_mount)(struct fuse_args*, int);

static inline int start_of_parallel_write(struct fuse_inode* fi) {
#ifdef SOURCE_HAS_BACKING
  const int err = fuse_inode_uncached_io_start(fi, NULL);
#else
  const int err = fuse_inode_uncached_io_start(fi);
#endif
  if (err == -EBUSY) source_points.false_busy();
  return err;
}
#define fuse_inode_uncached_io_start(fi, ...) start_of_parallel_write(fi)

// Before v6.9 parallel writes took their references by these, with other arguments each time.
int fuse_file_uncached_io_start();
void fuse_file_uncached_io_end();

// Makes a function known to entry.c.
#define PUBLISH(function) \
  const typeof(((struct source_functions*)0)->function) file_##function = function

#endif  // SHIM_FILE_C_H_
