// SPDX-License-Identifier: GPL-2.0-only
//
// The end of a sequence: what the server holds is answered, everything is closed, and what is left
// is a leak. Goes one way only, one task after the other: what is closed in which order is the
// properties' business.
//
// A plain value beside a Machine: copy it together with a Snapshot of the machine's state.

#ifndef SIM_TEARDOWN_H_
#define SIM_TEARDOWN_H_

#include "sim/machine.h"

namespace iomode {

class Teardown {
 public:
  // The slot to resume next, or -1: all is over, and the checks of the end were made. The machine
  // is at rest at the first call, and the slot has been resumed before the next.
  int Next(Machine& machine);

  // Tells apart how far it is, where the machine's state does not.
  uint64_t progress() const {
    return static_cast<uint64_t>(rounds_) << 32 | static_cast<uint64_t>(slot_) << 3 |
           (ran_ ? 4u : 0u) | (in_round_ ? 2u : 0u) | (closed_ ? 1u : 0u);
  }

 private:

  int rounds_ = 0;
  int slot_ = 0;
  bool ran_ = false;
  bool in_round_ = false;
  bool closed_ = false;
};

}  // namespace iomode

#endif  // SIM_TEARDOWN_H_
