// SPDX-License-Identifier: GPL-2.0-only

#include "sim/equal_states.h"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "sim/hash.h"

namespace iomode {
namespace {

class Refinement {
 public:
  explicit Refinement(OpGraph& graph) : graph_(graph), labels_(graph.states()) {
    for (int state = 0; state < graph.states(); state++) {
      for (const OpGraph::Edge& edge : graph.Expand(state)) labels_[state].push_back(LabelOf(edge));
    }
  }

  std::vector<int> Run() {
    int classes = Begin();
    for (;;) {
      const int finer = Refine();
      if (finer == classes) return std::move(class_of_);
      classes = finer;
    }
  }

 private:
  int LabelOf(const OpGraph::Edge& edge) {
    const auto [it, added] =
        label_ids_.try_emplace({edge.op, edge.findings, edge.outcome}, label_ids_.size());
    return it->second;
  }

  // By what is seen of a state without doing anything.
  int Begin() {
    absl::flat_hash_map<std::string, int> ids;
    for (int state = 0; state < graph_.states(); state++) {
      Machine& machine = graph_.Load(state);
      std::string seen;
      for (int i = 0; i < machine.inode_count(); i++)
        absl::StrAppend(&seen, machine.InodeState(i), "\n");
      for (size_t op = 0; op < graph_.universe().steps.size(); op++)
        seen.push_back(machine.blocked(op) ? 'b' : '-');
      class_of_.push_back(ids.try_emplace(seen, ids.size()).first->second);
    }
    return static_cast<int>(ids.size());
  }

  // Splits classes whose states lead elsewhere; the number of classes then.
  int Refine() {
    absl::flat_hash_map<Hash128, int, Hash128Hasher> ids;
    std::vector<int> finer;
    std::vector<std::pair<int, int>> leads;
    for (int state = 0; state < graph_.states(); state++) {
      leads.clear();
      const std::vector<OpGraph::Edge>& edges = graph_.Expand(state);
      for (size_t i = 0; i < edges.size(); i++)
        leads.push_back({labels_[state][i], class_of_[edges[i].to]});
      std::sort(leads.begin(), leads.end());
      leads.erase(std::unique(leads.begin(), leads.end()), leads.end());
      leads.push_back({-1, class_of_[state]});
      const Hash128 key = HashBytes(reinterpret_cast<const uint8_t*>(leads.data()),
                                    leads.size() * sizeof(leads[0]));
      finer.push_back(ids.try_emplace(key, ids.size()).first->second);
    }
    class_of_ = std::move(finer);
    return static_cast<int>(ids.size());
  }

  OpGraph& graph_;
  std::map<std::tuple<int, uint32_t, StepOutcome>, int> label_ids_;
  std::vector<std::vector<int>> labels_;  // by state and edge
  std::vector<int> class_of_;
};

}  // namespace

std::vector<int> EqualStates(OpGraph& graph) { return Refinement(graph).Run(); }

}  // namespace iomode
