// SPDX-License-Identifier: GPL-2.0-only

#include "model/revision.h"

namespace iomode {
namespace {

constexpr Rules kV618 = {
    .cached_open_waits = true,
    .parallel_open_holds_reference = false,
    .parallel_write_marks_file = false,
    .allow_mmap_means_exclusive = false,
    .cache_bit_is_tested = true,
    .cache_bit_means_exclusive = true,
    .null_backing_is_busy = false,
    .passthrough = Passthrough::kFull,
    .writeback_cache_excludes_passthrough = true,
    .args_without_open = true,
    .backing_open_checks_padding = true,
    .backing_open_regular_only = true,
    .direct_io_flushes_first = true,
    .direct_write_invalidates_first = true,
    .direct_write_invalidates_after = true,
    .async_write_invalidates_after = false,
    .passthrough_write_grows_size = true,
    .async_without_o_direct = true,
    .flush_takes_inode_lock = false,
    .zero_copy_flag = false,
    .evict_warns = true,
    .attach_wakes_waiters = false,
    .wait_sets_bit_again = false,
};

}  // namespace

const std::vector<Revision>& Revisions() {
  static const auto* const revisions = new std::vector<Revision>{
      {"v6.18", "Linux 6.18", false, kV618},
  };
  return *revisions;
}

const Revision& NewestRevision() {
  const Revision* newest = nullptr;
  for (const Revision& revision : Revisions()) {
    if (!revision.proposal) newest = &revision;
  }
  return *newest;
}

const Revision* FindRevision(const std::string& name) {
  for (const Revision& revision : Revisions()) {
    if (name == revision.name) return &revision;
  }
  return nullptr;
}

}  // namespace iomode
