// SPDX-License-Identifier: GPL-2.0-only

#include "model/revision.h"

#include <cstdio>
#include <utility>

namespace iomode {
namespace {

// Each row says what it changes of the row before.

constexpr Rules CB098() {
  return {
      .cached_open_waits = false,
      .parallel_open_holds_reference = true,
      .parallel_write_marks_file = false,
      .allow_mmap_means_exclusive = true,
      .cache_bit_is_tested = false,
      .cache_bit_means_exclusive = false,
      .null_backing_is_busy = false,
      .passthrough = Passthrough::kUnknownBit,
      .writeback_cache_excludes_passthrough = false,
      .args_without_open = false,
      .direct_io_always_flushes = false,
      .direct_write_invalidates_after = false,
      .async_write_invalidates_after = false,
      .passthrough_write_grows_size = false,
      .async_without_o_direct = false,
      .writeback_copies_pages = true,
      .cached_write_waits_for_writeback = true,
      .read_copies_before_waiting = false,
      .truncate_is_killable = false,
      .page_read_fails_with_eio = false,
      .growth_clears_old_end = false,
      .failed_write_makes_pages_stale = true,
      .attach_wakes_waiters = false,
      .wait_sets_bit_again = false,
  };
}

constexpr Rules C205() {
  Rules r = CB098();
  r.cached_open_waits = true;
  r.parallel_open_holds_reference = false;
  r.parallel_write_marks_file = true;
  r.allow_mmap_means_exclusive = false;
  r.cache_bit_is_tested = true;
  return r;
}

constexpr Rules FC8() {
  Rules r = C205();
  r.passthrough = Passthrough::kRefused;
  return r;
}

constexpr Rules C4A9() {
  Rules r = FC8();
  r.passthrough = Passthrough::kOpenOnly;
  r.null_backing_is_busy = true;
  return r;
}

constexpr Rules V69Rc1() {
  Rules r = C4A9();
  r.passthrough = Passthrough::kFull;
  return r;
}

constexpr Rules V69() {
  Rules r = V69Rc1();
  r.parallel_write_marks_file = false;
  r.null_backing_is_busy = false;
  return r;
}

constexpr Rules V612() {
  Rules r = V69();
  r.cache_bit_means_exclusive = true;
  r.writeback_cache_excludes_passthrough = true;
  r.args_without_open = true;
  r.direct_io_always_flushes = true;
  r.direct_write_invalidates_after = true;
  r.passthrough_write_grows_size = true;
  r.growth_clears_old_end = true;
  return r;
}

constexpr Rules V618() {
  Rules r = V612();
  r.growth_clears_old_end = false;
  r.async_without_o_direct = true;
  r.writeback_copies_pages = false;
  r.cached_write_waits_for_writeback = false;
  r.read_copies_before_waiting = true;
  r.truncate_is_killable = true;
  return r;
}

constexpr Rules V73() {
  Rules r = V618();
  r.async_write_invalidates_after = true;
  r.page_read_fails_with_eio = true;
  r.growth_clears_old_end = true;
  r.failed_write_makes_pages_stale = false;
  return r;
}

constexpr Rules WakeOnAttach() {
  Rules r = V73();
  r.attach_wakes_waiters = true;
  return r;
}

constexpr Rules RecheckBitInWait() {
  Rules r = V73();
  r.wait_sets_bit_again = true;
  return r;
}

}  // namespace

std::string Rule::Value(const Rules& rules) const {
  if (flag != nullptr) return rules.*flag ? "yes" : "no";
  switch (rules.passthrough) {
    case Passthrough::kUnknownBit:
      return "unknown bit";
    case Passthrough::kRefused:
      return "refused";
    case Passthrough::kOpenOnly:
      return "open only";
    case Passthrough::kFull:
      return "full";
  }
  return "?";
}

void Rule::Flip(Rules& rules) const {
  if (flag != nullptr) {
    rules.*flag = !(rules.*flag);
  } else if (rules.passthrough == Passthrough::kUnknownBit) {
    rules.passthrough = Passthrough::kRefused;
  } else {
    rules.passthrough = static_cast<Passthrough>(static_cast<int>(rules.passthrough) - 1);
  }
}

const std::vector<Rule>& RuleTable() {
  static const auto* const rules = new std::vector<Rule>{
      {"cached_open_waits", "205c1d802683",
       "a cached open or shared mmap of a direct file waits for parallel direct writes instead of "
       "failing",
       &Rules::cached_open_waits},
      {"parallel_open_holds_reference", "205c1d802683",
       "a DIRECT_IO|PARALLEL open holds an uncached reference until release; else each parallel "
       "write takes one",
       &Rules::parallel_open_holds_reference},
      {"parallel_write_marks_file", "4864a6dd8320",
       "a parallel write marks its file UNCACHED while it runs, although writes of one file "
       "overlap",
       &Rules::parallel_write_marks_file},
      {"allow_mmap_means_exclusive", "205c1d802683",
       "direct writes are exclusive on a connection with direct_io_allow_mmap",
       &Rules::allow_mmap_means_exclusive},
      {"cache_bit_is_tested", "205c1d802683",
       "a direct write tests FUSE_I_CACHE_IO_MODE before it takes its lock",
       &Rules::cache_bit_is_tested},
      {"cache_bit_means_exclusive", "2f3d8ff45798",
       "... and takes a set bit as \"exclusive\"; else, the wrong way round, as \"shared is fine\"",
       &Rules::cache_bit_means_exclusive},
      {"null_backing_is_busy", "7cc911262835",
       "a parallel write on an inode with a backing is refused with EBUSY and runs exclusively",
       &Rules::null_backing_is_busy},
      {"passthrough", "57e1176e", "how much of FOPEN_PASSTHROUGH there is", nullptr},
      {"writeback_cache_excludes_passthrough", "3ab394b363c5",
       "passthrough is not negotiated on a connection with writeback_cache",
       &Rules::writeback_cache_excludes_passthrough},
      {"args_without_open", "bd5603eaae0a",
       "files of a server without OPEN have args, and so take io-mode references",
       &Rules::args_without_open},
      {"direct_io_always_flushes", "1ce120dcefc0",
       "direct io writes dirty pages of its range back first; else only with direct_io_allow_mmap",
       &Rules::direct_io_always_flushes},
      {"direct_write_invalidates_after", "b359af8275a9",
       "a direct write drops its range of the page cache after the write, too",
       &Rules::direct_write_invalidates_after},
      {"async_write_invalidates_after", "2b0408d0284f",
       "... and so does an asynchronous one when it completes",
       &Rules::async_write_invalidates_after},
      {"passthrough_write_grows_size", "20121d3f58f0",
       "the FUSE inode's size grows with an extending passthrough write",
       &Rules::passthrough_write_grows_size},
      {"async_without_o_direct", "1c61fc81a50e",
       "any aio on a FOPEN_DIRECT_IO file is asynchronous; else only with O_DIRECT",
       &Rules::async_without_o_direct},
      {"writeback_copies_pages", "0c58a97f919c",
       "writeback sends copies: pages are free at once, and flush waits for the WRITEs under the "
       "inode lock",
       &Rules::writeback_copies_pages},
      {"cached_write_waits_for_writeback", "a4c9ab1d4975",
       "a write into the cache of a writeback_cache server waits for the WRITE of that page",
       &Rules::cached_write_waits_for_writeback},
      {"read_copies_before_waiting", "054e338d0f2c",
       "a cached read copies the pages that are there before it waits for the next one",
       &Rules::read_copies_before_waiting},
      {"truncate_is_killable", "d68687564280",
       "a truncation that waits for the inode lock ends when its process is killed",
       &Rules::truncate_is_killable},
      {"page_read_fails_with_eio", "12cae30dc565",
       "a cached read whose page could not be fetched gives EIO, not the error of the READ",
       &Rules::page_read_fails_with_eio},
      {"growth_clears_old_end", "34b5c4a6e4fb",
       "a write, fallocate or truncation that moves the end of the file first clears the rest of "
       "the old last page, and so waits for it, and drops the pages behind",
       &Rules::growth_clears_old_end},
      {"failed_write_makes_pages_stale", "before 7.3",
       "the pages of a cached write that the server refuses are fetched again by the next reader",
       &Rules::failed_write_makes_pages_stale},
      {"attach_wakes_waiters", "proposal", "attaching a backing wakes the tasks on direct_io_waitq",
       &Rules::attach_wakes_waiters},
      {"wait_sets_bit_again", "proposal",
       "a sleeper on direct_io_waitq that goes back to sleep sets the bit again",
       &Rules::wait_sets_bit_again},
  };
  return *rules;
}

const std::vector<Revision>& Revisions() {
  static const auto* const revisions = new std::vector<Revision>{
      {"cb098dd24b",
       "fuse: introduce inode io modes",
       false,
       CB098(),
       {{"cb098dd24bab", "io modes: cached opens and parallel direct opens exclude one another"}},
       nullptr},
      {"205c1d8026",
       "fuse: allow parallel dio writes with FUSE_DIRECT_IO_ALLOW_MMAP",
       false,
       C205(),
       {{"205c1d802683",
         "each parallel write holds the uncached reference; cached opens wait for it"}},
       nullptr},
      {"fc8ff397b2",
       "fuse: prepare for opening file in passthrough mode",
       false,
       FC8(),
       {{"fc8ff397b2a9", "FOPEN_PASSTHROUGH is known, and every open with it fails"}},
       nullptr},
      {"4a90451bbc",
       "fuse: implement open in passthrough mode",
       false,
       C4A9(),
       {{"4a90451bbc7f",
         "passthrough opens attach a backing to the inode; reads and writes go to the server"}},
       nullptr},
      {"v6.9-rc1",
       "Linux 6.9-rc1",
       false,
       V69Rc1(),
       {{"57e1176e", "passthrough of read and write"},
        {"5ca73468", "passthrough of splice"},
        {"fda0b98e", "passthrough of mmap"}},
       nullptr},
      {"v6.9",
       "Linux 6.9",
       false,
       V69(),
       {{"4864a6dd8320", "overlapping parallel writes of one file no longer warn"},
        {"7cc911262835", "parallel writes on a passthrough inode are parallel"},
        {"aef8acd79f36", "BACKING_OPEN checks its padding (no rule: not visible here)"}},
       nullptr},
      {"v6.12",
       "Linux 6.12 (with its stable fixes)",
       false,
       V612(),
       {{"2f3d8ff45798", "the cache bit makes direct writes exclusive, so waiters do not starve"},
        {"3ab394b363c5", "no passthrough with writeback_cache"},
        {"bd5603eaae0a", "args are always allocated"},
        {"1ce120dcefc0", "direct io always flushes first"},
        {"b359af8275a9", "direct writes invalidate afterwards, too"},
        {"20121d3f58f0", "the size grows with an extending passthrough write"},
        {"34b5c4a6e4fb", "growth clears the rest of the old last page"}},
       nullptr},
      {"v6.18",
       "Linux 6.18",
       false,
       V618(),
       {{"0c58a97f919c",
         "pages stay under writeback until the answer; flush leaves the inode lock alone"},
        {"1c61fc81a50e", "all aio on direct files is asynchronous"},
        {"054e338d0f2c", "a cached read copies what is there before it waits for a page"},
        {"d68687564280", "a truncation that waits for the inode lock can be killed"},
        {"a4c9ab1d4975", "a write into the cache does not wait for the writeback of its page"},
        {"26e5c67deb2e",
         "RELEASE is sent synchronously for virtiofs only (no rule: not visible here)"},
        {"34b5c4a6e4fb", "is not in it, as far as 6.18.44"}},
       nullptr},
      {"v7.3",
       "Linux 7.3",
       false,
       V73(),
       {{"2b0408d0284f", "asynchronous direct writes invalidate, too"},
        {"12cae30dc565", "a page that could not be fetched is EIO, whatever the READ gave"},
        {"34b5c4a6e4fb", "growth clears the rest of the old last page"},
        {"before 7.3", "the pages of a cached write that fails stay as they are"}},
       nullptr},
      {"v7.3+wake-on-attach",
       "proposal: attaching a backing wakes the waiters",
       true,
       WakeOnAttach(),
       {{"proposal", "no sleeper is left behind by a passthrough open"}},
       "v7.3"},
      {"v7.3+recheck-bit-in-wait",
       "proposal: a sleeper sets the cache bit again",
       true,
       RecheckBitInWait(),
       {{"proposal", "no sleeper lacks the bit that keeps new parallel writes away"}},
       "v7.3"},
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

const Revision* RevisionOfLinux(int version, int patchlevel) {
  const Revision* newest = nullptr;
  for (const Revision& revision : Revisions()) {
    int x = 0;
    int y = 0;
    int end = 0;
    if (std::sscanf(revision.name, "v%d.%d%n", &x, &y, &end) < 2 || revision.name[end] != '\0')
      continue;
    if (std::pair(x, y) <= std::pair(version, patchlevel)) newest = &revision;
  }
  return newest;
}

const Revision* PreviousRevision(const Revision& revision) {
  if (revision.base != nullptr) return FindRevision(revision.base);
  const Revision* previous = nullptr;
  for (const Revision& other : Revisions()) {
    if (&other == &revision) return previous;
    previous = &other;
  }
  return nullptr;
}

}  // namespace iomode
