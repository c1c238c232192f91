// SPDX-License-Identifier: GPL-2.0-only

#include "sim/visited_set.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace iomode {

VisitedSet::Segment::~Segment() {
  if (places_ != nullptr) munmap(places_, capacity_ * sizeof(Hash128));
}

void VisitedSet::Segment::Extend(size_t capacity) {
  const size_t bytes = capacity * sizeof(Hash128);
  void* places =
      places_ == nullptr
          ? mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
          : mremap(places_, capacity_ * sizeof(Hash128), bytes, MREMAP_MAYMOVE);
  if (places == MAP_FAILED) {
    std::fprintf(stderr, "no memory for the set of visited states\n");
    std::abort();
  }
  places_ = static_cast<Hash128*>(places);
#ifdef MADV_POPULATE_WRITE
  // Faster than page by page; where the kernel cannot, they come page by page.
  madvise(places_ + capacity_, (capacity - capacity_) * sizeof(Hash128), MADV_POPULATE_WRITE);
#endif
  capacity_ = capacity;
}

// By half, in whole pages. A larger table has a key's home further behind, in proportion, so keys
// can be moved to their new places from the last to the first.
void VisitedSet::Grow(Segment& segment) {
  const size_t before = segment.capacity();
  segment.Extend(std::max(before + kPage, (before + before / 2) / kPage * kPage));
  // Those near the start whose new home lies among keys that are not moved yet, and those that do
  // not fit in before the end.
  std::vector<Hash128> late;
  for (size_t i = before; i-- > 0;) {
    const Hash128 key = segment[i];
    if (IsFree(key)) continue;
    segment[i] = {};
    size_t at = Home(segment, key);
    bool fits = at > i;
    while (fits && !IsFree(segment[at])) fits = ++at < segment.capacity();
    if (fits) {
      segment[at] = key;
    } else {
      late.push_back(key);
    }
  }
  for (const Hash128& key : late) segment[Find(segment, key)] = key;
}

void VisitedSet::Split() {
  const Segment all = std::move(segments_[0]);
  segments_.clear();
  segments_.resize(kSegments);
  for (Segment& segment : segments_) segment.Extend(2 * kSplitAt / kSegments);
  for (size_t i = 0; i < all.capacity(); i++) {
    if (IsFree(all[i])) continue;
    Segment& segment = SegmentOf(all[i]);
    if (IsCrowded(segment)) Grow(segment);
    segment[Find(segment, all[i])] = all[i];
    segment.used++;
  }
}

bool VisitedSet::Insert(Hash128 key) {
  key = Used(key);
  Segment* segment = &SegmentOf(key);
  if (IsCrowded(*segment)) {
    if (segments_.size() == 1 && segment->used >= kSplitAt) {
      Split();
      segment = &SegmentOf(key);
    } else {
      Grow(*segment);
    }
  }
  Hash128& place = (*segment)[Find(*segment, key)];
  if (!IsFree(place)) return false;
  place = key;
  segment->used++;
  size_++;
  return true;
}

bool VisitedSet::Contains(Hash128 key) const {
  key = Used(key);
  const Segment& segment = SegmentOf(key);
  return segment.capacity() > 0 && !IsFree(segment[Find(segment, key)]);
}

uint64_t VisitedSet::bytes() const {
  uint64_t bytes = 0;
  for (const Segment& segment : segments_) bytes += segment.capacity() * sizeof(Hash128);
  return bytes;
}

}  // namespace iomode
