// SPDX-License-Identifier: GPL-2.0-only
//
// Which mutant the process is. The mutated headers of the model (mutants.py) include this and ask
// Mutant(NUMBER) at each change.
//
// Numbers are below kMaxMutants; 0 is no mutant. Set before the model runs; any thread may ask.

#ifndef PROPS_MUTATION_MUTANT_H_
#define PROPS_MUTATION_MUTANT_H_

#include <cstdint>

namespace iomode {

inline constexpr int kMaxMutants = 1 << 14;

inline int active_mutant = 0;
// By number: whether the change was asked for. The judge's, in memory that its children share.
inline uint8_t* mutants_reached = nullptr;

inline bool Mutant(int number) {
  mutants_reached[number] = 1;
  return number == active_mutant;
}

}  // namespace iomode

#endif  // PROPS_MUTATION_MUTANT_H_
