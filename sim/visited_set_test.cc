// SPDX-License-Identifier: GPL-2.0-only

#include "sim/visited_set.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace iomode {
namespace {

TEST(VisitedSet, TellsNewFromSeenAtEverySize) {
  VisitedSet set;
  std::set<Hash128> reference;
  std::mt19937_64 random(1);
  // Few distinct values first, so that most are met again; then past the split and several growths.
  for (int i = 0; i < 100'000; i++) {
    const Hash128 key = {1 + random() % (i < 25'000 ? 100 : ~uint64_t{0} - 1), random() % 64};
    ASSERT_EQ(set.Contains(key), reference.contains(key)) << i;
    ASSERT_EQ(set.Insert(key), reference.insert(key).second) << i;
    ASSERT_TRUE(set.Contains(key));
  }
  EXPECT_EQ(set.size(), reference.size());
  std::set<Hash128> listed;
  set.ForEach([&listed](const Hash128& key) { EXPECT_TRUE(listed.insert(key).second); });
  EXPECT_EQ(listed, reference);
}

TEST(VisitedSet, KeysThatDifferInOneHalfOnlyAreTwo) {
  VisitedSet set;
  EXPECT_TRUE(set.Insert({7, 0}));
  EXPECT_TRUE(set.Insert({7, 64}));
  EXPECT_TRUE(set.Insert({8, 64}));
  EXPECT_FALSE(set.Insert({7, 64}));
  EXPECT_TRUE(set.Insert({}));
  EXPECT_FALSE(set.Insert({}));
}

// Keys that have their home near the end wrap around to the start, where others have theirs: some
// crowded, some with room once the set has grown.
TEST(VisitedSet, CrowdedPlacesWrapAround) {
  const auto first = [](uint64_t i) { return Hash128{i % 4 == 0 ? i + 1 : (i + 1) << 50, 5}; };
  const auto last = [&first](uint64_t i) { return Hash128{~first(i).lo, 5}; };
  for (const uint64_t n : {200, 300, 500, 2000, 5000, 9000}) {
    VisitedSet set;
    for (uint64_t i = 0; i < n; i++) {
      ASSERT_TRUE(set.Insert(last(i)) && set.Insert(first(i)));
      ASSERT_FALSE(set.Insert(first(i / 2)) || set.Insert(last(i / 2))) << i;
    }
    for (uint64_t i = 0; i < n; i++) ASSERT_TRUE(set.Contains(last(i)) && set.Contains(first(i)));
    ASSERT_FALSE(set.Contains(last(n)) || set.Contains(first(n)));
  }
}

// What the header promises, at sizes around which segments grow.
TEST(VisitedSet, AStateCostsLessThanTwentyEightBytes) {
  VisitedSet set;
  std::mt19937_64 random(2);
  for (uint64_t n = 1; n <= 1'000'000; n++) {
    set.Insert({random(), random()});
    if (n > 20'000 && n % 10'000 == 0) {
      ASSERT_LT(set.bytes(), n * 28) << n;
    }
  }
  EXPECT_EQ(set.size(), 1'000'000u);
}

}  // namespace
}  // namespace iomode
