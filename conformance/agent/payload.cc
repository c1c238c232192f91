// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/agent/payload.h"

#include <algorithm>

namespace iomode::agent {
namespace {

// A number is spelled as two bytes: an upper one with the top bit set, and a lower one of 1 ...
// 127.
constexpr int kLowerValues = 127;
constexpr uint8_t kUpperBit = 0x80;
static_assert(kMaxSource <= kLowerValues * 128);

uint8_t UpperByte(Source source) {
  return static_cast<uint8_t>(kUpperBit | ((source - 1) / kLowerValues));
}
uint8_t LowerByte(Source source) { return static_cast<uint8_t>((source - 1) % kLowerValues + 1); }

Source Decode(uint8_t one, uint8_t other) {
  if ((one & kUpperBit) == (other & kUpperBit)) return kNobody;
  const uint8_t upper = one & kUpperBit ? one : other;
  const uint8_t lower = one & kUpperBit ? other : one;
  if (lower == 0) return kNobody;
  return static_cast<Source>((upper & ~kUpperBit) * kLowerValues + lower);
}

}  // namespace

int InodeOfSource(Source source) {
  return source >= SourceOfInode(0) && source < SourceOfBacking(0) ? source - SourceOfInode(0) : -1;
}

int BackingOfSource(Source source) {
  return source >= SourceOfBacking(0) && source < SourceOfStep(1) ? source - SourceOfBacking(0)
                                                                  : -1;
}

int StepOfSource(Source source) {
  return source >= SourceOfStep(1) && source <= kMaxSource ? source - SourceOfStep(0) : -1;
}

void Fill(std::span<uint8_t> bytes, Source source) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = i % 2 == 0 ? UpperByte(source) : LowerByte(source);
  }
}

size_t SourcesOf(std::span<const uint8_t> bytes, std::span<Source> found) {
  size_t count = 0;
  for (size_t i = 0; i + 1 < bytes.size() && count < found.size(); ++i) {
    const Source source = Decode(bytes[i], bytes[i + 1]);
    if (source == kNobody) continue;
    // Where two sources meet, the pair of one byte of each spells neither: believe only what
    // repeats.
    const bool repeats = i + 2 < bytes.size() && Decode(bytes[i + 1], bytes[i + 2]) == source;
    const bool repeated = i > 0 && Decode(bytes[i - 1], bytes[i]) == source;
    if (!repeats && !repeated && bytes.size() > 2) continue;
    const auto end = found.begin() + count;
    if (std::find(found.begin(), end, source) == end) found[count++] = source;
  }
  return count;
}

}  // namespace iomode::agent
