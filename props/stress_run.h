// SPDX-License-Identifier: GPL-2.0-only
//
// One stress run: threads that do random operations on a few shared files of a NativeKernel, a
// watchdog beside them, and the checks when everything is closed.
//
// Files lie in slots, as descriptors in a table: a slot's mutex is held only to take a reference or
// to put a file in or out.
//
// In revisions in which attaching a backing wakes nobody, a cached opener may sleep until the last
// passthrough file of its inode is closed. The watchdog closes these files when it finds such a
// sleeper, and counts it. Whoever else sleeps for ever makes the run fail.

#ifndef PROPS_STRESS_RUN_H_
#define PROPS_STRESS_RUN_H_

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "model/revision.h"
#include "props/stress_ops.h"
#include "sim/native_kernel.h"

namespace iomode {

struct StressOptions {
  const Revision* revision = &NewestRevision();
  uint64_t seed = 1;
  int threads = 4;
  int operations = 1000;  // of each thread
  uint32_t caps = NativeOptions().caps;
  StressObjects objects;
  NativeServerOptions server;
  uint32_t delay_one_in = 32;  // at scheduling points; 0: never
  uint32_t allocation_fails_one_in = 0;
  // No operation ends for so long: the run prints who sleeps on what and exits with 3.
  std::chrono::seconds stall_limit{60};
  bool frees_known_sleepers = true;
};

struct StressResult {
  std::vector<std::string> problems;  // empty: all well
  std::array<int64_t, kStressKinds> succeeded = {};
  std::array<int64_t, kStressKinds> failed = {};
  int64_t lost_wakeups = 0;     // sleepers that the watchdog freed
  int64_t met_nowrites = 0;     // times that F1 of docs/findings.md was met
  int64_t parallel_writes = 0;  // times that a write found another one in flight
};

// "seed 7, 4 threads of 1000 operations, Linux 6.18, ..."
std::string PrintStressOptions(const StressOptions& options);

StressResult RunStress(const StressOptions& options);

}  // namespace iomode

#endif  // PROPS_STRESS_RUN_H_
