// SPDX-License-Identifier: GPL-2.0-only
//
// Holds what a kernel did with a script against the model: the judging of `iomode check`, with the
// kernel's results as the claim. A run is right if some interleaving of the model gives it.

#ifndef CONFORMANCE_KERNEL_JUDGEMENT_H_
#define CONFORMANCE_KERNEL_JUDGEMENT_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "conformance/kernel/agent_call.h"
#include "model/revision.h"
#include "sim/findings.h"
#include "sim/script.h"
#include "sim/watch.h"

namespace iomode::conform {

struct Judgement {
  enum class Kind {
    kAgree,       // the model allows every run
    kConfirmed,   // ... and the runs show a finding that it predicts
    kDisagree,    // a run that no interleaving gives, or the kernel complained in its log
    kHung,        // a run that gave no result: it hung, or the agent failed
    kIncomplete,  // a bound on states was reached before that was known
    kNotRun,      // threads, or beyond what the agent can do; or the kernel ended before
  };
  Kind kind = Kind::kAgree;
  int runs = 0;         // that gave results
  int outcomes = 0;     // different ones
  int disagreeing = 0;  // runs
  bool flaky = false;   // some runs agree and some do not
  // A bound ended the search for findings of some run; that the model allows the run may be known.
  bool in_part = false;
  // Findings that every interleaving behind the results of some runs has: how many runs, and what.
  struct Shown {
    int runs = 0;
    std::string what;
  };
  std::map<FindingKind, Shown> shown;
  int failed_step = 0;                  // kDisagree: the first step that the model does not allow
  std::vector<std::string> details;     // a line each, without indentation at its front
  std::vector<std::string> recordings;  // the script with each different outcome
  double seconds = 0;

  bool passed() const { return kind == Kind::kAgree || kind == Kind::kConfirmed; }
};

// "agree", "CONFIRMED", "DISAGREE", "HUNG", "incomplete", "not run".
const char* KindName(Judgement::Kind kind);

struct JudgeOptions {
  uint64_t max_states = 5'000'000;
  Watch* watch = nullptr;  // outlives the call
};

// `script`: what was asked; its own results are no claims here.
Judgement Judge(const Script& script, const AgentOutcome& outcome, const Revision& revision,
                const JudgeOptions& options = {});

// A script that was not run, with the reason.
Judgement NotRun(std::string reason);

// Why the agent cannot run a script, or "" when it can.
std::string WhyNotRunnable(const Script& script);

// The newest revision of the kernel proper that is not newer than a kernel which calls itself
// `release` ("6.18.44-fc": v6.18); nullptr when there is none.
const Revision* RevisionOfRelease(const std::string& release);

}  // namespace iomode::conform

#endif  // CONFORMANCE_KERNEL_JUDGEMENT_H_
