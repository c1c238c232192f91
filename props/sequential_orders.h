// SPDX-License-Identifier: GPL-2.0-only
//
// What the steps of a litmus script's threads give when they come whole, one after the other, in
// every order that keeps the order of each thread. A result that the threads can have together is
// linearizable when one of these orders gives it.
//
// A step that has to wait for another stays blocked, others go on, and it completes later; the next
// step of its thread starts only then.
//
// Used by one thread.

#ifndef PROPS_SEQUENTIAL_ORDERS_H_
#define PROPS_SEQUENTIAL_ORDERS_H_

#include <cstdint>
#include <set>

#include "sim/litmus.h"

namespace iomode {

struct OrdersReport {
  std::set<LitmusOutcome> outcomes;
  bool complete = true;  // false: gave up at max_states
};

// `script` claims nothing in its set-up, or what it claims holds.
OrdersReport SequentialOutcomes(const Script& script, const Revision& revision,
                                uint64_t max_states);

// The outcomes without what tells where bytes came from.
LitmusOutcome WithoutVia(LitmusOutcome outcome);

}  // namespace iomode

#endif  // PROPS_SEQUENTIAL_ORDERS_H_
