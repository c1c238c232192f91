// SPDX-License-Identifier: GPL-2.0-only
//
// Revisions of the kernel as data. A revision is one row of rules; the model asks for a rule by its
// name, in one place a rule, and never for a revision. A proposal to change the kernel is one more
// row.
//
// Constants only.

#ifndef MODEL_REVISION_H_
#define MODEL_REVISION_H_

#include <string>
#include <vector>

namespace iomode {

// How much of FOPEN_PASSTHROUGH a kernel has.
enum class Passthrough : unsigned char {
  kUnknownBit,  // the flag is ignored, the ioctls do not exist
  kRefused,     // every such open fails: EINVAL for flags or capability, else EOPNOTSUPP
  kOpenOnly,    // files open; read, write and splice go to the server and mmap is ENODEV
  kFull,        // reads, writes, splices and mmaps go to the backing file
};

struct Rules {
  // fuse_file_cached_io_open waits for parallel direct writes instead of failing with ETXTBSY.
  bool cached_open_waits;
  // A DIRECT_IO|PARALLEL open holds an uncached reference until release; else each parallel write
  // takes one.
  bool parallel_open_holds_reference;
  // Each parallel write marks its file's iomode UNCACHED while it runs, although writes of one file
  // may overlap.
  bool parallel_write_marks_file;
  // Direct writes are exclusive on a connection with direct_io_allow_mmap.
  bool allow_mmap_means_exclusive;
  // fuse_dio_wr_exclusive_lock tests FUSE_I_CACHE_IO_MODE.
  bool cache_bit_is_tested;
  // ... and takes a set bit as "exclusive"; else, the wrong way round, as "shared is fine".
  bool cache_bit_means_exclusive;
  // uncached_io_start without a backing is EBUSY while one is attached.
  bool null_backing_is_busy;
  Passthrough passthrough;
  // Passthrough is not negotiated on a connection with writeback_cache.
  bool writeback_cache_excludes_passthrough;
  // fuse_file.args exists although the server has no OPEN, so such files take io-mode references.
  bool args_without_open;
  // BACKING_OPEN refuses a non-zero padding, and takes O_PATH descriptors of regular files only.
  bool backing_open_checks_padding;
  bool backing_open_regular_only;
  // Direct io writes dirty pages of its range back first.
  bool direct_io_flushes_first;
  // A direct write invalidates its range of the page cache before it, and after it.
  bool direct_write_invalidates_first;
  bool direct_write_invalidates_after;
  // ... after an asynchronous one, too.
  bool async_write_invalidates_after;
  // The size of the FUSE inode grows with an extending passthrough write.
  bool passthrough_write_grows_size;
  // Any async write on a FOPEN_DIRECT_IO file is submitted asynchronously; else only with O_DIRECT.
  bool async_without_o_direct;
  // fuse_flush takes the inode lock exclusively.
  bool flush_takes_inode_lock;
  // FOPEN_IO_URING_ZERO_COPY is known, and refused together with PASSTHROUGH.
  bool zero_copy_flag;
  // fuse_evict_inode warns when iocachectr is not 0.
  bool evict_warns;
  // Proposal: attaching a backing wakes the waiters on direct_io_waitq.
  bool attach_wakes_waiters;
  // Proposal: a sleeper that goes back to sleep sets FUSE_I_CACHE_IO_MODE again.
  bool wait_sets_bit_again;
};

struct Revision {
  const char* name;
  const char* title;
  bool proposal;
  Rules rules;
};

// All revisions, oldest first, then the proposals.
const std::vector<Revision>& Revisions();

// The newest revision of the kernel proper.
const Revision& NewestRevision();

// By name, or nullptr.
const Revision* FindRevision(const std::string& name);

}  // namespace iomode

#endif  // MODEL_REVISION_H_
