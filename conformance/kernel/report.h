// SPDX-License-Identifier: GPL-2.0-only
//
// Judgements of many scripts as text, one line a script with details below it, or as KTAP.

#ifndef CONFORMANCE_KERNEL_REPORT_H_
#define CONFORMANCE_KERNEL_REPORT_H_

#include <string>
#include <vector>

#include "conformance/kernel/judgement.h"
#include "conformance/kernel/kernel_runs.h"

namespace iomode::conform {

struct Sums {
  int scripts = 0;
  int agree = 0;
  int confirmed = 0;
  int disagree = 0;
  int hung = 0;
  int incomplete = 0;
  int not_run = 0;
  int flaky = 0;  // among the above

  void Add(const Judgement& judgement);
  // "20 scripts: 15 agree, 2 show a predicted finding, 0 disagree, 3 not run".
  std::string Line() const;
};

// How long steps took to come to rest, and a guest to start: "812 steps: median 0.9 ms, 99 % within
// 21.3 ms, longest 104.0 ms; the first script began 2.1 s after the guest's start".
std::string TimesLine(const KernelRuns& runs);

// "agree  scenarios/waits/cached-open-waits.iom" and the details, each line ended.
std::string TextLines(const std::string& name, const Judgement& judgement);

// The head of a KTAP report, and the line of case `number`, with diagnostics.
std::string KtapHead(size_t cases);
std::string KtapLines(size_t number, const std::string& name, const Judgement& judgement);

}  // namespace iomode::conform

#endif  // CONFORMANCE_KERNEL_REPORT_H_
