// SPDX-License-Identifier: GPL-2.0-only
//
// The model's objects as the kernel's C code sees them: the same bytes under the kernel's names of
// types and fields. Read by C (over the shims) and by C++ (source_ops.cc, which asserts that each
// field lies where the model has it). Only fields that fs/fuse/iomode.c, passthrough.c and
// backing.c touch.
//
// Who owns and locks them is said in model/fuse_i.h.

#ifndef CONFORMANCE_SOURCE_OBJECTS_H_
#define CONFORMANCE_SOURCE_OBJECTS_H_

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

struct fuse_conn;
struct fuse_inode;
struct fuse_file;
struct cred;
struct dentry;

typedef struct {
  unsigned char owner;
} spinlock_t;

typedef struct {
  unsigned long sleepers;
} wait_queue_head_t;

typedef struct {
  short refs;
} refcount_t;

struct idr {
  void** slots;  // by id - 1
  int ids;       // how many were given out
  int capacity;
};

struct super_block {
  int s_stack_depth;
};

// The VFS half of a fuse_inode; or the inode of a backing file.
struct inode {
  struct super_block* i_sb;
};

struct path {
  struct dentry* dentry;
};

// A FUSE file; or a backing file, of which the address alone counts.
struct file {
  union {
    refcount_t f_count;
    struct path f_path;
  };
  struct fuse_inode* fi;
  void* private_data;
  unsigned int f_flags;
};

struct fuse_backing {
  refcount_t count;
  struct file* file;
  const struct cred* cred;
  bool live;
  bool rcu_pending;
};

struct fuse_inode {
  struct fuse_conn* fc;
  spinlock_t lock;
  wait_queue_head_t direct_io_waitq;
  int iocachectr;
  unsigned char state;
  struct fuse_backing* fb;
};

// The first field of the fuse_inode that fuse_file.fm points to.
struct fuse_mount {
  struct fuse_conn* fc;
};

// fuse_file.args points to the reply's backing_id.
union fuse_file_args {
  struct {
    int backing_id;
  } open_outarg;
};

struct fuse_file {
  refcount_t count;
  struct fuse_mount* fm;
  struct fuse_file* write_next;
  struct file* passthrough;
  const struct cred* cred;
  union {
    union fuse_file_args* args;
    union fuse_file_args* release_args;
  };
  unsigned short open_flags;
  int backing_id;
  unsigned char iomode;
};

struct fuse_conn {
  spinlock_t lock;
  const void* rules;
  const void* ops;
  void* server;
  unsigned int caps;
  bool passthrough;
  unsigned char connected;
  unsigned char rcu;
  unsigned short attr_version;
  union {
    struct idr backing_files_map;
    struct {
      void** slots;
      int ids;
      int max_stack_depth;  // where the id table's capacity is: 1 or more, while all depths are 0
    };
  };
};

#ifdef __cplusplus
}
#endif

#endif  // CONFORMANCE_SOURCE_OBJECTS_H_
