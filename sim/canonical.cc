// SPDX-License-Identifier: GPL-2.0-only

#include "sim/canonical.h"

#include <algorithm>
#include <cstring>

namespace iomode {

CanonicalKey::CanonicalKey(Machine& machine) : machine_(machine) {
  const auto add = [this](const auto& pool) {
    const uint64_t begin = reinterpret_cast<uint64_t>(pool.items);
    const uint64_t item = sizeof(*pool.items);
    pools_.push_back({begin, begin + item * pool.capacity, item, {}});
    heads_.push_back(reinterpret_cast<const uint8_t*>(&pool.items));
  };
  FuseConn<ScheduledWorld>& fc = machine.conn();
  add(fc.backings);
  add(fc.fuse_files);
  add(fc.files);
  add(fc.reqs);
  add(fc.ios);
  if (fc.file_args.capacity != 0) add(fc.file_args);
  std::sort(pools_.begin(), pools_.end(),
            [](const Pool& a, const Pool& b) { return a.begin < b.begin; });
  std::sort(heads_.begin(), heads_.end());
}

uint64_t CanonicalKey::Rename(uint64_t word) {
  if (word < pools_.front().begin || word >= pools_.back().end) return word;
  for (size_t p = 0; p < pools_.size(); p++) {
    Pool& pool = pools_[p];
    if (word < pool.begin || word >= pool.end) continue;
    const uint64_t item = (word - pool.begin) / pool.item;
    const uint64_t begin = pool.begin + item * pool.item;
    if (pool.names[item] == 0) {
      found_.push_back(reinterpret_cast<const uint8_t*>(begin));
      found_bytes_.push_back(pool.item);
      pool.names[item] = static_cast<uint32_t>(found_.size());
    }
    return (uint64_t{p + 1} << 56) | (uint64_t{pool.names[item]} << 24) | (word - begin);
  }
  return word;
}

void CanonicalKey::AddRegion(const uint8_t* begin, const uint8_t* end) {
  for (; begin + 8 <= end; begin += 8) {
    uint64_t word;
    std::memcpy(&word, begin, 8);
    words_.push_back(Rename(word));
  }
  uint64_t rest = 0;
  std::memcpy(&rest, begin, end - begin);
  words_.push_back(rest);
}

Hash128 CanonicalKey::Compute() {
  Scheduler& s = machine_.scheduler();
  words_.clear();
  found_.clear();
  found_bytes_.clear();
  for (Pool& pool : pools_) pool.names.assign((pool.end - pool.begin) / pool.item, 0);

  // The shared part, but for the tasks at its beginning, the pools, and where they begin: that
  // would be taken for a pointer to the item in their first slot.
  const uint8_t* at = s.shared() + s.task_count() * sizeof(Task);
  for (const uint8_t* head : heads_) {
    AddRegion(at, head);
    at = head + sizeof(void*);
  }
  for (const Pool& pool : pools_) {
    AddRegion(at, reinterpret_cast<const uint8_t*>(pool.begin));
    at = reinterpret_cast<const uint8_t*>(pool.end);
  }
  AddRegion(at, s.shared() + s.shared_used());
  for (int slot = 0; slot < s.task_count(); slot++) {
    const Task& task = s.task(slot);
    AddRegion(reinterpret_cast<const uint8_t*>(&task), reinterpret_cast<const uint8_t*>(&task + 1));
    if (!s.live(slot)) continue;
    // The lowest word is the switch's own: control words with bytes that it does not write.
    AddRegion(s.stack_begin(slot) + 8, s.stack_begin(slot) + s.stack_bytes(slot));
  }
  for (size_t i = 0; i < found_.size(); i++) AddRegion(found_[i], found_[i] + found_bytes_[i]);
  return HashBytes(reinterpret_cast<const uint8_t*>(words_.data()), words_.size() * 8);
}

}  // namespace iomode
