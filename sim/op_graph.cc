// SPDX-License-Identifier: GPL-2.0-only

#include "sim/op_graph.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"

namespace iomode {
namespace {

// Builds the universe's steps.
class UniverseBuilder {
 public:
  explicit UniverseBuilder(const GraphBounds& bounds) : bounds_(bounds) {}

  Script Build() {
    script_.name = "universe";
    script_.has_conn = true;
    script_.conn = bounds_.conn;
    for (int i = 0; i < bounds_.inodes; i++)
      script_.inodes.push_back(std::string(1, static_cast<char>('A' + i)));
    for (int i = 0; i < bounds_.backings; i++) script_.backings.push_back(absl::StrCat("B", i + 1));
    for (int i = 0; i < bounds_.files; i++) {
      script_.files.push_back(absl::StrCat("f", i + 1));
      script_.maps.push_back(absl::StrCat("m", i + 1));
    }
    for (int i = 0; i < bounds_.backings; i++) {
      Add(Op::kBackingOpen).backing = i;
      Add(Op::kBackingClose).backing = i;
    }
    for (int i = 0; i < bounds_.files; i++) AddFile(i);
    return std::move(script_);
  }

 private:
  Step& Add(Op op, int file = -1) {
    Step& step = script_.steps.emplace_back();
    step.op = op;
    step.number = static_cast<int>(script_.steps.size());
    step.file = file;
    return step;
  }

  void AddOpen(int file, int inode, uint32_t flags, int backing) {
    Step& step = Add(Op::kOpen, file);
    step.inode = inode;
    step.fopen_flags = flags;
    step.backing = backing;
    // Both kinds of aio: on plain direct files without O_DIRECT, on parallel ones with it.
    if ((bounds_.conn & CONN_ASYNC_DIO) && (flags & FOPEN_PARALLEL_DIRECT_WRITES))
      step.open_flags |= OPEN_DIRECT;
  }

  void AddHeldWrite(Op op, int file, int64_t off) {
    Step& step = Add(op, file);
    step.hold = Hold::kRequest;
    if (off) step.off = off;
    const int number = step.number;
    Add(Op::kReply).targets = {number};
  }

  void AddFile(int file) {
    for (int inode = 0; inode < bounds_.inodes; inode++) {
      AddOpen(file, inode, FOPEN_KEEP_CACHE, -1);
      AddOpen(file, inode, FOPEN_DIRECT_IO, -1);
      AddOpen(file, inode, FOPEN_DIRECT_IO | FOPEN_PARALLEL_DIRECT_WRITES, -1);
      for (int backing = 0; backing < bounds_.backings; backing++) {
        AddOpen(file, inode, FOPEN_PASSTHROUGH, backing);
        AddOpen(file, inode, FOPEN_PASSTHROUGH | FOPEN_DIRECT_IO | FOPEN_PARALLEL_DIRECT_WRITES,
                backing);
      }
    }
    Add(Op::kClose, file);
    for (int write = 0; write < bounds_.writes; write++)
      AddHeldWrite(Op::kWrite, file, write * kPageSize);
    if (file < bounds_.maps) {
      Step& map = Add(Op::kMmap, file);
      map.map = file;
      map.shared = true;
      Add(Op::kMunmap).map = file;
    }
    if (bounds_.page_cache) AddPageCache(file);
  }

  void AddPageCache(int file) {
    AddHeldWrite(Op::kAioWrite, file, 0);
    Add(Op::kRead, file);
    Add(Op::kStat, file);
    Add(Op::kFsync, file);
    if (file < bounds_.maps) Add(Op::kStore).map = file;
    Step& past = Add(Op::kWrite, file);
    past.off = kInitialFileSize;
    Step& last = Add(Op::kWrite, file);
    last.off = kInitialFileSize;
    last.hold = Hold::kRequest;
    const int number = last.number;
    Add(Op::kReply).targets = {number};
  }

  const GraphBounds& bounds_;
  Script script_;
};

// Adds an edge, or its findings to those of one that gives the same and leads to the same state.
void AddEdge(OpGraph::Edge edge, std::vector<OpGraph::Edge>& edges) {
  const auto same = std::find_if(edges.begin(), edges.end(), [&edge](const OpGraph::Edge& other) {
    return other.op == edge.op && other.to == edge.to && other.outcome == edge.outcome;
  });
  if (same == edges.end()) {
    edges.push_back(std::move(edge));
  } else {
    same->findings |= edge.findings;
  }
}

}  // namespace

Script MakeUniverse(const GraphBounds& bounds) { return UniverseBuilder(bounds).Build(); }

struct OpGraph::Ids {
  absl::flat_hash_map<Hash128, int, Hash128Hasher> by_key;
};

OpGraph::OpGraph(const Script& universe, const Revision& revision, bool replies_only_to_held)
    : universe_(universe),
      replies_only_to_held_(replies_only_to_held),
      sees_attributes_(std::any_of(
          universe.steps.begin(), universe.steps.end(),
          [](const Step& step) { return step.op == Op::kStat || step.op == Op::kRead; })),
      machine_(universe, revision),
      explorer_(machine_),
      canonical_(machine_),
      ids_(std::make_unique<Ids>()) {
  Intern();
}

OpGraph::~OpGraph() = default;

int OpGraph::Intern() {
  machine_.ForgetHistory(sees_attributes_);
  const auto [it, added] = ids_->by_key.try_emplace(canonical_.Compute(), states());
  if (added) {
    snapshots_.emplace_back();
    if (keeps_states_) snapshots_.back().Save(machine_.scheduler());
    lines_.push_back(absl::HashOf(machine_.StateLines()));
    edges_.emplace_back();
    expanded_.push_back(false);
  }
  return it->second;
}

Machine& OpGraph::Load(int state) {
  snapshots_[state].Restore(machine_.scheduler());
  return machine_;
}

// Whether the loaded state offers the operation.
bool OpGraph::CanDo(int op) {
  const Step& step = universe_.steps[op];
  if (machine_.blocked(op)) return false;
  switch (step.op) {
    case Op::kBackingOpen:
      return !machine_.BackingWasOpened(step.backing);
    case Op::kBackingClose:
      return machine_.BackingIsOpen(step.backing);
    case Op::kOpen:
      return !machine_.FileInUse(step.file) && !machine_.MapIsMade(step.file) &&
             (step.file == 0 || machine_.FileInUse(step.file - 1)) &&
             (step.backing < 0 || machine_.BackingWasOpened(step.backing));
    case Op::kReply:
      return replies_only_to_held_ ? machine_.IsHeld(step.targets[0] - 1)
                                   : machine_.CanBeReleased(step.targets[0] - 1);
    case Op::kMmap:
      return machine_.FileIsOpen(step.file) && !machine_.MapIsMade(step.map);
    case Op::kMunmap:
    case Op::kStore:
      return machine_.MapIsMade(step.map);
    default:
      return machine_.FileIsOpen(step.file);
  }
}

void OpGraph::AtRest(int op, std::vector<Edge>& edges) {
  Edge edge;
  edge.op = op;
  edge.outcome.own = machine_.ResultOf(op);
  for (size_t i = 0; i < universe_.steps.size(); i++) {
    if (static_cast<int>(i) != op && machine_.completed(i))
      edge.outcome.completions[i + 1] = machine_.ResultOf(i);
  }
  Snapshot before;
  before.Save(machine_.scheduler());
  for (size_t i = 0; i < universe_.steps.size(); i++) {
    if (machine_.completed(i)) machine_.ForgetStep(i);
  }
  machine_.CheckAtRest();
  edge.findings = machine_.finding_kinds();
  edge.to = Intern();
  before.Restore(machine_.scheduler());
  AddEdge(std::move(edge), edges);
}

const std::vector<OpGraph::Edge>& OpGraph::Expand(int state) {
  if (expanded_[state]) return edges_[state];
  std::vector<Edge> edges;
  for (size_t op = 0; op < universe_.steps.size(); op++) {
    Load(state);
    if (!CanDo(op)) continue;
    machine_.Start(op);
    Explorer::Visited visited;
    explorer_.Run(visited, UINT64_MAX, [&] { AtRest(op, edges); });
  }
  expanded_[state] = true;
  edges_[state] = std::move(edges);
  return edges_[state];
}

void OpGraph::Merge(const std::vector<int>& class_of) {
  int classes = 0;
  for (int state = 0; state < states(); state++) {
    if (class_of[state] != classes) continue;  // not the first of its class
    std::vector<Edge> merged;
    for (Edge& edge : edges_[state]) {
      edge.to = class_of[edge.to];
      AddEdge(std::move(edge), merged);
    }
    edges_[classes] = std::move(merged);
    if (classes != state) snapshots_[classes] = std::move(snapshots_[state]);
    lines_[classes] = lines_[state];
    classes++;
  }
  edges_.resize(classes);
  snapshots_.resize(classes);
  lines_.resize(classes);
  expanded_.resize(classes);
  for (auto& [key, state] : ids_->by_key) state = class_of[state];
}

Script PathScript(const Script& universe, const std::vector<PathStep>& path) {
  Script script = universe;
  script.name = "path";
  script.steps.clear();
  script.lines.clear();
  std::vector<int> last(universe.steps.size() + 1);  // universe's number -> latest number here
  for (const PathStep& taken : path) {
    Step step = universe.steps[taken.op];
    step.number = static_cast<int>(script.steps.size()) + 1;
    for (int& target : step.targets) target = last[target];
    step.has_result = true;
    step.result = {taken.outcome.own};
    for (const auto& [number, result] : taken.outcome.completions) {
      step.completions.push_back({last[number], {result}, {}});
    }
    std::sort(step.completions.begin(), step.completions.end(),
              [](const Completion& a, const Completion& b) { return a.step < b.step; });
    last[taken.op + 1] = step.number;
    script.steps.push_back(std::move(step));
  }
  return script;
}

std::string PrintEdge(const Script& universe, const OpGraph::Edge& edge) {
  const auto words = [&universe](int number) {
    const std::string text = PrintStep(universe, universe.steps[number - 1]);
    return text.substr(text.find(' ') + 1);
  };
  const Step& step = universe.steps[edge.op];
  std::string text = step.op == Op::kReply ? absl::StrCat("reply to (", words(step.targets[0]), ")")
                                           : words(step.number);
  absl::StrAppend(&text, " -> ", PrintResult(edge.outcome.own));
  for (const auto& [number, result] : edge.outcome.completions)
    absl::StrAppend(&text, "; ", words(number), " -> ", PrintResult(result));
  return text;
}

}  // namespace iomode
