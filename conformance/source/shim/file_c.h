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
#define fuse_file_uncached_io_start(...)                       \
  ({                                                           \
    const int err = fuse_file_uncached_io_start(__VA_ARGS__);  \
    if (err == -EBUSY) source_points.false_busy();             \
    err;                                                       \
  })

// Before 205c1d8026 fuse_dio_unlock was given the inode.
#ifdef SOURCE_UNLOCK_TAKES_INODE
static void fuse_dio_unlock(struct inode* inode, bool exclusive);
static void unlock_of_kiocb(struct kiocb* iocb, bool exclusive) {
  fuse_dio_unlock(file_inode(iocb->ki_filp), exclusive);
}
#else
#define unlock_of_kiocb fuse_dio_unlock
#endif

// Makes a function known to entry.c by its name.
#define PUBLISH(name, function) \
  const typeof(((struct source_functions*)0)->name) file_##name = function

#endif  // SHIM_FILE_C_H_
