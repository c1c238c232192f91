// SPDX-License-Identifier: GPL-2.0-only
//
// What memory of an arena the machine's code reads and writes while a task runs.
//
// The compiler has that code call a function before each access to memory, the ones that it calls
// for a kernel's address sanitizer (sim/BUILD.bazel; access_recorder.cc has them). What is not
// compiled so is not seen: the scheduler's own accesses, which are to the record of the task that
// runs and to the lock that it takes, and another implementation of the io-mode functions
// (Machine::ReportsAccesses()).
//
// One recording at a time and thread.

#ifndef SIM_ACCESS_RECORDER_H_
#define SIM_ACCESS_RECORDER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/scheduler.h"

namespace iomode {

class AccessRecorder {
 public:
  explicit AccessRecorder(const Scheduler& scheduler);

  // From Start() to Stop() what this thread accesses is noted; the task in `slot` will run.
  void Start(int slot);
  void Stop();

  // Whether the lane of the shared part, 16 bytes, was read or written.
  bool Has(size_t lane) const { return lanes_[lane / 64] >> (lane % 64) & 1; }
  // Whether another task's stack was.
  bool other_stacks() const { return other_stacks_; }

 private:
  const Scheduler& scheduler_;
  std::vector<uint64_t> lanes_;  // a bit each
  bool other_stacks_ = false;
};

}  // namespace iomode

#endif  // SIM_ACCESS_RECORDER_H_
