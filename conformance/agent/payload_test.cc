// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/agent/payload.h"

#include <gtest/gtest.h>

#include <vector>

namespace iomode::agent {
namespace {

std::vector<uint8_t> BytesOf(Source source, size_t size) {
  std::vector<uint8_t> bytes(size);
  Fill(bytes, source);
  return bytes;
}

std::vector<Source> Sources(std::span<const uint8_t> bytes, size_t room = 8) {
  std::vector<Source> found(room);
  found.resize(SourcesOf(bytes, found));
  return found;
}

TEST(Payload, AnyTwoNeighboursTellTheSource) {
  for (int source = 1; source <= kMaxSource; ++source) {
    const std::vector<uint8_t> bytes = BytesOf(static_cast<Source>(source), 3);
    const std::vector<Source> expected = {static_cast<Source>(source)};
    ASSERT_EQ(Sources(std::span(bytes).first(2)), expected);
    ASSERT_EQ(Sources(std::span(bytes).last(2)), expected);
  }
}

TEST(Payload, NumbersAreDistinctAndLeadBack) {
  EXPECT_EQ(InodeOfSource(SourceOfInode(7)), 7);
  EXPECT_EQ(BackingOfSource(SourceOfBacking(7)), 7);
  EXPECT_EQ(StepOfSource(SourceOfStep(7)), 7);
  EXPECT_EQ(StepOfSource(SourceOfStep(kMaxSteps)), kMaxSteps);
  EXPECT_EQ(InodeOfSource(SourceOfBacking(0)), -1);
  EXPECT_EQ(BackingOfSource(SourceOfInode(kMaxInodes - 1)), -1);
  EXPECT_EQ(BackingOfSource(SourceOfStep(1)), -1);
  EXPECT_EQ(StepOfSource(SourceOfBacking(kMaxBackings - 1)), -1);
  EXPECT_EQ(InodeOfSource(kNobody), -1);
}

TEST(Payload, MixedBytesNameEachSourceOnceInOrder) {
  // One byte of each, where they meet, would spell a third number.
  std::vector<uint8_t> bytes = BytesOf(SourceOfStep(3), 100);
  const std::vector<uint8_t> middle = BytesOf(SourceOfBacking(1), 30);
  std::copy(middle.begin(), middle.end(), bytes.begin() + 16);
  EXPECT_EQ(Sources(bytes), (std::vector<Source>{SourceOfStep(3), SourceOfBacking(1)}));
  EXPECT_EQ(Sources(bytes, 1), std::vector<Source>{SourceOfStep(3)});
}

TEST(Payload, ZerosAreNobodys) {
  std::vector<uint8_t> bytes(64);
  EXPECT_TRUE(Sources(bytes).empty());
  EXPECT_TRUE(Sources(std::span(bytes).first(1)).empty());
  const std::vector<uint8_t> part = BytesOf(SourceOfInode(0), 8);
  std::copy(part.begin(), part.end(), bytes.begin() + 5);
  EXPECT_EQ(Sources(bytes), std::vector<Source>{SourceOfInode(0)});
}

}  // namespace
}  // namespace iomode::agent
