// SPDX-License-Identifier: GPL-2.0-only
// include/linux/backing-file.h: a file of its own for each passthrough open.

#ifndef SHIM_LINUX_BACKING_FILE_H_
#define SHIM_LINUX_BACKING_FILE_H_

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/splice.h>

struct backing_file_ctx {
  const struct cred* cred;
  struct file* user_file;
  void (*accessed)(struct file* file);
  void (*end_write)();
};

#define backing_file_open(user, flags, real_path, cred)                                            \
  ({                                                                                               \
    (void)(user), (void)(flags), (void)(cred);                                                     \
    source_points.allocation_fails() ? (struct file*)ERR_PTR(-ENOMEM) : (struct file*)(real_path); \
  })

ssize_t backing_file_read_iter();
ssize_t backing_file_write_iter();
ssize_t backing_file_splice_read();
ssize_t backing_file_splice_write();

static inline int backing_file_mmap(struct file* backing, struct vm_area_struct* vma,
                                    struct backing_file_ctx* ctx) {
  (void)ctx;
  vma->backing = backing;
  return 0;
}

#endif  // SHIM_LINUX_BACKING_FILE_H_
