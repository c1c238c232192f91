// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/source/random_compare.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "conformance/source/compare.h"
#include "conformance/source/source_ops.h"
#include "props/random_script.h"

namespace iomode {
namespace {

constexpr uint64_t kMaxStates = 200'000;

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

}  // namespace

RandomComparison CompareRandom(RandomKind kind, const std::string& library) {
  RandomComparison result;
  const Revision& model = *FindRevision("v6.12");
  SourceInfo info;
  const Revision* source = LoadSource(library, model, &info, &result.error);
  if (source == nullptr) return result;
  Comparison all;
  const rc::Gen<Script> generator = Generator(kind);
  result.agree = rc::check([&] {
    const Script script = *generator;
    Comparison one = Compare(script, model, *source, kMaxStates);
    if (UnlockedWriteAppeared()) one = Compare(script, model, *source, kMaxStates);
    result.compared += one.complete;
    result.incomplete += !one.complete;
    all.outcomes += one.outcomes;
    all.model_states += one.model_states;
    all.source_states += one.source_states;
    if (!one.differences.empty()) RC_FAIL(absl::StrJoin(one.differences, "\n"));
  });
  result.summary = absl::StrCat(result.compared, " programs compared, ", result.incomplete,
                                " too large; ", all.outcomes, " outcomes; states: model ",
                                all.model_states, ", source ", all.source_states);
  return result;
}

}  // namespace iomode
