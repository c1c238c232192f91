// SPDX-License-Identifier: GPL-2.0-only

#include "cli/conform_tour.h"

#include "absl/strings/str_cat.h"
#include "cli/graph_options.h"
#include "conformance/kernel/edge_coverage.h"
#include "sim/op_graph.h"
#include "sim/script_parser.h"
#include "sim/tour.h"

namespace iomode {
namespace {

constexpr int kMaxSteps = 100;  // of a script

}  // namespace

struct ConformTour::Graph {
  explicit Graph(const Revision& revision)
      : universe(MakeUniverse(options.bounds)),
        graph(universe, revision),
        walked(WalkWithProgress(graph, options)) {
    if (walked.report.complete) tour = MakeTour(graph, walked.report, kMaxSteps, true);
    for (size_t i = 0; i < tour.scripts.size(); i++) {
      tour.scripts[i].name = TourFileName(i, tour.scripts.size());
    }
  }

  GraphOptions options;
  Script universe;
  OpGraph graph;
  WalkedGraph walked;
  Tour tour;
};

ConformTour::ConformTour(const Revision& revision) : graph_(std::make_unique<Graph>(revision)) {}
ConformTour::~ConformTour() = default;

bool ConformTour::complete() const { return graph_->walked.report.complete; }
const std::vector<Script>& ConformTour::scripts() const { return graph_->tour.scripts; }

std::string ConformTour::Report(const std::vector<conform::Judgement>& judgements) {
  conform::EdgeCoverage coverage(graph_->graph, graph_->walked.report, graph_->tour);
  for (size_t i = 0; i < judgements.size(); i++) {
    for (const std::string& recording : judgements[i].recordings) {
      const auto recorded = ParseScript(scripts()[i].name, recording);
      if (recorded.ok() && recorded->steps.size() == scripts()[i].steps.size()) {
        coverage.Add(i, *recorded);
      }
    }
  }
  return absl::StrCat("tour: ", PrintBounds(graph_->options.bounds), "; ", coverage.Report());
}

}  // namespace iomode
