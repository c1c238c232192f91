// SPDX-License-Identifier: GPL-2.0-only
// include/linux/slab.h: the only objects allocated here are backings.

#ifndef SHIM_LINUX_SLAB_H_
#define SHIM_LINUX_SLAB_H_

#include "points.h"

#define GFP_KERNEL 0
#define GFP_ATOMIC 0
#define __GFP_NOFAIL 0

#define kmalloc(bytes, gfp)                                                             \
  ({                                                                                    \
    _Static_assert((bytes) == sizeof(struct fuse_backing), "allocates something else"); \
    source_points.alloc_backing();                                                      \
  })
#define kzalloc(bytes, gfp) kmalloc(bytes, gfp)
#define kmalloc_obj(object, ...) kmalloc(sizeof(object), 0)
#define kzalloc_obj(object, ...) kmalloc(sizeof(object), 0)
#define kfree(object)                                            \
  _Generic((object), struct fuse_backing *                       \
           : source_points.free_backing, struct fuse_file *      \
           : source_points.free_file, struct fuse_release_args * \
           : free_release_args, union fuse_file_args *           \
           : source_points.free_args)(object)

static inline void free_release_args(struct fuse_release_args* args) {
  source_points.free_args((union fuse_file_args*)args);
}

#endif  // SHIM_LINUX_SLAB_H_
