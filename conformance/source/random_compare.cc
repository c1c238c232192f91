// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/source/random_compare.h"

#include <rapidcheck.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "conformance/source/source_ops.h"
#include "props/random_script.h"
#include "sim/lock_step.h"
#include "sim/script_comparison.h"

namespace iomode {
namespace {

constexpr uint64_t kMaxStates = 200'000;
constexpr int kSchedules = 5;

rc::Gen<Script> Generator(RandomKind kind) {
  switch (kind) {
    case RandomKind::kCore:
      return Sequences(Family::kCore, 14);
    case RandomKind::kLifetimes:
      return Sequences(Family::kLifetimes, 14);
    case RandomKind::kAio:
      return Sequences(Family::kAio, 10);
    case RandomKind::kCache:
      return Sequences(Family::kCache, 10);
    case RandomKind::kRules:
      return Sequences(Family::kRules, 14);
    case RandomKind::kTwoThreads:
      return LitmusScripts(2, 3);
    case RandomKind::kThreeThreads:
      return LitmusScripts(3, 2);
  }
  return Sequences(Family::kCore, 14);
}

struct BothComparisons {
  ScriptComparison whole;
  LockStepReport stepped;
  std::vector<std::string> differences;
};

// The random schedules of the comparison in lock step come from `seed`.
BothComparisons Compare(const Script& script, const Revision& model, const Revision& source,
                        uint64_t seed) {
  BothComparisons both;
  do {
    both.whole = CompareScript(script, model, source, kMaxStates);
    both.stepped = LockStep(script, model, source).Run(seed, kSchedules);
  } while (UnlockedWriteAppeared());
  both.differences = both.whole.differences;
  both.differences.insert(both.differences.end(), both.stepped.difference.begin(),
                          both.stepped.difference.end());
  return both;
}

}  // namespace

RandomComparison CompareRandom(RandomKind kind, const std::string& library) {
  RandomComparison result;
  const Revision& model = *FindRevision("v6.12");
  SourceInfo info;
  const Revision* source = LoadSource(0, library, "source", &model, &info, &result.error);
  if (source == nullptr) return result;
  ScriptComparison all;
  LockStepReport stepped;
  const rc::Gen<Script> generator = Generator(kind);
  result.agree = rc::check([&] {
    const Script script = *generator;
    const auto [one, lock_step, differences] = Compare(script, model, *source, result.compared);
    stepped.schedules += lock_step.schedules;
    stepped.states += lock_step.states;
    result.compared += one.complete;
    result.incomplete += !one.complete;
    all.outcomes += one.outcomes;
    all.rest_states += one.rest_states;
    all.left_states += one.left_states;
    all.right_states += one.right_states;
    if (!differences.empty()) RC_FAIL(absl::StrJoin(differences, "\n"));
  });
  result.summary = absl::StrCat(
      result.compared, " programs compared, ", result.incomplete, " too large; ", all.outcomes,
      " outcomes and ", all.rest_states, " states after steps; explored: model ", all.left_states,
      " states, source ", all.right_states, "; in lock step: ", stepped.schedules, " schedules, ",
      stepped.states, " states");
  return result;
}

uint64_t ScriptsUntilDifference(RandomKind kind, const std::string& library, uint64_t max) {
  const Revision& model = *FindRevision("v6.12");
  SourceInfo info;
  std::string error;
  const Revision* source = LoadSource(0, library, "source", &model, &info, &error);
  if (source == nullptr) return 0;
  const rc::Gen<Script> generator = Generator(kind);
  for (uint64_t seed = 1; seed <= max; seed++) {
    const Script script = generator(rc::Random(seed), rc::kNominalSize).value();
    if (!Compare(script, model, *source, seed).differences.empty()) return seed;
  }
  return 0;
}

}  // namespace iomode
