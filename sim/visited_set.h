// SPDX-License-Identifier: GPL-2.0-only
//
// The set of states that a search has entered, as 128-bit hashes in open addressing.
//
//   segment 0..7 (by the low bits of hi):  | - | h | h | - | h | ... |   linear probing
//   position in a segment:                  lo * capacity / 2^64
//
// Up to 2^14 hashes there is one segment; then 8, each of which grows by half, in its place, when
// it is 7/8 full. A hash costs 16 bytes, 18 to 28 with the free places; a hundred million states
// take at most 2.8 GB, and growing takes nothing beside them.
//
// Two states are taken for one when all 128 bits are equal: with n states a chance below
// n * n / 2^128, 3e-23 for a hundred million. (The hash 0 counts as the hash 1.)
//
// Used by one thread.

#ifndef SIM_VISITED_SET_H_
#define SIM_VISITED_SET_H_

#include <cstddef>
#include <cstdint>
#include <utility>
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
    if (segment.capacity() > 0) __builtin_prefetch(&segment[Home(segment, key)], 1);
  }

  uint64_t size() const { return size_; }
  // What the set takes.
  uint64_t bytes() const;

  // Calls f(key) for each key, in an order that only depends on the keys and how often it grew.
  template <class F>
  void ForEach(F f) const {
    for (const Segment& segment : segments_) {
      for (size_t i = 0; i < segment.capacity(); i++) {
        if (!IsFree(segment[i])) f(segment[i]);
      }
    }
  }

 private:
  // Memory of its own, in pages. A free place is all zero.
  class Segment {
   public:
    Segment() = default;
    Segment(Segment&& other) noexcept { *this = std::move(other); }
    Segment& operator=(Segment&& other) noexcept {
      std::swap(places_, other.places_);
      std::swap(capacity_, other.capacity_);
      std::swap(used, other.used);
      return *this;
    }
    ~Segment();

    size_t capacity() const { return capacity_; }
    Hash128& operator[](size_t i) { return places_[i]; }
    const Hash128& operator[](size_t i) const { return places_[i]; }
    // Adds free places at the end, so that there are `capacity`, a multiple of kPage.
    void Extend(size_t capacity);

    size_t used = 0;

   private:
    Hash128* places_ = nullptr;
    size_t capacity_ = 0;
  };

  static constexpr size_t kPage = 4096 / sizeof(Hash128);  // places
  static constexpr size_t kSplitAt = 1 << 14;
  static constexpr size_t kSegments = 8;

  static bool IsFree(const Hash128& place) { return (place.lo | place.hi) == 0; }
  static Hash128 Used(Hash128 key) {
    if (IsFree(key)) key.lo = 1;
    return key;
  }
  // Where the search for the key begins.
  static size_t Home(const Segment& segment, Hash128 key) {
    return static_cast<size_t>((static_cast<unsigned __int128>(key.lo) * segment.capacity()) >> 64);
  }
  // Where the key is in the segment, or the free place for it. There is one.
  static size_t Find(const Segment& segment, Hash128 key) {
    const size_t capacity = segment.capacity();
    size_t at = Home(segment, key);
    while (!IsFree(segment[at]) && !(segment[at] == key)) {
      if (++at == capacity) at = 0;
    }
    return at;
  }
  Segment& SegmentOf(Hash128 key) { return segments_[key.hi & (segments_.size() - 1)]; }
  const Segment& SegmentOf(Hash128 key) const { return segments_[key.hi & (segments_.size() - 1)]; }

  static bool IsCrowded(const Segment& segment) {
    return segment.used * 8 >= segment.capacity() * 7;
  }
  static void Grow(Segment& segment);
  void Split();

  std::vector<Segment> segments_;
  uint64_t size_ = 0;
};

}  // namespace iomode

#endif  // SIM_VISITED_SET_H_
