// SPDX-License-Identifier: GPL-2.0-only

#include "sim/revision_diff.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <tuple>

#include "absl/algorithm/container.h"
#include "absl/strings/str_join.h"
#include "sim/verdict.h"

namespace iomode {
namespace {

using States = std::set<std::vector<std::string>>;  // by their --state lines

// What one revision does with a script.
struct Behaviour {
  std::vector<std::set<StepOutcome>> outcomes;
  std::set<FindingKind> kinds;
  std::vector<std::string> findings;
  States last;  // after the last step; empty unless states are compared

  bool SameAs(const Behaviour& other) const {
    return outcomes == other.outcomes && kinds == other.kinds && last == other.last;
  }
};

// Runs the script; its results are filled in.
Behaviour RunAt(Script& script, const Revision& revision, bool with_states) {
  RunnerOptions options;
  options.narrow = false;
  Runner runner(script, revision, options);
  const RunReport report = runner.RunSteps();
  Behaviour behaviour;
  for (size_t i = 0; i < report.steps.size(); i++) {
    behaviour.outcomes.push_back(report.steps[i].outcomes);
    SetResults(report.steps[i], script.steps[i]);
  }
  for (const Finding& finding : DistinctFindings(report.findings)) {
    behaviour.kinds.insert(finding.kind);
    behaviour.findings.push_back(PrintFinding(finding));
  }
  if (with_states && !report.steps.empty()) behaviour.last = report.steps.back().state_lines;
  return behaviour;
}

// What `has` has and `lacks` lacks.
std::vector<std::string> Alone(const States& has, const States& lacks) {
  std::vector<std::string> alone;
  for (const std::vector<std::string>& lines : has) {
    if (!lacks.contains(lines)) alone.push_back(absl::StrJoin(lines, "\n"));
  }
  return alone;
}

std::vector<const Rule*> DifferingRules(const Rules& left, const Rules& right) {
  std::vector<const Rule*> rules;
  for (const Rule& rule : RuleTable()) {
    if (rule.Value(left) != rule.Value(right)) rules.push_back(&rule);
  }
  return rules;
}

void Adopt(const Rule& rule, const Rules& from, Rules& to) {
  if (rule.flag != nullptr) {
    to.*rule.flag = from.*rule.flag;
  } else {
    to.passthrough = from.passthrough;
  }
}

// The two revisions' graphs under one set of capabilities.
class PairWalk {
 public:
  // A pair of state sets that the same results lead to, and how it was reached.
  struct Node {
    std::vector<int> left;
    std::vector<int> right;
    int parent;
    int op;
    int depth;
  };

  PairWalk(const Revision& left, const Revision& right, const GraphBounds& bounds, bool with_states)
      : universe_(MakeUniverse(bounds)),
        with_states_(with_states),
        left_(universe_, left, false),
        right_(universe_, right, false) {
    Add({0}, {0}, -1, -1, 0);
  }

  // Expands one node. `differs` gets the operations of a path that ends in a difference, unless the
  // same difference ends a path that has one operation less.
  void Step(const std::function<void(const std::vector<int>&)>& differs) {
    const size_t at = next_++;
    const auto left = Outgoing(left_, nodes_[at].left);
    const auto right = Outgoing(right_, nodes_[at].right);
    std::set<int> ops;
    for (const auto& [op, results] : left) ops.insert(op);
    for (const auto& [op, results] : right) ops.insert(op);
    for (int op : ops) {
      edges_++;
      const auto l = left.find(op);
      const auto r = right.find(op);
      if (l == left.end() || r == right.end() || !Same(l->second, r->second)) {
        std::vector<int> path = PathTo(at, op);
        if (IsNew(path, EndingOf(left, right, op))) differs(path);
        continue;
      }
      for (const auto& [outcome, to] : l->second.to) {
        const std::vector<int>& right_to = r->second.to.at(outcome);
        const bool added = Add(to, right_to, static_cast<int>(at), op, nodes_[at].depth + 1);
        if (added && with_states_ && LinesOf(left_, to) != LinesOf(right_, right_to))
          differs(PathTo(at, op));
      }
    }
  }

  // What is found from now on will not be expanded.
  void LastLayer() {
    left_.KeepNoMoreStates();
    right_.KeepNoMoreStates();
  }

  // The length of the script that leads to the next node.
  int depth() const { return next_ < nodes_.size() ? nodes_[next_].depth : INT32_MAX; }
  size_t size() const { return nodes_.size(); }
  uint64_t edges() const { return edges_; }
  DiffWalk Report(int max_steps) const {
    const std::string text = PrintScript(universe_);
    DiffWalk walk = {text.substr(0, text.find('\n')),
                     next_,
                     edges_,
                     left_.states(),
                     right_.states(),
                     std::min(depth(), max_steps),
                     next_ == nodes_.size()};
    const auto has = [this](Op op) {
      return std::any_of(universe_.steps.begin(), universe_.steps.end(),
                         [op](const struct Step& step) { return step.op == op; });
    };
    if (has(Op::kMmap)) walk.universe += ", mmap";
    if (has(Op::kRead)) walk.universe += ", page cache";
    if (!has(Op::kBackingOpen)) walk.universe += ", no backing";
    return walk;
  }

  Script PathOf(const std::vector<int>& ops) const {
    std::vector<PathStep> path;
    for (int op : ops) path.push_back({op, {}});
    Script script = PathScript(universe_, path);
    for (struct Step& step : script.steps) {
      step.has_result = false;
      step.result.clear();
    }
    return script;
  }

 private:
  struct Results {
    std::map<StepOutcome, std::vector<int>> to;
    uint32_t findings = 0;
  };

  static std::map<int, Results> Outgoing(OpGraph& graph, const std::vector<int>& states) {
    std::map<int, Results> results;
    for (int state : states) {
      for (const OpGraph::Edge& edge : graph.Expand(state)) {
        Results& r = results[edge.op];
        r.to[edge.outcome].push_back(edge.to);
        r.findings |= edge.findings;
      }
    }
    for (auto& [op, r] : results) {
      for (auto& [outcome, to] : r.to) {
        std::sort(to.begin(), to.end());
        to.erase(std::unique(to.begin(), to.end()), to.end());
      }
    }
    return results;
  }

  static std::set<size_t> LinesOf(const OpGraph& graph, const std::vector<int>& states) {
    std::set<size_t> lines;
    for (int state : states) lines.insert(graph.LinesHash(state));
    return lines;
  }

  // What a path that parts ends with: the last operation's outcomes and findings on each side.
  struct Ending {
    std::vector<StepOutcome> left;
    std::vector<StepOutcome> right;
    uint32_t left_findings = 0;
    uint32_t right_findings = 0;
    bool operator==(const Ending&) const = default;
  };

  static Ending EndingOf(const std::map<int, Results>& left, const std::map<int, Results>& right,
                         int op) {
    Ending ending;
    const auto take = [op](const std::map<int, Results>& side, std::vector<StepOutcome>& outcomes,
                           uint32_t& findings) {
      const auto found = side.find(op);
      if (found == side.end()) return;
      for (const auto& [outcome, to] : found->second.to) outcomes.push_back(outcome);
      findings = found->second.findings;
    };
    take(left, ending.left, ending.left_findings);
    take(right, ending.right, ending.right_findings);
    return ending;
  }

  // Notes the path and its ending. Paths come in the order of their length.
  bool IsNew(const std::vector<int>& path, const Ending& ending) {
    bool is_new = true;
    for (size_t left_out = 0; is_new && left_out + 1 < path.size(); left_out++) {
      std::vector<int> shorter = path;
      shorter.erase(shorter.begin() + left_out);
      const auto known = endings_.find(shorter);
      is_new = known == endings_.end() || !(known->second == ending);
    }
    endings_.emplace(path, ending);
    return is_new;
  }

  // The operations that lead to a node, and one more.
  std::vector<int> PathTo(size_t node, int op) const {
    std::vector<int> path = {op};
    for (int n = static_cast<int>(node); nodes_[n].parent >= 0; n = nodes_[n].parent)
      path.push_back(nodes_[n].op);
    std::reverse(path.begin(), path.end());
    return path;
  }

  static bool Same(const Results& a, const Results& b) {
    return a.findings == b.findings && a.to.size() == b.to.size() &&
           std::equal(a.to.begin(), a.to.end(), b.to.begin(),
                      [](const auto& x, const auto& y) { return x.first == y.first; });
  }

  bool Add(std::vector<int> left, std::vector<int> right, int parent, int op, int depth) {
    if (!seen_.insert({left, right}).second) return false;
    nodes_.push_back({std::move(left), std::move(right), parent, op, depth});
    return true;
  }

  Script universe_;
  const bool with_states_;
  OpGraph left_;
  OpGraph right_;
  std::vector<Node> nodes_;
  std::map<std::vector<int>, Ending> endings_;
  std::set<std::pair<std::vector<int>, std::vector<int>>> seen_;
  size_t next_ = 0;
  uint64_t edges_ = 0;
};

// The left revision with some of the right one's rules.
Revision WithRules(const Revision& left, const Revision& right,
                   const std::vector<const Rule*>& rules) {
  Revision trial = {"", "", false, left.rules, {}, nullptr};
  for (const Rule* rule : rules) Adopt(*rule, right.rules, trial.rules);
  return trial;
}

// Compares the revisions on one script after the other, and keeps those with a cause of their own.
class Causes {
 public:
  Causes(const Revision& left, const Revision& right, DiffReport& report)
      : left_(left),
        right_(right),
        report_(report),
        differing_(DifferingRules(left.rules, right.rules)),
        unseen_(differing_) {}

  void File(const Script& path) {
    Difference difference;
    difference.left = difference.right = path;
    const Behaviour at_left = RunAt(difference.left, left_, !differ());
    const Behaviour at_right = RunAt(difference.right, right_, !differ());
    if (at_left.SameAs(at_right)) return;
    const auto gives = [&](const std::vector<const Rule*>& rules, const Behaviour& behaviour) {
      Script script = path;
      return RunAt(script, WithRules(left_, right_, rules), !differ()).SameAs(behaviour);
    };
    const auto explains = [&](const Rule* rule) { return gives({rule}, at_right); };
    // Most scripts show what shorter ones have shown: a rule that is known, while all the others
    // together make no difference.
    if (std::any_of(alone_.begin(), alone_.end(), explains) && gives(unseen_, at_left)) return;
    std::vector<const Rule*> rules;
    std::copy_if(differing_.begin(), differing_.end(), std::back_inserter(rules), explains);
    difference.rules = absl::StrJoin(
        rules, " or ", [](std::string* out, const Rule* rule) { out->append(rule->name); });
    if (!filed_.insert(difference.rules).second) return;
    if (rules.size() == 1) alone_.push_back(rules[0]);
    std::erase_if(unseen_, [&](const Rule* rule) { return absl::c_linear_search(rules, rule); });
    difference.left_findings = at_left.findings;
    difference.right_findings = at_right.findings;
    difference.left_states = Alone(at_left.last, at_right.last);
    difference.right_states = Alone(at_right.last, at_left.last);
    report_.differences.push_back(std::move(difference));
  }

  bool differ() const { return !differing_.empty(); }
  // Rules in which the revisions differ and that no difference was put down to.
  const std::vector<const Rule*>& unseen() const { return unseen_; }

 private:
  const Revision& left_;
  const Revision& right_;
  DiffReport& report_;
  const std::vector<const Rule*> differing_;
  std::vector<const Rule*> unseen_;
  std::vector<const Rule*> alone_;  // that are the only cause of a script that was kept
  std::set<std::string> filed_;
};

// Pairs of states with each set of connection capabilities, between two of the model's rows: what
// is looked for, a script for each rule, comes early or costs too much.
constexpr uint64_t kMaxPairs = 12'000;

std::vector<GraphBounds> BoundsToTry(const DiffOptions& options) {
  GraphBounds bounds;
  bounds.files = options.files;
  bounds.backings = options.backings;
  bounds.writes = options.writes;
  bounds.maps = 1;
  std::vector<GraphBounds> all = {bounds};
  bounds.page_cache = true;
  bounds.conn = CONN_PASSTHROUGH | CONN_DIRECT_IO_ALLOW_MMAP | CONN_ASYNC_DIO;
  all.push_back(bounds);
  bounds.conn = CONN_PASSTHROUGH;
  all.push_back(bounds);
  // Without backings, so that longer scripts are within reach.
  GraphBounds plain = bounds;
  plain.backings = 0;
  plain.maps = 0;
  plain.conn = CONN_DIRECT_IO_ALLOW_MMAP | CONN_ASYNC_DIO;
  all.push_back(plain);
  bounds.conn = CONN_PASSTHROUGH | CONN_WRITEBACK_CACHE;
  all.push_back(bounds);
  bounds.conn = CONN_PASSTHROUGH | CONN_NO_OPEN;
  all.push_back(bounds);
  return all;
}

}  // namespace

DiffReport DiffRevisions(const Revision& left, const Revision& right, const DiffOptions& options) {
  DiffReport report;
  std::vector<std::unique_ptr<PairWalk>> walks;
  Causes causes(left, right, report);
  // Revisions that differ in rules may part in states before they do in results. Other code at the
  // same rules is to have the same states.
  for (const GraphBounds& bounds : BoundsToTry(options))
    walks.push_back(std::make_unique<PairWalk>(left, right, bounds, !causes.differ()));
  // All walks go down together, so that the scripts come in the order of their length.
  const uint64_t by_default = options.other_code && !causes.differ() ? UINT64_MAX : kMaxPairs;
  report.max_states = options.max_states ? options.max_states : by_default;
  const auto walk_down = [&](PairWalk& walk, int depth) {
    if (depth + 1 == options.max_steps) walk.LastLayer();
    while (walk.depth() <= depth) {
      const uint64_t known =
          std::accumulate(walks.begin(), walks.end(), uint64_t{0},
                          [](uint64_t sum, const auto& one) { return sum + one->size(); });
      if (options.watch != nullptr &&
          options.watch->Stop({report.states, known - report.states, 0}))
        return false;
      if (walk.size() > report.max_states) {
        report.complete = false;
        return true;
      }
      report.states++;
      walk.Step([&](const std::vector<int>& ops) { causes.File(walk.PathOf(ops)); });
    }
    return true;
  };
  for (int depth = 0; depth < options.max_steps; depth++) {
    if (causes.differ() && causes.unseen().empty()) break;
    if (!std::all_of(walks.begin(), walks.end(),
                     [&](auto& walk) { return walk_down(*walk, depth); })) {
      report.complete = false;
      break;
    }
  }
  for (const auto& walk : walks) {
    report.edges += walk->edges();
    report.walks.push_back(walk->Report(options.max_steps));
  }
  for (const Rule* rule : causes.unseen()) report.unseen.push_back(rule->name);
  return report;
}

}  // namespace iomode
