// SPDX-License-Identifier: GPL-2.0-only
//
// The parts of the FUSE protocol that the agent needs and that <linux/fuse.h> of older
// distributions (up to 7.38) does not have: passthrough and the upper half of the INIT flags. Plain
// constants and layouts, no state. Source of the numbers: include/uapi/linux/fuse.h of Linux 6.9
// and later.

#ifndef CONFORMANCE_AGENT_FUSE_WIRE_H_
#define CONFORMANCE_AGENT_FUSE_WIRE_H_

#include <linux/fuse.h>
#include <sys/ioctl.h>

#include <cstdint>
#include <string_view>

// model/uapi.h has these as enumerators.
#undef FOPEN_DIRECT_IO
#undef FOPEN_KEEP_CACHE
#undef FOPEN_NONSEEKABLE
#undef FOPEN_CACHE_DIR
#undef FOPEN_STREAM
#undef FOPEN_NOFLUSH
#undef FOPEN_PARALLEL_DIRECT_WRITES
#undef FOPEN_PASSTHROUGH
#undef FOPEN_IO_URING_ZERO_COPY

#include "model/uapi.h"

namespace iomode::agent {

// Opcodes that the model has, too, go by the model's names.
#define IOMODE_SAME(name) static_assert(iomode::name == static_cast<FuseOpcode>(::name))
IOMODE_SAME(FUSE_GETATTR);
IOMODE_SAME(FUSE_SETATTR);
IOMODE_SAME(FUSE_OPEN);
IOMODE_SAME(FUSE_READ);
IOMODE_SAME(FUSE_WRITE);
IOMODE_SAME(FUSE_RELEASE);
IOMODE_SAME(FUSE_FSYNC);
IOMODE_SAME(FUSE_FLUSH);
IOMODE_SAME(FUSE_FALLOCATE);
#undef IOMODE_SAME
// And the others have the names that the model gives them.
#define IOMODE_NAMED(name) static_assert(FuseOpcodeName(::FUSE_##name) == std::string_view(#name))
IOMODE_NAMED(LOOKUP);
IOMODE_NAMED(STATFS);
IOMODE_NAMED(SETXATTR);
IOMODE_NAMED(GETXATTR);
IOMODE_NAMED(REMOVEXATTR);
IOMODE_NAMED(INIT);
IOMODE_NAMED(ACCESS);
IOMODE_NAMED(INTERRUPT);
IOMODE_NAMED(DESTROY);
IOMODE_NAMED(IOCTL);
IOMODE_NAMED(POLL);
IOMODE_NAMED(LSEEK);
#undef IOMODE_NAMED

// INIT flags, 64 bits wide: the lower 32 travel in `flags`, the upper ones in `flags2` and need
// kInitExt.
inline constexpr uint64_t kInitAsyncRead = 1ull << 0;
inline constexpr uint64_t kInitAtomicOTrunc = 1ull << 3;
inline constexpr uint64_t kInitBigWrites = 1ull << 5;
inline constexpr uint64_t kInitAutoInvalData = 1ull << 12;
inline constexpr uint64_t kInitAsyncDio = 1ull << 15;
inline constexpr uint64_t kInitWritebackCache = 1ull << 16;
inline constexpr uint64_t kInitNoOpenSupport = 1ull << 17;
inline constexpr uint64_t kInitMaxPages = 1ull << 22;
inline constexpr uint64_t kInitExt = 1ull << 30;
inline constexpr uint64_t kInitDirectIoAllowMmap = 1ull << 36;
inline constexpr uint64_t kInitPassthrough = 1ull << 37;

inline constexpr uint32_t kAttrSize = 1u << 3;  // fuse_setattr_in::valid: the size is to be set
inline constexpr uint32_t kWriteCache =
    1u << 0;  // fuse_write_in::write_flags: written back from the page cache

struct InitOut {
  uint32_t major, minor;
  uint32_t max_readahead;
  uint32_t flags;
  uint16_t max_background, congestion_threshold;
  uint32_t max_write;
  uint32_t time_gran;
  uint16_t max_pages, map_alignment;
  uint32_t flags2;
  uint32_t max_stack_depth;
  uint32_t unused[6];
};
static_assert(sizeof(InitOut) == sizeof(fuse_init_out));

struct OpenOut {
  uint64_t fh;
  uint32_t open_flags;
  int32_t backing_id;
};
static_assert(sizeof(OpenOut) == sizeof(fuse_open_out));

struct BackingMap {
  int32_t fd;
  uint32_t flags;
  uint64_t padding;
};
inline constexpr unsigned long kBackingOpenIoctl = _IOW(229, 1, BackingMap);
inline constexpr unsigned long kBackingCloseIoctl = _IOW(229, 2, uint32_t);

}  // namespace iomode::agent

#endif  // CONFORMANCE_AGENT_FUSE_WIRE_H_
