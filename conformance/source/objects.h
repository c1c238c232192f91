// SPDX-License-Identifier: GPL-2.0-only
//
// The model's objects as the kernel's C code sees them: the same bytes under the kernel's names of
// types and fields. Read by C (over the shims) and by C++ (source_points.cc, which asserts that
// each field lies where the model has it). Only fields that fs/fuse/iomode.c, passthrough.c,
// backing.c and the functions cut out of file.c touch. Where a field shares its place with another,
// what it holds is never looked at.
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

// Of the scheduled world, or of real threads.
#ifdef SOURCE_NATIVE
#include "native/types.h"
#else
typedef struct {
  unsigned char owner;
} spinlock_t;

typedef struct {
  unsigned long sleepers;
} wait_queue_head_t;

typedef struct {
  short refs;
} refcount_t;
#endif

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

// Of the files of a script's backings, which all have them: arrays, so that what is tested is an
// address, and nothing is read.
struct file_operations {
  char read_iter[1];
  char write_iter[1];
};

// A FUSE file; or a backing file, of which the address alone counts.
struct file {
  struct file_operations f_op[0];
  union {
    refcount_t f_count;
    struct path f_path;
  };
  union {
    struct fuse_inode* fi;
    void* f_mapping;  // the inode stands for its page cache
  };
  void* private_data;
  union {
    unsigned int f_flags;
    unsigned int f_mode;
  };
};

struct fuse_backing {
  refcount_t count;
  struct file* file;
  const struct cred* cred;
  bool live;
  bool rcu_pending;
};

struct fuse_inode {
  union {
    struct fuse_conn* fc;
    struct inode inode;
  };
  spinlock_t lock;
  wait_queue_head_t direct_io_waitq;
  int iocachectr;
  unsigned char state;
  struct fuse_backing* fb;
#ifdef SOURCE_NATIVE
  struct rw_semaphore i_rwsem;
  long i_size;
#endif
};

// The first field of the fuse_inode that fuse_file.fm points to.
struct fuse_mount {
  struct fuse_conn* fc;
};

struct fuse_args {
  void (*end)();  // of arguments that differ between kernels
  struct {
    unsigned int size;
    const void* value;
  } in_args[1];
  unsigned char opcode;
  unsigned char in_numargs;
  bool force;
  bool nocreds;
  bool may_block;
  unsigned short nodeid;
};

struct fuse_release_in {
  unsigned short fh;
  unsigned short flags;
  unsigned char release_flags;
  unsigned char lock_owner;
};

struct fuse_release_args {
  struct fuse_args args;
  struct fuse_release_in inarg;
  struct inode* inode;
};

// In the model's FuseFileArgs.
union fuse_file_args {
  struct {
    int backing_id;
  } open_outarg;
  struct fuse_release_args release_args;
};

struct list_head {
  struct fuse_file* next;
};

struct fuse_file {
  refcount_t count;
  struct fuse_mount* fm;
  struct list_head write_entry;
  struct file* passthrough;
  const struct cred* cred;
  union {
    union fuse_file_args* args;
    struct fuse_release_args* release_args;  // before fc8ff397b2
  };
  unsigned short open_flags;
  union {
    int backing_id;
    int fh;
    int nodeid;
  };
  unsigned char iomode;
  bool has_args;
  bool flock;  // where the model's release_inode is, which it sets for its own code only
};

struct fuse_conn {
  spinlock_t lock;
  const void* rules;
  const void* ops;
  void* server;
  union {
    unsigned int caps;
    struct {  // ConnCap
      unsigned int can_passthrough : 1;
      unsigned int direct_io_allow_mmap : 1;
      unsigned int writeback_cache : 1;
      unsigned int async_dio : 1;
      unsigned int can_no_open : 1;
      unsigned int atomic_o_trunc : 1;
      unsigned int auto_inval_data : 1;
      unsigned int no_async_read : 1;
      unsigned int : 23;
      unsigned int auto_submounts : 1;  // never
    };
  };
  bool passthrough;
  unsigned char connected;
  unsigned char no_open;
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

// What the VFS hands down; made by source_ops.cc for a call.
struct kiocb {
  struct file* ki_filp;
  long ki_pos;
  int ki_flags;
};
struct iov_iter {
  unsigned long count;
};
struct vm_operations_struct {
  int any;
};
struct vm_area_struct {
  struct file* vm_file;
  const struct vm_operations_struct* vm_ops;
  struct file* backing;  // a passthrough mapping
  unsigned long vm_flags;
  unsigned long vm_start;
  unsigned long vm_end;
};

// Flags that both sides use: include/linux/mm.h, include/linux/fs.h.
enum { VM_SHARED = 0x8, VM_MAYWRITE = 0x20, VM_MAYSHARE = 0x80 };
enum { IOCB_APPEND = 2 };

#ifdef __cplusplus
}
#endif

#endif  // CONFORMANCE_SOURCE_OBJECTS_H_
