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
#include "absl/strings/str_split.h"
#include "bench/designs/atomic_word.h"
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

TEST(Designs, AtomicWordDoesWhatTheMendedKernelDoes) {
  for (const Script& script : Scripts()) EXPECT_EQ(Differences<AtomicWord<W>>(script), "");
}

// An opener that is refused while a backing is being attached clears the bit of one that sleeps.
TEST(Designs, AtomicWordWakesWhoSleptBeforeTheAttach) {
  const absl::StatusOr<Script> script = ParseScript("refused-while-attaching.iom", R"(
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
)");
  ASSERT_TRUE(script.ok()) << script.status().message();
  EXPECT_EQ(Differences<AtomicWord<W>>(*script), "");
}

// What is mended: no hazard loses a wakeup or starves an opener, and some do at v7.3.
TEST(Designs, AtomicWordMendsLostWakeupsAndStarvation) {
  std::set<FindingKind> mended;
  for (const Script& script : ScriptsBelow("scenarios/hazards")) {
    for (const Finding& finding : FindingsOf(script, NewestRevision())) {
      if (IsMended(finding)) mended.insert(finding.kind);
    }
    for (const Finding& finding : FindingsOf(script, RevisionOf<AtomicWord<W>>()))
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

template <class D>
bool IsFound(const std::vector<Script>& scripts) {
  return std::any_of(scripts.begin(), scripts.end(),
                     [](const Script& script) { return !Differences<D>(script).empty(); });
}

TEST(Designs, BrokenOnesAreFound) {
  const std::vector<Script> scripts = Scripts();
  EXPECT_TRUE(IsFound<TornEnd>(scripts));
  EXPECT_TRUE(IsFound<WakesNobody>(scripts));
}

}  // namespace
}  // namespace iomode
