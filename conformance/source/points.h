// SPDX-License-Identifier: GPL-2.0-only
//
// What the kernel's C code and the scheduled world know of each other. The library built by
// ./build defines source_functions and source_points; whoever loads it fills in the latter before
// calling anything. Each point is one scheduling point, unless said otherwise; `function` is the
// kernel function it stands in. A library built with --native has its own points, on real threads,
// and native/slow.h to be filled in.

#ifndef CONFORMANCE_SOURCE_POINTS_H_
#define CONFORMANCE_SOURCE_POINTS_H_

#ifdef __cplusplus
#include "conformance/source/objects.h"
#else
#include "objects.h"
#endif

#ifdef __cplusplus
extern "C" {
#endif

// include/uapi/linux/fuse.h
struct fuse_backing_map {
  int fd;
  unsigned int flags;
  unsigned long padding;
};

struct source_points {
  // A plain access of the C code, about to happen; a point when it is to a shared variable.
  void (*access)(const void* address, int write);
  unsigned long (*read)(const void* address, int bytes, const char* function);
  void (*write)(void* address, int bytes, unsigned long value, const char* function);
  unsigned long (*xchg)(void* address, int bytes, unsigned long value, const char* function);
  bool (*test_bit)(int bit, const unsigned char* word, const char* function);
  void (*set_bit)(int bit, unsigned char* word, const char* function);
  void (*clear_bit)(int bit, unsigned char* word, const char* function);

  void (*spin_lock)(spinlock_t* lock, const char* function);
  void (*spin_unlock)(spinlock_t* lock, const char* function);

  // Puts the task on the queue.
  void (*prepare_to_wait)(wait_queue_head_t* queue, const char* function);
  // Sleeps unless woken since prepare_to_wait.
  void (*schedule)(wait_queue_head_t* queue, const char* function);
  void (*finish_wait)(wait_queue_head_t* queue, const char* function);
  void (*wake_up)(wait_queue_head_t* queue, const char* function);

  // Not a point.
  void (*refcount_set)(refcount_t* r, int n);
  int (*refcount_read)(const refcount_t* r);
  void (*refcount_inc)(refcount_t* r, const char* function);
  bool (*refcount_inc_not_zero)(refcount_t* r, const char* function);
  bool (*refcount_dec_and_test)(refcount_t* r, const char* function);

  // An id never given out before, at least 1.
  int (*idr_alloc)(struct idr* idr, void* object, const char* function);
  void* (*idr_remove)(struct idr* idr, int id, const char* function);
  void* (*idr_find)(struct idr* idr, int id, const char* function);

  void (*rcu_read_lock)(const char* function);
  void (*rcu_read_unlock)(const char* function);

  void (*inode_lock)(struct inode* inode, const char* function);
  void (*inode_unlock)(struct inode* inode, const char* function);
  void (*inode_lock_shared)(struct inode* inode, const char* function);
  void (*inode_unlock_shared)(struct inode* inode, const char* function);
  long (*i_size_read)(const struct inode* inode, const char* function);

  // The model's functions, with as many points as they have.
  int (*write_inode_now)(struct inode* inode, const char* function);
  int (*invalidate_inode_pages2)(void* mapping, const char* function);
  // Sends a request about fm's inode; waits for the answer, or, in the background, does not.
  int (*send)(struct fuse_mount* fm, int opcode, bool background, const char* function);

  // Not points: fi->write_files, under fi->lock.
  bool (*write_file_linked)(const struct fuse_file* ff);
  void (*link_write_file)(struct fuse_file* ff);
  void (*unlink_write_file)(struct fuse_file* ff);

  // Not points. A fuse_backing, zeroed, or NULL.
  struct fuse_backing* (*alloc_backing)(void);
  void (*free_backing)(struct fuse_backing* fb);
  void (*free_backing_rcu)(struct fuse_backing* fb);
  void (*free_file)(struct fuse_file* ff);
  void (*free_args)(union fuse_file_args* args);
  // Whether opening a backing file fails for want of memory.
  bool (*allocation_fails)(void);
  // The backing file behind a descriptor of the server.
  struct file* (*file_of_descriptor)(int fd);
  bool (*is_backing_file)(const struct file* file);

  // Not points: a WARN_ON has fired; a parallel write was refused with EBUSY.
  void (*warn)(const char* what, const char* function);
  void (*false_busy)(void);
};

// The kernel's functions; NULL: the sources that the library was built from do not have it.
struct source_functions {
  const char* origin;  // where the sources came from
  int version;         // of Linux, with `patchlevel`; 0: the sources do not say
  int patchlevel;
  int (*fuse_file_cached_io_open)(struct inode* inode, struct fuse_file* ff);
  int (*fuse_inode_uncached_io_start)(struct fuse_inode* fi, struct fuse_backing* fb);
  void (*fuse_inode_uncached_io_end)(struct fuse_inode* fi);
  int (*fuse_file_io_open)(struct file* file, struct inode* inode);
  void (*fuse_file_io_release)(struct fuse_file* ff, struct inode* inode);
  int (*fuse_backing_open)(struct fuse_conn* fc, struct fuse_backing_map* map);
  int (*fuse_backing_close)(struct fuse_conn* fc, int backing_id);
  void (*fuse_backing_put)(struct fuse_backing* fb);
  void (*fuse_passthrough_release)(struct fuse_file* ff, struct fuse_backing* fb);
  // Of file.c.
  int (*fuse_finish_open)(struct inode* inode, struct file* file);
  void (*fuse_sync_release)(struct fuse_inode* fi, struct fuse_file* ff, unsigned int flags);
  int (*fuse_release)(struct inode* inode, struct file* file);
  void (*fuse_file_put)(struct fuse_file* ff, bool sync);
  void (*fuse_dio_lock)(struct kiocb* iocb, struct iov_iter* from, bool* exclusive);
  void (*fuse_dio_unlock)(struct kiocb* iocb, bool exclusive);
  int (*fuse_file_mmap)(struct file* file, struct vm_area_struct* vma);
};

// How often each of the C code's functions was entered, by its address in the library.
struct source_count {
  const void* function;  // NULL: not used
  unsigned long calls;
};
enum { SOURCE_COUNTS = 256 };

#ifndef __cplusplus
#ifdef SOURCE_NATIVE
#include "native/inline_points.h"
#else
extern struct source_points source_points;
#endif
#endif

#ifdef __cplusplus
}
#endif

#endif  // CONFORMANCE_SOURCE_POINTS_H_
