// SPDX-License-Identifier: GPL-2.0-only

#include "sim/visited_set.h"

#include <algorithm>

namespace iomode {

void VisitedSet::Grow(Segment& segment, size_t capacity) {
  Segment grown;
  grown.places.resize(capacity);
  grown.used = segment.used;
  for (const Hash128& place : segment.places) {
    if (!IsFree(place)) grown.places[Find(grown, place)] = place;
  }
  segment = std::move(grown);
}

void VisitedSet::Split() {
  const Segment all = std::move(segments_[0]);
  segments_.assign(kSegments, {});
  for (Segment& segment : segments_) segment.places.resize(all.used / kSegments * 2);
  for (const Hash128& place : all.places) {
    if (IsFree(place)) continue;
    Segment& segment = SegmentOf(place);
    if (segment.used * 8 >= segment.places.size() * 7)
      Grow(segment, segment.places.size() + segment.places.size() / 2);
    segment.places[Find(segment, place)] = place;
    segment.used++;
  }
}

bool VisitedSet::Insert(Hash128 key) {
  key = Used(key);
  Segment* segment = &SegmentOf(key);
  if (segment->used * 8 >= segment->places.size() * 7) {
    if (segments_.size() == 1 && segment->used >= kSplitAt) {
      Split();
      segment = &SegmentOf(key);
    } else {
      Grow(*segment, std::max(kSmallest, segment->places.size() + segment->places.size() / 2));
    }
  }
  Hash128& place = segment->places[Find(*segment, key)];
  if (!IsFree(place)) return false;
  place = key;
  segment->used++;
  size_++;
  return true;
}

bool VisitedSet::Contains(Hash128 key) const {
  key = Used(key);
  const Segment& segment = SegmentOf(key);
  return !segment.places.empty() && !IsFree(segment.places[Find(segment, key)]);
}

uint64_t VisitedSet::bytes() const {
  uint64_t bytes = 0;
  for (const Segment& segment : segments_) bytes += segment.places.capacity() * sizeof(Hash128);
  return bytes;
}

}  // namespace iomode
