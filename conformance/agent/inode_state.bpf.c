// SPDX-License-Identifier: GPL-2.0-only
//
// A BPF iterator over the open descriptors of a process: writes one InodeRecord for each that is a
// regular file of a FUSE filesystem. It only reads memory; the inodes do not notice.
//
// The structures below name the members that are read; where they are is settled by the kernel's
// own BTF when the program is loaded.

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u64 __be64;
typedef __u32 __wsum;

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "conformance/agent/inode_record.h"

#define FUSE_SUPER_MAGIC 0x65735546
#define S_IFMT 0170000
#define S_IFREG 0100000

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct seq_file;

struct bpf_iter_meta {
  struct seq_file* seq;
};

struct bpf_iter__task_file {
  struct bpf_iter_meta* meta;
  struct task_struct* task;
  __u32 fd;
  struct file* file;
};

struct super_block {
  unsigned long s_magic;
};

struct counter {
  long counter;
};

struct rw_semaphore {
  struct counter count;
};

struct address_space {
  unsigned long nrpages;
};

struct inode {
  unsigned short i_mode;
  struct super_block* i_sb;
  struct address_space* i_mapping;
  unsigned long i_ino;
  long long i_size;
  struct rw_semaphore i_rwsem;
};

struct file {
  struct inode* f_inode;
};

struct small_counter {
  int counter;
};

struct refcount_struct {
  struct small_counter refs;
};

struct fuse_backing {
  struct file* file;
  struct refcount_struct count;
};

struct list_head {
  struct list_head* next;
};

struct wait_queue_head {
  struct list_head head;
};

struct fuse_inode {
  struct inode inode;
  int iocachectr;
  struct wait_queue_head direct_io_waitq;
  unsigned long state;
  struct fuse_backing* fb;
};

#pragma clang attribute pop

static __always_inline unsigned CountEntries(struct list_head* head) {
  struct list_head* entry = BPF_CORE_READ(head, next);
  unsigned count = 0;
  while (count < kMaxWaiters && entry != head && entry) {
    entry = BPF_CORE_READ(entry, next);
    count++;
  }
  return count;
}

static __always_inline void ReadFuseInode(struct InodeRecord* record, struct fuse_inode* fi) {
  record->state = BPF_CORE_READ(fi, state);
  if (bpf_core_field_exists(fi->iocachectr)) {
    record->iocachectr = BPF_CORE_READ(fi, iocachectr);
  } else {
    record->missing |= kMissingIoCounter;
  }
  if (bpf_core_field_exists(fi->direct_io_waitq)) {
    record->waiters = CountEntries(__builtin_preserve_access_index(&fi->direct_io_waitq.head));
  } else {
    record->missing |= kMissingWaiters;
  }
  if (bpf_core_field_exists(fi->fb)) {
    struct fuse_backing* fb = BPF_CORE_READ(fi, fb);
    if (fb) {
      record->backing = BPF_CORE_READ(fb, file, f_inode, i_ino);
      record->backing_refs = BPF_CORE_READ(fb, count.refs.counter);
    }
  } else {
    record->missing |= kMissingBacking;
  }
}

SEC("iter/task_file")
int ReportInode(struct bpf_iter__task_file* context) {
  struct file* file = context->file;
  if (!file) return 0;
  struct inode* inode = BPF_CORE_READ(file, f_inode);
  if (!inode || BPF_CORE_READ(inode, i_sb, s_magic) != FUSE_SUPER_MAGIC) return 0;
  if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFREG) return 0;

  struct InodeRecord record = {};
  record.fd = (int)context->fd;
  record.pages = BPF_CORE_READ(inode, i_mapping, nrpages);
  record.size = BPF_CORE_READ(inode, i_size);
  if (bpf_core_field_exists(inode->i_rwsem.count)) {
    record.lock = BPF_CORE_READ(inode, i_rwsem.count.counter);
  } else {
    record.missing |= kMissingLock;
  }
  // The inode is the first member of its fuse_inode.
  ReadFuseInode(&record, (struct fuse_inode*)inode);
  bpf_seq_write(context->meta->seq, &record, sizeof(record));
  return 0;
}

char LICENSE[] SEC("license") = "GPL";
