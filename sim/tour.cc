// SPDX-License-Identifier: GPL-2.0-only

#include "sim/tour.h"

#include <lemon/network_simplex.h>
#include <lemon/static_graph.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace iomode {
namespace {

using Path = std::vector<PathStep>;

// More than all steps of a tour of the largest graph that fits in memory: scripts count first.
constexpr int64_t kScriptCost = int64_t{1} << 32;

class TourMaker {
 public:
  TourMaker(OpGraph& graph, const GraphReport& report, int max_steps)
      : graph_(graph), report_(report), max_steps_(max_steps), depth_(graph.states(), -1) {}

  Tour Make(bool beyond_races) {
    FindForced();
    taken_.resize(arcs_.size());
    for (const std::vector<int>& walk : CutAtBeginnings(EulerCircuit(LeastFlow()))) AddWalk(walk);
    for (const Tour::Race& race : tour_.races) AddRace(race);
    if (beyond_races) AddBeyondRaces();
    for (const Script& script : tour_.scripts) tour_.steps += script.steps.size();
    assert(tour_.edges == tour_.forced + tour_.raced + tour_.behind);
    return std::move(tour_);
  }

 private:
  // An edge that a script can force, or (edge null) the way back to the beginning.
  struct Arc {
    int from;
    int to;
    const OpGraph::Edge* edge;
  };

  // Breadth first from the beginning, by operations with one end only.
  void FindForced() {
    depth_[0] = 0;
    reached_by_.assign(graph_.states(), -1);
    std::vector<int> queue = {0};
    for (size_t i = 0; i < queue.size(); i++) {
      const int state = queue[i];
      if (state < report_.states) AddEdgesOf(state, queue);
    }
    for (int state = 0; state < report_.states; state++) {
      tour_.edges += graph_.Expand(state).size();
      if (depth_[state] < 0) tour_.behind += graph_.Expand(state).size();
    }
    for (size_t i = 1; i < queue.size(); i++) arcs_.push_back({queue[i], 0, nullptr});
  }

  void AddEdgesOf(int state, std::vector<int>& queue) {
    const std::vector<OpGraph::Edge>& edges = graph_.Expand(state);
    for (size_t i = 0; i < edges.size();) {
      size_t end = i + 1;
      while (end < edges.size() && edges[end].op == edges[i].op) end++;
      tour_.naive_scripts++;
      tour_.naive_steps += depth_[state] + 1;
      if (end - i > 1) {
        tour_.races.push_back({state, edges[i].op, static_cast<int>(end - i)});
        tour_.raced += end - i;
      } else {
        tour_.forced++;
        const int to = edges[i].to;
        if (depth_[to] < 0) {
          depth_[to] = depth_[state] + 1;
          reached_by_[to] = static_cast<int>(arcs_.size());
          queue.push_back(to);
        }
        arcs_.push_back({state, to, &edges[i]});
      }
      i = end;
    }
  }

  // How often the cheapest tour takes each arc.
  std::vector<int> LeastFlow() const {
    using Graph = lemon::StaticDigraph;
    // StaticDigraph wants its arcs by source.
    std::vector<int> order(arcs_.size());
    for (size_t i = 0; i < order.size(); i++) order[i] = static_cast<int>(i);
    std::stable_sort(order.begin(), order.end(),
                     [this](int a, int b) { return arcs_[a].from < arcs_[b].from; });
    std::vector<std::pair<int, int>> ends;
    for (const int arc : order) ends.push_back({arcs_[arc].from, arcs_[arc].to});
    Graph graph;
    graph.build(graph_.states(), ends.begin(), ends.end());
    Graph::ArcMap<int64_t> least(graph), cost(graph);
    for (size_t i = 0; i < order.size(); i++) {
      const bool step = arcs_[order[i]].edge != nullptr;
      least[Graph::arc(static_cast<int>(i))] = step ? 1 : 0;
      cost[Graph::arc(static_cast<int>(i))] = step ? 1 : kScriptCost;
    }
    lemon::NetworkSimplex<Graph, int64_t> simplex(graph);
    simplex.lowerMap(least).costMap(cost);
    [[maybe_unused]] const auto status = simplex.run();
    assert(status == decltype(simplex)::OPTIMAL);
    std::vector<int> flow(arcs_.size());
    for (size_t i = 0; i < order.size(); i++)
      flow[order[i]] = static_cast<int>(simplex.flow(Graph::arc(static_cast<int>(i))));
    return flow;
  }

  // A closed walk from the beginning that takes each arc as often as `flow` says (Hierholzer).
  std::vector<int> EulerCircuit(std::vector<int> flow) const {
    std::vector<std::vector<int>> out(graph_.states());
    for (size_t i = 0; i < arcs_.size(); i++) {
      if (flow[i] > 0) out[arcs_[i].from].push_back(static_cast<int>(i));
    }
    std::vector<int> circuit;
    std::vector<int> stack = {-1};  // arcs taken; the first stands for being at the beginning
    while (!stack.empty()) {
      std::vector<int>& left = out[stack.back() < 0 ? 0 : arcs_[stack.back()].to];
      if (left.empty()) {
        if (stack.back() >= 0) circuit.push_back(stack.back());
        stack.pop_back();
      } else {
        stack.push_back(left.back());
        if (--flow[left.back()] == 0) left.pop_back();
      }
    }
    std::reverse(circuit.begin(), circuit.end());
    return circuit;
  }

  // The walks between two returns to the beginning.
  std::vector<std::vector<int>> CutAtBeginnings(const std::vector<int>& circuit) const {
    std::vector<std::vector<int>> walks(1);
    for (const int arc : circuit) {
      if (arcs_[arc].edge != nullptr) {
        walks.back().push_back(arc);
      } else if (!walks.back().empty()) {
        walks.emplace_back();
      }
    }
    if (walks.back().empty()) walks.pop_back();
    return walks;
  }

  Path ShortestTo(int state) const {
    Path path;
    for (; state != 0; state = arcs_[reached_by_[state]].from) {
      const OpGraph::Edge& edge = *arcs_[reached_by_[state]].edge;
      path.push_back({edge.op, edge.outcome});
    }
    std::reverse(path.begin(), path.end());
    return path;
  }

  // The walk as scripts that begin and end with an edge that no script before took.
  void AddWalk(const std::vector<int>& walk) {
    Path path;
    size_t useful = 0;  // steps up to the last one of these
    const auto add = [&] {
      path.resize(useful);
      if (useful > 0) AddScript(PathScript(graph_.universe(), path), path);
      useful = 0;
    };
    for (const int arc : walk) {
      if (useful > 0 && static_cast<int>(path.size()) >= max_steps_) add();
      if (useful == 0) {
        if (taken_[arc]) continue;
        path = ShortestTo(arcs_[arc].from);
      }
      path.push_back({arcs_[arc].edge->op, arcs_[arc].edge->outcome});
      if (!taken_[arc]) useful = path.size();
      taken_[arc] = true;
    }
    add();
  }

  void AddScript(Script script, const Path& path) {
    tour_.scripts.push_back(std::move(script));
    tour_.ops.emplace_back();
    for (const PathStep& step : path) tour_.ops.back().push_back(step.op);
  }

  void AddRace(const Tour::Race& race) {
    StepReport outcomes;
    Path path;
    Script script;
    for (const OpGraph::Edge& edge : graph_.Expand(race.state)) {
      if (edge.op != race.op) continue;
      path = ShortestTo(race.state);
      path.push_back({edge.op, edge.outcome});
      script = PathScript(graph_.universe(), path);
      StepOutcome outcome = {script.steps.back().result[0], {}};
      for (const Completion& completion : script.steps.back().completions)
        outcome.completions.emplace(completion.step, completion.results[0]);
      outcomes.outcomes.insert(std::move(outcome));
    }
    SetResults(outcomes, script.steps.back());
    AddScript(std::move(script), path);
  }

  void AddBeyondRaces() {
    for (int state = 0; state < report_.states; state++) {
      if (depth_[state] >= 0) continue;
      int last_op = -1;
      for (const OpGraph::Edge& edge : graph_.Expand(state)) {
        if (edge.op == last_op) continue;
        last_op = edge.op;
        Path path = PathTo(report_, state);
        path.push_back({edge.op, edge.outcome});
        Script script = PathScript(graph_.universe(), path);
        for (Step& step : script.steps) {
          step.has_result = false;
          step.result.clear();
          step.completions.clear();
        }
        AddScript(std::move(script), path);
      }
    }
  }

  OpGraph& graph_;
  const GraphReport& report_;
  const int max_steps_;
  std::vector<int> depth_;       // by state: steps of the shortest forced path; -1: there is none
  std::vector<int> reached_by_;  // ... and its last arc
  std::vector<Arc> arcs_;
  std::vector<bool> taken_;  // by arc: a script takes it
  Tour tour_;
};

}  // namespace

Tour MakeTour(OpGraph& graph, const GraphReport& report, int max_steps, bool beyond_races) {
  return TourMaker(graph, report, max_steps).Make(beyond_races);
}

std::string TourFileName(size_t index, size_t count) {
  const int digits = static_cast<int>(absl::StrCat(count).size());
  return absl::StrFormat("tour-%0*d.iom", digits, index + 1);
}

}  // namespace iomode
