// SPDX-License-Identifier: GPL-2.0-only
//
// A sequence that shows what a litmus script's threads run into, in a form that a real kernel can
// be made to follow: the threads' steps one after the other, each in its thread's order, with the
// server holding some of their requests until a `reply`. Not every interleaving can be had so: what
// happens between two requests nobody can hold.
//
// Stateless.

#ifndef SIM_HELD_SEQUENCE_H_
#define SIM_HELD_SEQUENCE_H_

#include <cstdint>

#include "sim/findings.h"
#include "sim/script.h"
#include "sim/script_run.h"

namespace iomode {

struct HeldSequence {
  bool found = false;
  bool complete = true;    // false: a bound was reached first
  bool every_run = false;  // the finding is met however the steps' tasks race
  Script script;           // with the model's results, and `expect`
  uint64_t tried = 0;      // sequences
};

// The shortest sequence in which Runner reaches a finding of the kind, rule and function of
// `finding`; one that reaches it in every interleaving if there is one not much longer.
HeldSequence FindHeldSequence(const Script& litmus, const Revision& revision,
                              const Finding& finding, uint64_t max_states);

}  // namespace iomode

#endif  // SIM_HELD_SEQUENCE_H_
