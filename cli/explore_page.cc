// SPDX-License-Identifier: GPL-2.0-only

#include "cli/explore_page.h"

#include <map>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "cli/explore_page_files.h"
#include "cli/graphviz.h"
#include "sim/findings.h"

namespace iomode {
namespace {

using Json = nlohmann::json;

// The lines of all scripts, each once.
class Lines {
 public:
  Json Of(const Script& script) {
    Json indices = Json::array();
    const std::string text = PrintScript(script);
    for (absl::string_view line : absl::StrSplit(absl::StripSuffix(text, "\n"), '\n'))
      indices.push_back(IndexOf(std::string(line)));
    return indices;
  }
  const Json& table() const { return table_; }

 private:
  int IndexOf(const std::string& line) {
    const auto [it, added] = indices_.try_emplace(line, static_cast<int>(table_.size()));
    if (added) table_.push_back(line);
    return it->second;
  }

  std::map<std::string, int> indices_;
  Json table_ = Json::array();
};

// --- Layout ---

// "2", or "A 2, B 0" with several inodes; what has the same text is in one row.
std::string RowOf(const KernelGraph::State& state) {
  if (state.inodes.size() == 1) return absl::StrCat(state.inodes[0].iocachectr);
  return absl::StrJoin(state.inodes, ", ", [](std::string* out, const KernelGraph::Inode& inode) {
    absl::StrAppend(out, inode.name, " ", inode.iocachectr);
  });
}

// Rows are sorted by the counters, the largest first.
std::vector<int> RowKey(const KernelGraph::State& state) {
  std::vector<int> key;
  for (const KernelGraph::Inode& inode : state.inodes) key.push_back(-inode.iocachectr);
  return key;
}

std::string ColumnOf(const KernelGraph::State& state) {
  return absl::StrJoin(state.inodes, ", ", [&](std::string* out, const KernelGraph::Inode& inode) {
    if (state.inodes.size() > 1) absl::StrAppend(out, inode.name, ": ");
    absl::StrAppend(out, inode.fb == "-" ? "no fb" : absl::StrCat("fb = ", inode.fb));
  });
}

// What row and column do not say.
std::string LabelOf(const KernelGraph::State& state) {
  std::vector<std::string> parts;
  for (const KernelGraph::Inode& inode : state.inodes) {
    std::string text = state.inodes.size() > 1 ? absl::StrCat(inode.name, ": ") : "";
    absl::StrAppend(&text, "ctr ", inode.iocachectr);
    if (inode.cache_io_mode) absl::StrAppend(&text, " bit");
    if (inode.fb != "-") absl::StrAppend(&text, " ", inode.fb, "×", inode.fb_refs);
    if (inode.i_rwsem != "-") absl::StrAppend(&text, " ", inode.i_rwsem);
    if (inode.waiters) absl::StrAppend(&text, "\\n", inode.waiters, " waiting");
    parts.push_back(text);
  }
  return absl::StrJoin(parts, "\\n");
}

// What colours a state: how the first inode that is not neutral is used.
const char* ClassOf(const KernelGraph::State& state) {
  for (const KernelGraph::Inode& inode : state.inodes) {
    if (inode.waiters) return "waiting";
    if (inode.iocachectr > 0) return "caching";
    if (inode.fb != "-") return "passthrough";
    if (inode.iocachectr < 0) return "writes";
  }
  return "neutral";
}

std::string DotSource(const KernelGraph& graph) {
  std::string dot =
      "digraph {\n  newrank=true; bgcolor=transparent; nodesep=0.16; ranksep=0.5;\n"
      "  node [shape=box style=rounded fontname=\"Helvetica\" fontsize=11 margin=\"0.07,0.05\" "
      "height=0.3];\n  edge [arrowsize=0.6 constraint=false];\n";
  std::map<std::string, std::string> columns;
  std::map<std::vector<int>, std::vector<int>> rows;
  for (size_t i = 0; i < graph.states.size(); i++) {
    const KernelGraph::State& state = graph.states[i];
    absl::StrAppend(&columns[ColumnOf(state)], "    s", i, " [id=s", i, " class=", ClassOf(state),
                    " label=\"", LabelOf(state), "\"];\n");
    rows[RowKey(state)].push_back(static_cast<int>(i));
  }
  int column = 0;
  for (const auto& [name, states] : columns) {
    absl::StrAppend(&dot, "  subgraph cluster", column++, " { class=column fontname=\"Helvetica\" ",
                    "fontsize=12 label=\"", name, "\";\n", states, "  }\n");
  }
  int row = 0;
  for (const auto& [key, states] : rows) {
    absl::StrAppend(&dot, "  r", row, " [class=row shape=plaintext label=\"",
                    RowOf(graph.states[states[0]]), "\"];\n  { rank=same; r", row, ";");
    for (const int state : states) absl::StrAppend(&dot, " s", state, ";");
    absl::StrAppend(&dot, " }\n");
    if (row > 0)
      absl::StrAppend(&dot, "  r", row - 1, " -> r", row, " [style=invis constraint=true];\n");
    row++;
  }
  for (size_t i = 0; i < graph.edges.size(); i++) {
    absl::StrAppend(&dot, "  s", graph.edges[i].from, " -> s", graph.edges[i].to, " [id=e", i,
                    "];\n");
  }
  return absl::StrCat(dot, "}\n");
}

// --- Data ---

Json StateJson(const KernelGraph::State& state, Lines& lines) {
  Json inodes = Json::array();
  for (const KernelGraph::Inode& inode : state.inodes) {
    inodes.push_back({{"name", inode.name},
                      {"iocachectr", inode.iocachectr},
                      {"bit", inode.cache_io_mode},
                      {"fb", inode.fb},
                      {"refs", inode.fb_refs},
                      {"waiters", inode.waiters},
                      {"rwsem", inode.i_rwsem}});
  }
  return {{"inodes", inodes}, {"members", state.members}, {"script", lines.Of(state.script)}};
}

Json EdgeJson(const KernelGraph::Edge& edge, Lines& lines) {
  Json operations = Json::array();
  for (const KernelGraph::Operation& operation : edge.operations) {
    operations.push_back({{"text", operation.text},
                          {"members", operation.members},
                          {"script", lines.Of(operation.script)}});
  }
  return {{"from", edge.from}, {"to", edge.to}, {"operations", operations}};
}

absl::StatusOr<Json> RevisionJson(const PageRevision& revision, Lines& lines) {
  absl::StatusOr<std::string> svg = DrawSvg(DotSource(revision.graph));
  if (!svg.ok()) return svg.status();
  Json json = {{"name", revision.name},
               {"title", revision.title},
               {"counts", revision.counts},
               {"states", Json::array()},
               {"edges", Json::array()},
               {"findings", Json::array()},
               {"svg", *svg}};
  for (const KernelGraph::State& state : revision.graph.states)
    json["states"].push_back(StateJson(state, lines));
  for (const KernelGraph::Edge& edge : revision.graph.edges)
    json["edges"].push_back(EdgeJson(edge, lines));
  for (const KernelGraph::Finding& finding : revision.graph.findings) {
    json["findings"].push_back({{"kind", FindingName(finding.kind)},
                                {"state", finding.state},
                                {"script", lines.Of(finding.script)}});
  }
  return json;
}

}  // namespace

absl::StatusOr<std::string> ExplorePage(const std::vector<PageRevision>& revisions) {
  Lines lines;
  Json data = {{"revisions", Json::array()}};
  for (const PageRevision& revision : revisions) {
    absl::StatusOr<Json> json = RevisionJson(revision, lines);
    if (!json.ok()) return json.status();
    data["revisions"].push_back(*std::move(json));
  }
  data["lines"] = lines.table();
  // "</script>" within the data would end it.
  const std::string text = absl::StrReplaceAll(data.dump(), {{"</", "<\\/"}});
  return absl::StrReplaceAll(
      kPageHtml, {{"/*page.css*/", kPageCss}, {"/*page.js*/", kPageJs}, {"/*data*/", text}});
}

}  // namespace iomode
