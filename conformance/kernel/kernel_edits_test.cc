// SPDX-License-Identifier: GPL-2.0-only
//
// Which edits make which revision. That they do is for a kernel that is built with them to show
// (docs/conformance.md).

#include "conformance/kernel/kernel_edits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conformance/kernel/kernel_edit_texts.h"

namespace iomode::conform {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Revision& Of(const char* name) { return *FindRevision(name); }

bool SameRules(const Rules& a, const Rules& b) {
  for (const Rule& rule : RuleTable()) {
    if (rule.Value(a) != rule.Value(b)) return false;
  }
  return true;
}

TEST(KernelEditsTest, EveryOlderRevisionCanBeMadeOf612) {
  for (const char* name :
       {"cb098dd24b", "205c1d8026", "fc8ff397b2", "4a90451bbc", "v6.9-rc1", "v6.9", "v6.12"}) {
    const KernelEdits edits = EditsInto(Of("v6.12"), Of(name));
    EXPECT_THAT(edits.not_made, IsEmpty()) << name;
    EXPECT_TRUE(SameRules(edits.rules, Of(name).rules)) << name;
  }
  EXPECT_THAT(EditsInto(Of("v6.12"), Of("v6.12")).names, IsEmpty());
}

// The code that an edit looks for may be gone once that of an older rule was applied.
TEST(KernelEditsTest, NewerRulesAreUndoneFirst) {
  const KernelEdits edits = EditsInto(Of("v6.12"), Of("cb098dd24b"));
  const auto place = [&edits](const char* name) {
    return std::find(edits.names.begin(), edits.names.end(), name);
  };
  EXPECT_LT(place("cache_bit_means_exclusive.no"), place("cache_bit_is_tested.no"));
  EXPECT_NE(place("cache_bit_is_tested.no"), edits.names.end());
}

TEST(KernelEditsTest, AProposalChangesWhatItChangesOfItsBase) {
  const KernelEdits edits = EditsInto(Of("v6.12"), Of("v7.3+wake-on-attach"));
  EXPECT_THAT(edits.names, ElementsAre("attach_wakes_waiters.yes"));
  EXPECT_THAT(edits.not_made, IsEmpty());
  Rules wanted = Of("v6.12").rules;
  wanted.attach_wakes_waiters = true;
  EXPECT_TRUE(SameRules(edits.rules, wanted));
}

TEST(KernelEditsTest, WhatHasNoEditIsNamedAndStaysAsItIs) {
  const KernelEdits edits = EditsInto(Of("v6.12"), Of("v6.18"));
  EXPECT_THAT(edits.names, ElementsAre("growth_clears_old_end.no", "async_without_o_direct.yes"));
  EXPECT_THAT(edits.not_made, Contains("writeback_copies_pages"));
  EXPECT_TRUE(edits.rules.writeback_copies_pages);
  EXPECT_TRUE(edits.rules.async_without_o_direct);
}

// A file whose name is no rule's, or no value of it, would never be used.
TEST(KernelEditsTest, EveryEditIsOfSomeRevision) {
  for (const KernelEditText* edit = kKernelEditTexts; edit->name != nullptr; edit++) {
    bool used = false;
    for (const Revision& to : Revisions()) {
      const KernelEdits edits = EditsInto(Of("v6.12"), to);
      used |= std::count(edits.names.begin(), edits.names.end(), edit->name) != 0;
    }
    EXPECT_TRUE(used) << edit->name;
  }
}

}  // namespace
}  // namespace iomode::conform
