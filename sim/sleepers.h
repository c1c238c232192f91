// SPDX-License-Identifier: GPL-2.0-only
//
// Who sleeps in a machine, on what, and what would wake them. Stateless; for a machine that nobody
// runs meanwhile.

#ifndef SIM_SLEEPERS_H_
#define SIM_SLEEPERS_H_

#include <string>
#include <vector>

#include "sim/machine.h"

namespace iomode {

struct Sleeper {
  std::string task;      // "P1.1 (open c A KEEP_CACHE)"
  std::string function;  // the kernel function that it is in
  std::string object;    // "A.direct_io_waitq"
  std::string waits_for;
  std::string wakes;  // who would wake it, and when
};

// The script's sleeping tasks, by slot.
std::vector<Sleeper> SleepersOf(const Machine& machine);

// The script's tasks that could go on, by slot: "P0.1 (write w)".
std::vector<std::string> RunnableTasks(const Machine& machine);

}  // namespace iomode

#endif  // SIM_SLEEPERS_H_
