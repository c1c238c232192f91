// SPDX-License-Identifier: GPL-2.0-only
//
// The identity of a machine's state up to renaming: which slot of a pool an open file, request or
// backing happens to lie in does not count.
//
// Pool items are numbered in the order in which a walk from the roots (everything outside the
// pools, then the tasks' stacks) meets pointers to them; a pointer counts as that number and its
// offset into the item. Words that look like pointers into a pool are taken for pointers. Task
// slots are not renamed: a step has its own.

#ifndef SIM_CANONICAL_H_
#define SIM_CANONICAL_H_

#include <cstdint>
#include <vector>

#include "sim/machine.h"

namespace iomode {

class CanonicalKey {
 public:
  explicit CanonicalKey(Machine& machine);

  // The key of the state that the machine is in.
  Hash128 Compute();

 private:
  struct Pool {
    uint64_t begin;
    uint64_t end;
    uint64_t item;                // bytes of an item
    std::vector<uint32_t> names;  // by item: number + 1; 0: not met yet
  };

  void AddRegion(const uint8_t* begin, const uint8_t* end);
  uint64_t Rename(uint64_t word);

  Machine& machine_;
  std::vector<Pool> pools_;            // by address
  std::vector<const uint8_t*> heads_;  // where FuseConn points to the pools; by address
  std::vector<const uint8_t*> found_;
  std::vector<uint64_t> found_bytes_;
  std::vector<uint64_t> words_;
};

}  // namespace iomode

#endif  // SIM_CANONICAL_H_
