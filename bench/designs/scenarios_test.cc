// SPDX-License-Identifier: GPL-2.0-only
//
// A wrong design has no speed: every design does in every interleaving of every script what the
// kernel's does, but for what it mends. The scripts are those of the folders in DESIGN_SCENARIOS
// that are judged at v7.3.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "bench/designs/atomic_word.h"
#include "bench/designs/scheduled_shards.h"
#include "bench/designs/sharded.h"
#include "sim/machine.h"
#include "sim/scenario_files.h"
#include "sim/script_comparison.h"
#include "sim/script_parser.h"
#include "sim/verdict.h"

namespace iomode {
namespace {

using W = ScheduledWorld;

constexpr uint64_t kMaxStates = 20'000'000;

// The scripts that the kernel's design is held against, without those of other revisions.
std::vector<Script> Scripts() {
  std::vector<Script> scripts;
  const std::vector<std::string> folders = absl::StrSplit(std::getenv("DESIGN_SCENARIOS"), ' ');
  for (const std::string& folder : folders) {
    for (Script& script : ScriptsBelow(folder)) {
      if (RevisionFor(script.name, NewestRevision()).name == NewestRevision().name)
        scripts.push_back(std::move(script));
    }
  }
  return scripts;
}

// Scripts for what the designs do and the kernel has not.
std::vector<Script> OwnScripts() {
  const std::pair<const char*, const char*> texts[] = {
      // An opener that is refused while a backing is being attached clears the bit of one that
      // sleeps.
      {"refused-while-attaching.iom", R"(
conn passthrough direct_io_allow_mmap
inode A
backing B
1: backing_open B -> 0
2: open w A DIRECT_IO|PARALLEL_DIRECT_WRITES -> 0
3: write w hold -> blocked
4: open c A KEEP_CACHE -> blocked
P0: open p A PASSTHROUGH backing=B
P1: open d A KEEP_CACHE
exists P0.1 == 0
)"},
      // The last write is still at its end, or another one is taken back, when one of two openers
      // is in. Nobody closes: the word's last writer wakes after its exchange, and a close in
      // between clears the bit of one that is about to be woken, which the check of every state
      // takes for starvation.
      {"overtaken-opener.iom", R"(
conn direct_io_allow_mmap
inode A
1: open w A DIRECT_IO|PARALLEL_DIRECT_WRITES -> 0
P0: write w
P0: write w off=4096
P1: open c A KEEP_CACHE
P2: open d A KEEP_CACHE
)"}};
  std::vector<Script> scripts;
  for (const auto& [name, text] : texts) {
    absl::StatusOr<Script> script = ParseScript(name, text);
    if (!script.ok()) {
      ADD_FAILURE() << script.status();
      continue;
    }
    scripts.push_back(*std::move(script));
  }
  return scripts;
}

// The row that a design with code of its own follows, with that code in it.
template <class D>
const Revision& RevisionOf() {
  static const Revision* const revision = [] {
    static_assert(IomodeDesign<D, W>);
    auto* row = new Revision(*FindRevision(D::kRevision));
    row->name = D::kName;
    Machine::SetOps(*row, D::Ops());
    return row;
  }();
  return *revision;
}

// v7.3 with both proposals, which mend what the designs mend: H1, the lost wakeup, and H15, the
// lost bit.
const Revision& Mended() {
  static const Revision* const mended = [] {
    auto* row = new Revision(NewestRevision());
    row->name = "v7.3 with both proposals";
    row->rules.attach_wakes_waiters = true;
    row->rules.wait_sets_bit_again = true;
    return row;
  }();
  return *mended;
}

// Findings of v7.3 that the designs are there to mend.
bool IsMended(const Finding& finding) {
  return finding.kind == FindingKind::kLostWakeup || finding.kind == FindingKind::kStarvation;
}

std::set<Finding> FindingsOf(const Script& script, const Revision& revision) {
  const Verdict verdict = CheckScript(script, revision, {.max_states = kMaxStates});
  return {verdict.findings.begin(), verdict.findings.end()};
}

// How a design differs from v7.3 with both proposals on one script; empty: not at all.
template <class D>
std::string Differences(const Script& script) {
  const ScriptComparison one = CompareScript(script, Mended(), RevisionOf<D>(), kMaxStates);
  EXPECT_TRUE(one.complete) << script.name << " has too many states";
  std::cout << script.name << ": " << one.left_states << " and " << one.right_states << " states"
            << std::endl;
  return absl::StrJoin(one.differences, "\n");
}

template <class D>
class DesignTest : public testing::Test {};
struct Names {
  template <class D>
  static std::string GetName(int) {
    return absl::StrReplaceAll(D::kName, {{" ", "_"}});
  }
};
using OwnDesigns = testing::Types<AtomicWord<W>, Sharded<W>>;
TYPED_TEST_SUITE(DesignTest, OwnDesigns, Names);

TYPED_TEST(DesignTest, DoesWhatTheMendedKernelDoes) {
  for (const Script& script : Scripts()) EXPECT_EQ(Differences<TypeParam>(script), "");
}

TYPED_TEST(DesignTest, DoesTheSameWhereItChangesItsMode) {
  for (const Script& script : OwnScripts()) EXPECT_EQ(Differences<TypeParam>(script), "");
}

// What is mended: no hazard loses a wakeup or starves an opener, and some do at v7.3.
TYPED_TEST(DesignTest, MendsLostWakeupsAndStarvation) {
  std::set<FindingKind> mended;
  for (const Script& script : ScriptsBelow("scenarios/hazards")) {
    for (const Finding& finding : FindingsOf(script, NewestRevision())) {
      if (IsMended(finding)) mended.insert(finding.kind);
    }
    for (const Finding& finding : FindingsOf(script, RevisionOf<TypeParam>()))
      EXPECT_FALSE(IsMended(finding)) << script.name << ": " << PrintFinding(finding);
  }
  EXPECT_EQ(mended.size(), 2u);
}

// AtomicWord, but whoever ends a parallel write reads the counter and then writes it: two that end
// at once count as one.
struct TornEnd : AtomicWord<W> {
  static constexpr const char* kName = "torn end";
  static const IomodeOps<W>* Ops() { return OpsOf<TornEnd, W>(); }
  static void fuse_inode_uncached_io_end(FuseInode<W>& fi) {
    const int ctr = W::READ_ONCE(fi.iocachectr);
    if (ctr == -1) return AtomicWord<W>::fuse_inode_uncached_io_end(fi);
    W::WRITE_ONCE(fi.iocachectr, ctr + 1);
  }
};

// AtomicWord, but it never wakes anybody.
struct WakesNobody : AtomicWord<W> {
  static constexpr const char* kName = "wakes nobody";
  static const IomodeOps<W>* Ops() { return OpsOf<WakesNobody, W>(); }
  static void fuse_inode_uncached_io_end(FuseInode<W>& fi) {
    const uint64_t sleepers = std::exchange(fi.direct_io_waitq.sleepers, 0);
    AtomicWord<W>::fuse_inode_uncached_io_end(fi);
    fi.direct_io_waitq.sleepers = sleepers;
  }
};

// Sharded, but a write looks at the mode before it adds to its slot: an opener that sums in between
// sees neither.
struct LooksFirst : Sharded<W> {
  static constexpr const char* kName = "looks first";
  static const IomodeOps<W>* Ops() { return OpsOf<LooksFirst, W>(); }
  static int fuse_inode_uncached_io_start(FuseInode<W>& fi, FuseBacking<W>* fb) {
    if (fb != nullptr || IsCentral(fi)) return Sharded<W>::fuse_inode_uncached_io_start(fi, fb);
    Add(fi, In::Slot(fi, In::StartSlot(fi)), 1);
    return 0;
  }
};

// Sharded, but a write that finds the inode central does not ask again whether files cache.
struct AsksOnce : Sharded<W> {
  static constexpr const char* kName = "asks once";
  static const IomodeOps<W>* Ops() { return OpsOf<AsksOnce, W>(); }
  static int fuse_inode_uncached_io_start(FuseInode<W>& fi, FuseBacking<W>* fb) {
    if (fb != nullptr) return StartWithBacking(fi, fb);
    Add(fi, In::Slot(fi, In::StartSlot(fi)), 1);
    return 0;
  }
};

// Sharded, but a write that takes its addition back tells nobody.
struct TakesBackQuietly : Sharded<W> {
  static constexpr const char* kName = "takes back quietly";
  static const IomodeOps<W>* Ops() { return OpsOf<TakesBackQuietly, W>(); }
  static int fuse_inode_uncached_io_start(FuseInode<W>& fi, FuseBacking<W>* fb) {
    if (fb != nullptr) return StartWithBacking(fi, fb);
    auto& slot = In::Slot(fi, In::StartSlot(fi));
    Add(fi, slot, 1);
    if (!IsCentral(fi)) return 0;
    W::spin_lock(fi.lock);
    const bool caching = W::READ_ONCE(In::Of(fi).ctr) > 0;
    if (caching) Add(fi, slot, -1);
    W::spin_unlock(fi.lock);
    return caching ? -ETXTBSY : 0;
  }
};

// Sharded, but a write that ends does not look whether somebody waits for it.
struct EndsQuietly : Sharded<W> {
  static constexpr const char* kName = "ends quietly";
  static const IomodeOps<W>* Ops() { return OpsOf<EndsQuietly, W>(); }
  static void fuse_inode_uncached_io_end(FuseInode<W>& fi) {
    In::Ends(fi);
    Add(fi, In::Slot(fi, In::EndSlot(fi)), -1);
  }
};

// Sharded, but who ends the last write wakes nobody once another opener has come.
struct WakesBeforeOthersOnly : Sharded<W> {
  static constexpr const char* kName = "wakes before others only";
  static const IomodeOps<W>* Ops() { return OpsOf<WakesBeforeOthersOnly, W>(); }
  static void fuse_inode_uncached_io_end(FuseInode<W>& fi) {
    In::Ends(fi);
    Add(fi, In::Slot(fi, In::EndSlot(fi)), -1);
    if (!IsCentral(fi)) return;
    W::spin_lock(fi.lock);
    FuseBacking<W>* const fb = W::READ_ONCE(In::Of(fi).ctr) > 0 ? nullptr : SettleLocked(fi);
    W::spin_unlock(fi.lock);
    fuse_backing_put(*fi.fc, fb);
  }
};

template <class D>
bool IsFound(const std::vector<Script>& scripts) {
  return std::any_of(scripts.begin(), scripts.end(),
                     [](const Script& script) { return !Differences<D>(script).empty(); });
}

TEST(Designs, BrokenOnesAreFound) {
  std::vector<Script> scripts = Scripts();
  for (Script& script : OwnScripts()) scripts.push_back(std::move(script));
  EXPECT_TRUE(IsFound<TornEnd>(scripts));
  EXPECT_TRUE(IsFound<WakesNobody>(scripts));
  EXPECT_TRUE(IsFound<LooksFirst>(scripts));
  EXPECT_TRUE(IsFound<AsksOnce>(scripts));
  EXPECT_TRUE(IsFound<TakesBackQuietly>(scripts));
  EXPECT_TRUE(IsFound<EndsQuietly>(scripts));
  EXPECT_TRUE(IsFound<WakesBeforeOthersOnly>(scripts));
}

}  // namespace
}  // namespace iomode
