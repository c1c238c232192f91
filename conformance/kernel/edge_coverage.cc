// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/kernel/edge_coverage.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace iomode::conform {
namespace {

// A step of the tour as the operation of the universe that it is: its completions by the universe's
// numbers. `ops`: the operations of the script's steps.
Step AsOperation(Step step, const std::vector<int>& ops) {
  for (Completion& completion : step.completions) {
    completion.step = ops[completion.step - 1] + 1;
  }
  return step;
}

}  // namespace

EdgeCoverage::EdgeCoverage(OpGraph& graph, const GraphReport& report, const Tour& tour)
    : graph_(graph), report_(report), tour_(tour), seen_(report.states) {
  for (int state = 0; state < report.states; state++) {
    seen_[state].resize(graph_.Expand(state).size(), Seen::kNo);
    edges_ += seen_[state].size();
  }
}

// For each step, up to the first that nothing explains, the edges that are part of some way through
// all of these steps.
std::vector<std::vector<EdgeCoverage::Edge>> EdgeCoverage::Explanations(size_t script,
                                                                        const Script& recorded) {
  const std::vector<int>& ops = tour_.ops[script];
  std::vector<std::vector<Edge>> layers;
  std::set<int> states = {0};
  for (size_t i = 0; i < recorded.steps.size(); i++) {
    const Step step = AsOperation(recorded.steps[i], ops);
    std::vector<Edge> layer;
    std::set<int> next;
    for (const int state : states) {
      const std::vector<OpGraph::Edge>& edges = graph_.Expand(state);
      for (size_t e = 0; e < edges.size(); e++) {
        if (edges[e].op != ops[i] || !Allows(step, edges[e].outcome)) continue;
        layer.push_back({state, static_cast<int>(e)});
        next.insert(edges[e].to);
      }
    }
    if (layer.empty()) break;
    layers.push_back(std::move(layer));
    states = std::move(next);
  }
  for (size_t i = layers.size(); i > 0; i--) {
    std::erase_if(layers[i - 1], [&](const Edge& edge) {
      return !states.contains(graph_.Expand(edge.first)[edge.second].to);
    });
    states.clear();
    for (const Edge& edge : layers[i - 1]) states.insert(edge.first);
  }
  return layers;
}

void EdgeCoverage::Add(size_t script, const Script& recorded) {
  for (const std::vector<Edge>& layer : Explanations(script, recorded)) {
    const bool certain = layer.size() == 1;
    for (const auto& [state, edge] : layer) {
      Seen& seen = seen_[state][edge];
      taken_ += certain && seen != Seen::kYes;
      seen = std::max(seen, certain ? Seen::kYes : Seen::kPerhaps);
      if (certain) visits_[{state, graph_.Expand(state)[edge].op}]++;
    }
  }
}

std::string EdgeCoverage::WhyNot(const Edge& edge) {
  const auto& [state, index] = edge;
  if (seen_[state][index] == Seen::kPerhaps) {
    return "perhaps taken: another edge gives the same results";
  }
  const auto visits = visits_.find({state, graph_.Expand(state)[index].op});
  if (visits != visits_.end()) {
    return absl::StrCat("tasks race, and each of ", visits->second, " runs ended otherwise");
  }
  return "no run got to where it starts";
}

std::string EdgeCoverage::Report() {
  std::map<std::string, std::vector<Edge>> left;
  for (int state = 0; state < report_.states; state++) {
    for (size_t e = 0; e < seen_[state].size(); e++) {
      const Edge edge = {state, static_cast<int>(e)};
      if (seen_[state][e] != Seen::kYes) left[WhyNot(edge)].push_back(edge);
    }
  }
  std::string text = absl::StrCat(taken_, " of ", edges_, " edges taken on the kernel\n");
  for (const auto& [reason, edges] : left) {
    absl::StrAppend(&text, edges.size(), edges.size() == 1 ? " edge: " : " edges: ", reason, "\n");
    for (const auto& [state, index] : edges) {
      absl::StrAppend(&text, "  ", PrintEdge(graph_.universe(), graph_.Expand(state)[index]), "\n");
      for (absl::string_view line : graph_.Load(state).StateLines()) {
        absl::StrAppend(&text, "    before  ", line.substr(line.find_first_not_of("# ")), "\n");
      }
    }
  }
  return text;
}

}  // namespace iomode::conform
