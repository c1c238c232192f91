// SPDX-License-Identifier: GPL-2.0-only
//
// Stands in for fs/fuse/fuse_i.h: the objects, the flags, and the prototypes of the functions that
// iomode.c, passthrough.c and backing.c define for each other or call elsewhere. ./build sets
// SOURCE_HAS_BACKING for sources that know struct fuse_backing, and SOURCE_OPEN_TAKES_INODE for
// those before 6.18.

#ifndef SHIM_FUSE_I_H_
#define SHIM_FUSE_I_H_

#define CONFIG_FUSE_PASSTHROUGH 1

#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/kernel.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

enum { IOM_NONE, IOM_CACHED, IOM_UNCACHED };
enum { FUSE_I_CACHE_IO_MODE = 0 };

// include/uapi/linux/fuse.h
#define FOPEN_DIRECT_IO (1 << 0)
#define FOPEN_KEEP_CACHE (1 << 1)
#define FOPEN_NONSEEKABLE (1 << 2)
#define FOPEN_STREAM (1 << 4)
#define FOPEN_NOFLUSH (1 << 5)
#define FOPEN_PARALLEL_DIRECT_WRITES (1 << 6)
#define FOPEN_PASSTHROUGH (1 << 7)
#define FOPEN_IO_URING_ZERO_COPY (1 << 8)

// The model has no DAX.
#define FUSE_IS_DAX(inode) false
int fuse_dax_mmap(struct file* file, struct vm_area_struct* vma);

// Inline functions of the kernel's header, which are not counted as its code.
#define SHIM_INLINE static inline __attribute__((always_inline, no_instrument_function))
SHIM_INLINE struct fuse_inode* get_fuse_inode(const struct inode* inode) {
  return (struct fuse_inode*)inode;
}
SHIM_INLINE struct fuse_conn* get_fuse_conn(const struct inode* inode) {
  return get_fuse_inode(inode)->fc;
}
SHIM_INLINE struct fuse_backing* fuse_inode_backing(struct fuse_inode* fi) {
  return READ_ONCE(fi->fb);
}
SHIM_INLINE struct fuse_backing* fuse_inode_backing_set(struct fuse_inode* fi,
                                                        struct fuse_backing* fb) {
  return xchg(&fi->fb, fb);
}
SHIM_INLINE struct file* fuse_file_passthrough(struct fuse_file* ff) { return ff->passthrough; }

// iomode.c
int fuse_file_cached_io_open(struct inode* inode, struct fuse_file* ff);
int fuse_file_cached_io_start(struct inode* inode, struct fuse_file* ff);  // before v6.9
#ifdef SOURCE_HAS_BACKING
int fuse_inode_uncached_io_start(struct fuse_inode* fi, struct fuse_backing* fb);
#else
int fuse_inode_uncached_io_start(struct fuse_inode* fi);
#endif
void fuse_inode_uncached_io_end(struct fuse_inode* fi);
int fuse_file_io_open(struct file* file, struct inode* inode);
void fuse_file_io_release(struct fuse_file* ff, struct inode* inode);

// passthrough.c, backing.c
struct fuse_backing* fuse_backing_get(struct fuse_backing* fb);
void fuse_backing_put(struct fuse_backing* fb);
struct fuse_backing* fuse_backing_lookup(struct fuse_conn* fc, int backing_id);
void fuse_backing_files_init(struct fuse_conn* fc);
void fuse_backing_files_free(struct fuse_conn* fc);
int fuse_backing_open(struct fuse_conn* fc, struct fuse_backing_map* map);
int fuse_backing_close(struct fuse_conn* fc, int backing_id);
#ifdef SOURCE_OPEN_TAKES_INODE
struct fuse_backing* fuse_passthrough_open(struct file* file, struct inode* inode, int backing_id);
#else
struct fuse_backing* fuse_passthrough_open(struct file* file, int backing_id);
#endif
void fuse_passthrough_release(struct fuse_file* ff, struct fuse_backing* fb);

ssize_t fuse_passthrough_mmap(struct file* file, struct vm_area_struct* vma);

// Called by the read and write half of passthrough.c, which is the model's and not linked.
void fuse_invalidate_atime(struct inode* inode);
void fuse_write_update_attr(struct inode* inode, loff_t pos, ssize_t written);

#endif  // SHIM_FUSE_I_H_
