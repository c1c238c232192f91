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

// One row. RuleTable() gives each rule's meaning and the commit behind it.
struct Rules {
  bool cached_open_waits;
  bool parallel_open_holds_reference;
  bool parallel_write_marks_file;
  bool allow_mmap_means_exclusive;
  bool cache_bit_is_tested;
  bool cache_bit_means_exclusive;
  bool null_backing_is_busy;
  Passthrough passthrough;
  bool writeback_cache_excludes_passthrough;
  bool args_without_open;
  bool direct_io_always_flushes;
  bool direct_write_invalidates_after;
  bool async_write_invalidates_after;
  bool passthrough_write_grows_size;
  bool async_without_o_direct;
  bool writeback_copies_pages;
  bool cached_write_waits_for_writeback;
  bool read_copies_before_waiting;
  bool truncate_is_killable;
  bool page_read_fails_with_eio;
  bool growth_clears_old_end;
  bool failed_write_makes_pages_stale;
  bool attach_wakes_waiters;
  bool wait_sets_bit_again;
};

// What a rule is about. `commit` is the kernel commit that introduced or fixed it; "proposal" where
// there is none.
struct Rule {
  const char* name;
  const char* commit;
  const char* meaning;
  bool Rules::*flag;  // nullptr: the rule is `passthrough`

  // "yes", "no", or how much of passthrough there is.
  std::string Value(const Rules& rules) const;
  // Makes the rule the other way round: what "would this change break?" asks. For `passthrough`:
  // one step less.
  void Flip(Rules& rules) const;
};

// What came with a revision: one commit, one line.
struct Change {
  const char* commit;
  const char* what;
};

struct Revision {
  const char* name;
  const char* title;
  bool proposal;
  Rules rules;
  std::vector<Change> changes;  // against the row before; of a proposal: against its base
  const char* base;             // of a proposal: the revision that it changes
};

// All rules, in the order of Rules.
const std::vector<Rule>& RuleTable();

// All revisions, oldest first, then the proposals.
const std::vector<Revision>& Revisions();

// The newest revision of the kernel proper.
const Revision& NewestRevision();

// By name, or nullptr.
const Revision* FindRevision(const std::string& name);

// The newest revision "vX.Y" that Linux `version`.`patchlevel` is not older than, or nullptr.
const Revision* RevisionOfLinux(int version, int patchlevel);

// The revision that `revision` is compared with: the row before it, or a proposal's base; nullptr
// for the first.
const Revision* PreviousRevision(const Revision& revision);

}  // namespace iomode

#endif  // MODEL_REVISION_H_
