// SPDX-License-Identifier: GPL-2.0-only

#include "sim/kernel_graph.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace iomode {
namespace {

// Reads "iocachectr=-2 CACHE_IO_MODE=1 fb=B1(refs=2) waiters=1 i_rwsem=S1".
KernelGraph::Inode ReadInode(const std::string& name, const std::string& line) {
  KernelGraph::Inode inode = {name, 0, false, "-", 0, 0, "-"};
  for (absl::string_view word : absl::StrSplit(line, ' ')) {
    const std::pair<std::string, std::string> pair = absl::StrSplit(word, absl::MaxSplits('=', 1));
    const auto& [key, value] = pair;
    if (key == "iocachectr") (void)absl::SimpleAtoi(value, &inode.iocachectr);
    if (key == "CACHE_IO_MODE") inode.cache_io_mode = value == "1";
    if (key == "waiters") (void)absl::SimpleAtoi(value, &inode.waiters);
    if (key == "i_rwsem") inode.i_rwsem = value;
    if (key != "fb") continue;
    const std::pair<std::string, std::string> fb = absl::StrSplit(value, "(refs=");
    inode.fb = fb.first;
    (void)absl::SimpleAtoi(absl::StripSuffix(fb.second, ")"), &inode.fb_refs);
  }
  return inode;
}

class Maker {
 public:
  Maker(OpGraph& graph, const GraphReport& report) : graph_(graph), report_(report) {}

  KernelGraph Make() {
    for (int state = 0; state < graph_.states(); state++) AddState(state);
    for (int state = 0; state < report_.states; state++) {
      for (const OpGraph::Edge& edge : graph_.Expand(state)) AddEdge(state, edge);
    }
    for (auto& [ends, edge] : edges_) result_.edges.push_back(std::move(edge));
    for (const auto& [kind, path] : report_.findings)
      result_.findings.push_back({kind, EndOf(path), PathScript(graph_.universe(), path)});
    return std::move(result_);
  }

 private:
  void AddState(int state) {
    const Machine& machine = graph_.Load(state);
    std::string label;
    for (int i = 0; i < machine.inode_count(); i++)
      absl::StrAppend(&label, machine.InodeState(i), "\n");
    const auto [it, added] = ids_.try_emplace(label, static_cast<int>(result_.states.size()));
    if (added) {
      KernelGraph::State& made = result_.states.emplace_back();
      for (int i = 0; i < machine.inode_count(); i++)
        made.inodes.push_back(ReadInode(machine.script().inodes[i], machine.InodeState(i)));
      made.members = 0;
      made.script = PathScript(graph_.universe(), PathTo(report_, state));
    }
    result_.states[it->second].members++;
    of_.push_back(it->second);
  }

  void AddEdge(int state, const OpGraph::Edge& edge) {
    const std::pair<int, int> ends = {of_[state], of_[edge.to]};
    KernelGraph::Edge& drawn =
        edges_.try_emplace(ends, KernelGraph::Edge{ends.first, ends.second, {}}).first->second;
    const std::string text = OperationText(edge);
    for (KernelGraph::Operation& operation : drawn.operations) {
      if (operation.text != text) continue;
      operation.members++;
      return;
    }
    std::vector<PathStep> path = PathTo(report_, state);
    path.push_back({edge.op, edge.outcome});
    drawn.operations.push_back({text, 1, PathScript(graph_.universe(), path)});
  }

  // The edge's text without which file it is: files are interchangeable.
  std::string OperationText(const OpGraph::Edge& edge) const {
    std::vector<std::pair<std::string, std::string>> roles;
    for (const std::string& file : graph_.universe().files) roles.push_back({file, "f"});
    for (const std::string& map : graph_.universe().maps) roles.push_back({map, "m"});
    return absl::StrReplaceAll(PrintEdge(graph_.universe(), edge), roles);
  }

  int EndOf(const std::vector<PathStep>& path) {
    int state = 0;
    for (const PathStep& step : path) {
      for (const OpGraph::Edge& edge : graph_.Expand(state)) {
        if (edge.op != step.op || edge.outcome != step.outcome) continue;
        state = edge.to;
        break;
      }
    }
    return of_[state];
  }

  OpGraph& graph_;
  const GraphReport& report_;
  std::map<std::string, int> ids_;  // by what is drawn
  std::vector<int> of_;             // by op-level state
  std::map<std::pair<int, int>, KernelGraph::Edge> edges_;
  KernelGraph result_;
};

}  // namespace

KernelGraph MakeKernelGraph(OpGraph& graph, const GraphReport& report) {
  return Maker(graph, report).Make();
}

}  // namespace iomode
