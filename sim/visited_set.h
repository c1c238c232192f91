// SPDX-License-Identifier: GPL-2.0-only
//
// The set of states that a search has entered, as 128-bit hashes in open addressing.
//
//   segment 0..63 (by the low bits of hi):  | - | h | h | - | h | ... |   linear probing
//   position in a segment:                  lo * capacity / 2^64
//
// Up to 2^14 hashes there is one segment; then 64, each of which grows by half when it is 7/8 full,
// so that growing never needs much more memory than the set takes before and after. A hash costs 16
// bytes, 18 to 28 with the free places; a hundred million states take at most 2.8 GB.
//
// Two states are taken for one when all 128 bits are equal: with n states a chance below
// n * n / 2^128, 3e-23 for a hundred million. (The hash 0 counts as the hash 1.)
//
// Used by one thread.

#ifndef SIM_VISITED_SET_H_
#define SIM_VISITED_SET_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/hash.h"

namespace iomode {

class VisitedSet {
 public:
  VisitedSet() : segments_(1) {}

  // Whether it was not there yet.
  bool Insert(Hash128 key);
  bool Contains(Hash128 key) const;
  // Insert(key) will be called soon.
  void Prefetch(Hash128 key) const {
    const Segment& segment = SegmentOf(key);
    if (!segment.places.empty()) __builtin_prefetch(&segment.places[Home(segment, key)], 1);
  }

  uint64_t size() const { return size_; }
  // What the set takes.
  uint64_t bytes() const;

  // Calls f(key) for each key, in an order that only depends on the keys and how often it grew.
  template <class F>
  void ForEach(F f) const {
    for (const Segment& segment : segments_) {
      for (const Hash128& place : segment.places) {
        if (!IsFree(place)) f(place);
      }
    }
  }

 private:
  struct Segment {
    std::vector<Hash128> places;  // a free one is all zero
    size_t used = 0;
  };

  static constexpr size_t kSmallest = 64;
  static constexpr size_t kSplitAt = 1 << 14;
  static constexpr size_t kSegments = 64;

  static bool IsFree(const Hash128& place) { return (place.lo | place.hi) == 0; }
  static Hash128 Used(Hash128 key) {
    if (IsFree(key)) key.lo = 1;
    return key;
  }
  // Where the search for the key begins.
  static size_t Home(const Segment& segment, Hash128 key) {
    return static_cast<size_t>((static_cast<unsigned __int128>(key.lo) * segment.places.size()) >>
                               64);
  }
  // Where the key is in the segment, or the free place for it. There is one.
  static size_t Find(const Segment& segment, Hash128 key) {
    const size_t capacity = segment.places.size();
    size_t at = Home(segment, key);
    while (!IsFree(segment.places[at]) && !(segment.places[at] == key)) {
      if (++at == capacity) at = 0;
    }
    return at;
  }
  Segment& SegmentOf(Hash128 key) { return segments_[key.hi & (segments_.size() - 1)]; }
  const Segment& SegmentOf(Hash128 key) const { return segments_[key.hi & (segments_.size() - 1)]; }

  static void Grow(Segment& segment, size_t capacity);
  void Split();

  std::vector<Segment> segments_;
  uint64_t size_ = 0;
};

}  // namespace iomode

#endif  // SIM_VISITED_SET_H_
