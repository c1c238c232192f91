// SPDX-License-Identifier: GPL-2.0-only
//
// Which mutant the process is. The mutated files (mutants.py) include this and ask Mutant(NUMBER)
// at each change, and Decide(NUMBER, CONDITION) where the change is to turn a condition round.
//
// Numbers are below kMaxMutants; 0 is no mutant. Set before the model runs; any thread may ask.

#ifndef PROPS_MUTATION_MUTANT_H_
#define PROPS_MUTATION_MUTANT_H_

#include <cstdint>

namespace iomode {

inline constexpr int kMaxMutants = 1 << 14;

inline int active_mutant = 0;
// By number: whether the change was asked for, and how conditions were decided, as bits. From
// main() on it is the judge's, in memory that its children share.
inline uint8_t mutants_reached_before_main[kMaxMutants];
inline uint8_t* mutants_reached = mutants_reached_before_main;
enum ReachedBits : uint8_t { kReached = 1, kWasFalse = 2, kWasTrue = 4 };

inline bool Mutant(int number) {
  mutants_reached[number] |= kReached;
  return number == active_mutant;
}

inline bool Decide(int number, bool condition) {
  mutants_reached[number] |= condition ? kReached | kWasTrue : kReached | kWasFalse;
  return condition != (number == active_mutant);
}

}  // namespace iomode

#endif  // PROPS_MUTATION_MUTANT_H_
