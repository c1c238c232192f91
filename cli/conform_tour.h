// SPDX-License-Identifier: GPL-2.0-only
//
// A tour of the op-level graph, at the default bounds, as scripts for a kernel, and which edges the
// kernel took.

#ifndef CLI_CONFORM_TOUR_H_
#define CLI_CONFORM_TOUR_H_

#include <memory>
#include <string>
#include <vector>

#include "conformance/kernel/judgement.h"
#include "model/revision.h"
#include "sim/script.h"

namespace iomode {

class ConformTour {
 public:
  // `revision` outlives this. Takes seconds.
  explicit ConformTour(const Revision& revision);
  ~ConformTour();

  // Whether the graph was walked to its end; else, after an interrupt, there is no tour.
  bool complete() const;
  // "tour-0001.iom" and so on.
  const std::vector<Script>& scripts() const;

  // The report on edges, of what the kernel did with each script.
  std::string Report(const std::vector<conform::Judgement>& judgements);

 private:
  struct Graph;
  std::unique_ptr<Graph> graph_;
};

}  // namespace iomode

#endif  // CLI_CONFORM_TOUR_H_
