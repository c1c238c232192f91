// SPDX-License-Identifier: GPL-2.0-only

#include "cli/conform_trace.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "conformance/trace/load_script.h"
#include "conformance/trace/trace_acceptor.h"

namespace iomode {
namespace {

using conform::Judgement;
using conform::TraceVerdict;

// The load with its trace as comments below.
std::string Recording(const Script& load, const std::string& trace) {
  return absl::StrCat(PrintScript(load), "# ", absl::StrReplaceAll(trace, {{"\n", "\n# "}}), "\n");
}

}  // namespace

std::vector<Script> LoadScripts(uint64_t seed, int count) {
  std::vector<Script> loads;
  for (int i = 0; i < count; i++)
    loads.push_back(conform::LoadScript(seed + i, absl::StrFormat("load-%04d.iom", seed + i)));
  return loads;
}

Judgement JudgeTrace(const Script& load, const conform::AgentOutcome& outcome,
                     const conform::TraceReading& reading, const Rules& rules) {
  Judgement judgement;
  judgement.seconds = outcome.seconds;
  judgement.recordings = {Recording(load, outcome.trace)};
  const auto events = conform::ParseTrace(outcome.trace, reading);
  if (!events.ok()) {
    judgement.kind = Judgement::Kind::kHung;
    judgement.details = {std::string(events.status().message())};
    return judgement;
  }
  if (events->empty()) {
    judgement.kind = Judgement::Kind::kHung;
    judgement.details = {"the kernel's trace is empty: no probe was met", outcome.err};
    return judgement;
  }
  const TraceVerdict verdict = conform::AcceptTrace(*events, rules);
  judgement.runs = judgement.outcomes = 1;
  judgement.details = verdict.details;
  if (verdict.kind == TraceVerdict::Kind::kRejected) {
    judgement.kind = Judgement::Kind::kDisagree;
    judgement.disagreeing = 1;
  } else if (verdict.kind == TraceVerdict::Kind::kIncomplete) {
    judgement.kind = Judgement::Kind::kIncomplete;
  }
  if (!outcome.kernel_log.empty()) {
    judgement.kind = Judgement::Kind::kDisagree;
    for (const std::string& line : outcome.kernel_log)
      judgement.details.push_back("the kernel's log: " + line);
  }
  if (outcome.exit != kAgentOk && judgement.kind == Judgement::Kind::kAgree) {
    judgement.kind = Judgement::Kind::kHung;
    judgement.details.push_back(outcome.err);
  }
  if (judgement.passed()) {
    judgement.details = {absl::StrCat(verdict.events, " events; at most ", verdict.most_states,
                                      " possible states at a time, ", verdict.states, " visited")};
  }
  return judgement;
}

}  // namespace iomode
