// SPDX-License-Identifier: GPL-2.0-only
//
// Numbers of the FUSE protocol and of open(2), as a server and a caller see them. Plain constants,
// no state. Source of the numbers: include/uapi/linux/fuse.h.

#ifndef MODEL_UAPI_H_
#define MODEL_UAPI_H_

#include <cstdint>

namespace iomode {

// What a request asks for (struct fuse_in_header::opcode).
enum FuseOpcode : uint8_t {
  FUSE_NONE = 0,
  FUSE_GETATTR = 3,
  FUSE_SETATTR = 4,
  FUSE_OPEN = 14,
  FUSE_READ = 15,
  FUSE_WRITE = 16,
  FUSE_RELEASE = 18,
  FUSE_FSYNC = 20,
  FUSE_FLUSH = 25,
  FUSE_FALLOCATE = 43,
};

// What a request that a server may get is called, or nullptr; also of those that the model does not
// send.
constexpr const char* FuseOpcodeName(uint32_t opcode) {
  constexpr struct {
    uint32_t opcode;
    const char* name;
  } kNames[] = {
      {1, "LOOKUP"},
      {FUSE_GETATTR, "GETATTR"},
      {FUSE_SETATTR, "SETATTR"},
      {FUSE_OPEN, "OPEN"},
      {FUSE_READ, "READ"},
      {FUSE_WRITE, "WRITE"},
      {17, "STATFS"},
      {FUSE_RELEASE, "RELEASE"},
      {FUSE_FSYNC, "FSYNC"},
      {21, "SETXATTR"},
      {22, "GETXATTR"},
      {24, "REMOVEXATTR"},
      {FUSE_FLUSH, "FLUSH"},
      {26, "INIT"},
      {34, "ACCESS"},
      {36, "INTERRUPT"},
      {38, "DESTROY"},
      {39, "IOCTL"},
      {40, "POLL"},
      {FUSE_FALLOCATE, "FALLOCATE"},
      {46, "LSEEK"},
      {52, "STATX"},
  };
  for (const auto& known : kNames) {
    if (known.opcode == opcode) return known.name;
  }
  return nullptr;
}

// The server's reply flags to OPEN (struct fuse_open_out::open_flags).
enum FopenFlag : uint32_t {
  FOPEN_DIRECT_IO = 1u << 0,
  FOPEN_KEEP_CACHE = 1u << 1,
  FOPEN_NONSEEKABLE = 1u << 2,
  FOPEN_CACHE_DIR = 1u << 3,
  FOPEN_STREAM = 1u << 4,
  FOPEN_NOFLUSH = 1u << 5,
  FOPEN_PARALLEL_DIRECT_WRITES = 1u << 6,
  FOPEN_PASSTHROUGH = 1u << 7,
  FOPEN_IO_URING_ZERO_COPY = 1u << 8,
};

// What INIT negotiated, one bit each; a script's `conn` line names them.
enum ConnCap : uint32_t {
  CONN_PASSTHROUGH = 1u << 0,
  CONN_DIRECT_IO_ALLOW_MMAP = 1u << 1,
  CONN_WRITEBACK_CACHE = 1u << 2,
  CONN_ASYNC_DIO = 1u << 3,
  CONN_NO_OPEN = 1u << 4,
  CONN_ATOMIC_O_TRUNC = 1u << 5,
  CONN_AUTO_INVAL_DATA = 1u << 6,
  CONN_NO_ASYNC_READ = 1u << 7,
};

// How open(2) was called. Access mode is two bits, as in the kernel's f_mode.
enum OpenFlag : uint32_t {
  OPEN_READ = 1u << 0,
  OPEN_WRITE = 1u << 1,
  OPEN_DIRECT = 1u << 2,
  OPEN_APPEND = 1u << 3,
  OPEN_TRUNC = 1u << 4,
};

// A FUSE inode's and a backing file's initial size, and the page size of the model, in bytes.
inline constexpr int64_t kInitialFileSize = 65536;
inline constexpr int64_t kPageSize = 4096;

}  // namespace iomode

#endif  // MODEL_UAPI_H_
