/* SPDX-License-Identifier: GPL-2.0-only
 *
 * What inode_state.bpf.c reports about one open descriptor of a FUSE file. Plain values, the same
 * on both sides; C, and without includes, since the BPF side has no C library.
 */

#ifndef CONFORMANCE_AGENT_INODE_RECORD_H_
#define CONFORMANCE_AGENT_INODE_RECORD_H_

/* Bits of `missing`: what this kernel does not have, so that the field below it is 0. */
enum MissingField {
  kMissingIoCounter = 1 << 0, /* fuse_inode::iocachectr */
  kMissingWaiters = 1 << 1,   /* fuse_inode::direct_io_waitq */
  kMissingBacking = 1 << 2,   /* fuse_inode::fb */
  kMissingLock = 1 << 3,      /* rw_semaphore::count */
};

struct InodeRecord {
  int fd;
  unsigned missing;
  int iocachectr;
  unsigned waiters;           /* entries of direct_io_waitq, at most kMaxWaiters */
  unsigned long long state;   /* fuse_inode::state */
  unsigned long long backing; /* inode number of fb's file; 0: no fb */
  long long lock;             /* i_rwsem's count word */
  unsigned long long pages;   /* in the page cache */
  long long size;             /* bytes */
  int backing_refs;           /* fb's count */
  int padding;
};

enum { kMaxWaiters = 1000 };

#endif /* CONFORMANCE_AGENT_INODE_RECORD_H_ */
