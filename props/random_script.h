// SPDX-License-Identifier: GPL-2.0-only
//
// Random scripts. A script is built from a list of genes: small numbers that say what each step is,
// and that mean something whatever came before. So any list of genes gives a valid script, and
// RapidCheck shrinks a failing script by dropping genes and lowering their numbers: 0 is always the
// plainest choice.
//
// A sequential script opens, uses and closes files of one or two inodes with requests held by the
// server on the way. It ends with every held request answered, every mapping undone and every file
// closed. Steps on a file whose open fails or sleeps give EBADF and change nothing; a recording has
// no such steps, and DropUnusable takes them out.
//
// Plain functions of their arguments; any thread.

#ifndef PROPS_RANDOM_SCRIPT_H_
#define PROPS_RANDOM_SCRIPT_H_

#include <cstdint>
#include <iosfwd>
#include <vector>

#include "sim/script.h"

// <rapidcheck.h> is for who draws scripts from a generator.
namespace rc {
template <typename T>
class Gen;
}  // namespace rc

namespace iomode {

struct RunReport;

// What a script is mostly about.
enum class Family : uint8_t {
  kCore,       // opens of every kind, direct writes in flight, passthrough
  kCache,      // the page cache: reads, stores, readahead, truncation, dup
  kAio,        // asynchronous direct io
  kLifetimes,  // kCore with aborts, kills, errors, dups and closed backings
  kRules,      // opens, closes, mmaps and held direct writes: what open_rules_oracle.h predicts
};

struct Gene {
  uint8_t what;   // which operation
  uint8_t which;  // on which file, inode, held request
  uint8_t how;    // its flags, offset, length
  uint8_t more;   // hold, errors
};
using Genes = std::vector<Gene>;

// A sequential script. The first gene picks the connection, each of the others adds a step or none.
Script BuildSequence(Family family, const Genes& genes);

// A litmus script: set-up, then `threads` threads of at most `steps` steps each, whose files are
// their own.
Script BuildLitmus(int threads, int steps, const Genes& genes);

// RapidCheck's generators of the above. Lengths grow with RapidCheck's size up to `max_genes`.
rc::Gen<Script> Sequences(Family family, int max_genes);
rc::Gen<Script> LitmusScripts(int max_threads, int max_steps);

// The same from a seed alone.
Script SequenceFromSeed(uint64_t seed, int genes);  // of all families but kRules, by turns
Script LitmusFromSeed(uint64_t seed, int max_threads, int max_steps);

// The script without the steps for which keep[i] is false, numbered anew; answers to requests of
// dropped steps go too. `keep` has one entry for each sequential step.
Script KeepSteps(const Script& script, const std::vector<bool>& keep);

// The script without steps on files and mappings that are not there, according to `report`, which
// Runner made of it; and with the results of the others.
Script DropUnusable(const Script& script, const RunReport& report);

// From now on, should the process die of SIGSEGV or SIGABRT, it prints this script first.
void PrintOnCrash(const Script& script);

// For RapidCheck: the script's text and the command that runs it.
void showValue(const Script& script, std::ostream& out);

}  // namespace iomode

#endif  // PROPS_RANDOM_SCRIPT_H_
