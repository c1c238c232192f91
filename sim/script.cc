// SPDX-License-Identifier: GPL-2.0-only

#include "sim/script.h"

#include <errno.h>
#include <string.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sim/script_words.h"

namespace iomode {
namespace {

// Linux has no errno above this (MAX_ERRNO).
constexpr int kMaxErrno = 4095;

// `names[index]`, or a stand-in that cannot be parsed, so that a broken script shows where it is
// broken.
std::string NameAt(const std::vector<std::string>& names, int index) {
  if (index < 0 || static_cast<size_t>(index) >= names.size()) return absl::StrCat("<", index, ">");
  return names[index];
}

std::string BackingText(const Script& script, const Step& step) {
  if (step.backing_id.has_value()) return absl::StrCat("#", *step.backing_id);
  return NameAt(script.backings, step.backing);
}

std::string OpenText(const Script& script, const Step& step) {
  std::string text =
      absl::StrCat(" ", NameAt(script.files, step.file), " ", NameAt(script.inodes, step.inode));
  std::string flags = FlagsText(FopenFlagNames(), step.fopen_flags, '|', step.fopen_written);
  if (!flags.empty()) absl::StrAppend(&text, " ", flags);
  if (step.backing_id.has_value() || step.backing >= 0)
    absl::StrAppend(&text, " backing=", BackingText(script, step));
  if (step.open_flags != (OPEN_READ | OPEN_WRITE) || !step.open_written.empty()) {
    absl::StrAppend(&text,
                    " o=", FlagsText(OpenFlagNames(), step.open_flags, '|', step.open_written));
  }
  if (step.error != 0) absl::StrAppend(&text, " err=", ErrnoName(step.error));
  return text;
}

std::string ReplyText(const Step& step) {
  std::string text = absl::StrCat(" ", absl::StrJoin(step.targets, ","));
  if (step.error != 0) absl::StrAppend(&text, " ", ErrnoName(step.error));
  return text;
}

std::string SetflText(const Script& script, const Step& step) {
  uint32_t bits = step.open_flags & (OPEN_DIRECT | OPEN_APPEND);
  std::string flags = FlagsText(SetflFlagNames(), bits, '|', step.open_written);
  return absl::StrCat(" ", NameAt(script.files, step.file), " ", flags.empty() ? "0" : flags);
}

// What follows the operation's name up to off=, len=, append and hold.
std::string OperandText(const Script& script, const Step& step) {
  switch (step.op) {
    case Op::kBackingOpen:
      return absl::StrCat(" ", BackingText(script, step),
                          step.argument != 0 ? absl::StrCat(" flags=", step.argument) : "");
    case Op::kBackingClose:
      return absl::StrCat(" ", BackingText(script, step));
    case Op::kOpen:
      return OpenText(script, step);
    case Op::kDup:
      return absl::StrCat(" ", NameAt(script.files, step.file), " ",
                          NameAt(script.files, step.source));
    case Op::kMmap:
      return absl::StrCat(" ", NameAt(script.maps, step.map), " ", NameAt(script.files, step.file),
                          step.shared ? " shared" : " private", step.read_only ? " ro" : "");
    case Op::kLoad:
    case Op::kStore:
    case Op::kMsync:
    case Op::kMunmap:
      return absl::StrCat(" ", NameAt(script.maps, step.map));
    case Op::kReply:
      return ReplyText(step);
    case Op::kSetfl:
      return SetflText(script, step);
    case Op::kTruncate:
      return absl::StrCat(" ", NameAt(script.files, step.file), " ", step.argument);
    case Op::kIntr:
    case Op::kWait:
    case Op::kHog:
      return absl::StrCat(" ", step.argument);
    case Op::kAbort:
    case Op::kUnhog:
      return "";
    default:
      return absl::StrCat(" ", NameAt(script.files, step.file));
  }
}

absl::string_view HoldText(Hold hold) {
  switch (hold) {
    case Hold::kNone:
      return "";
    case Hold::kRequest:
      return " hold";
    case Hold::kFlush:
      return " hold=FLUSH";
    case Hold::kRelease:
      return " hold=RELEASE";
  }
  return "";
}

// Binding strength, to write only the parentheses that parsing needs.
int Strength(Condition::Expr::Kind kind) {
  if (kind == Condition::Expr::Kind::kOr) return 0;
  return kind == Condition::Expr::Kind::kAnd ? 1 : 2;
}

std::string ExprText(const Condition::Expr& expr);

std::string SubexprText(const Condition::Expr& operand, bool parenthesize) {
  return parenthesize ? absl::StrCat("(", ExprText(operand), ")") : ExprText(operand);
}

std::string ExprText(const Condition::Expr& expr) {
  using Kind = Condition::Expr::Kind;
  switch (expr.kind) {
    case Kind::kNot:
      return absl::StrCat("!", SubexprText(expr.operands[0], expr.operands[0].kind != Kind::kNot));
    case Kind::kAnd:
    case Kind::kOr: {
      int own = Strength(expr.kind);
      return absl::StrCat(SubexprText(expr.operands[0], Strength(expr.operands[0].kind) < own),
                          expr.kind == Kind::kAnd ? " && " : " || ",
                          SubexprText(expr.operands[1], Strength(expr.operands[1].kind) <= own));
    }
    case Kind::kEq:
    case Kind::kNe:
      return absl::StrCat("P", expr.thread, ".", expr.step,
                          expr.kind == Kind::kEq ? " == " : " != ", PrintResult(expr.result));
  }
  return "";
}

std::string ConnText(const Script& script) {
  std::string caps = FlagsText(ConnCapNames(), script.conn, ' ', script.conn_written);
  return caps.empty() ? "conn" : absl::StrCat("conn ", caps);
}

std::string StepLine(const Script& script, const Step& step) {
  return absl::StrCat(PrintStep(script, step), PrintResults(step));
}

std::string LineText(const Script& script, const Line& line) {
  switch (line.kind) {
    case Line::Kind::kBlank:
      return "";
    case Line::Kind::kConn:
      return ConnText(script);
    case Line::Kind::kInode:
      return absl::StrCat("inode ", script.inodes.at(line.index));
    case Line::Kind::kBacking:
      return absl::StrCat("backing ", script.backings.at(line.index));
    case Line::Kind::kExpect:
      return absl::StrCat("expect ", script.expectations.at(line.index).finding);
    case Line::Kind::kStep:
      return StepLine(script, script.steps.at(line.index));
    case Line::Kind::kThreadStep:
      return StepLine(script, script.threads.at(line.thread).at(line.index));
    case Line::Kind::kCondition:
      return PrintCondition(script.conditions.at(line.index));
  }
  return "";
}

// The lines of a script that was built and not parsed.
std::vector<Line> PlainLines(const Script& script) {
  std::vector<Line> lines;
  auto add = [&lines](Line::Kind kind, size_t count, int thread = -1) {
    for (size_t i = 0; i < count; ++i) {
      lines.emplace_back();
      lines.back().kind = kind;
      lines.back().index = static_cast<int>(i);
      lines.back().thread = thread;
    }
  };
  add(Line::Kind::kConn, script.has_conn || script.conn != 0 ? 1 : 0);
  add(Line::Kind::kInode, script.inodes.size());
  add(Line::Kind::kBacking, script.backings.size());
  add(Line::Kind::kExpect, script.expectations.size());
  add(Line::Kind::kStep, script.steps.size());
  for (size_t t = 0; t < script.threads.size(); ++t) {
    add(Line::Kind::kThreadStep, script.threads[t].size(), static_cast<int>(t));
  }
  add(Line::Kind::kCondition, script.conditions.size());
  return lines;
}

// strerrorname_np knows one name for each number; these are the second names.
std::map<std::string, int> MakeErrnoTable() {
  std::map<std::string, int> table = {
      {"EWOULDBLOCK", EWOULDBLOCK}, {"EDEADLOCK", EDEADLOCK}, {"ENOTSUP", ENOTSUP}};
  for (int number = 1; number <= kMaxErrno; ++number) {
    if (const char* name = strerrorname_np(number)) table.emplace(name, number);
  }
  return table;
}

}  // namespace

std::string PrintLine(const Script& script, const Line& line) {
  std::string content = LineText(script, line);
  if (!line.comment.empty()) {
    int gap = line.gap >= 0 ? line.gap : (content.empty() ? 0 : 1);
    content += std::string(gap, ' ') + line.comment;
  }
  return content;
}

std::string PrintScript(const Script& script) {
  std::string text;
  for (const Line& line : script.lines.empty() ? PlainLines(script) : script.lines) {
    absl::StrAppend(&text, PrintLine(script, line), "\n");
  }
  return text;
}

std::string PrintStep(const Script& script, const Step& step) {
  std::string text =
      step.thread < 0 ? absl::StrCat(step.number, ": ") : absl::StrCat("P", step.thread, ": ");
  absl::StrAppend(&text, OpName(step.op), OperandText(script, step));
  if (step.off.has_value()) absl::StrAppend(&text, " off=", *step.off);
  if (step.len.has_value()) absl::StrAppend(&text, " len=", *step.len);
  if (step.append) text += " append";
  absl::StrAppend(&text, HoldText(step.hold));
  if (step.cpu.has_value()) absl::StrAppend(&text, " cpu=", *step.cpu);
  if (step.sched_idle) text += " sched=idle";
  return text;
}

std::string PrintResults(const Step& step) {
  if (!step.has_result) return "";
  std::string text = absl::StrCat(" -> ", PrintAlternatives(step.result));
  for (const Completion& completion : step.completions) {
    absl::StrAppend(&text, "; ", completion.step, " -> ", PrintAlternatives(completion.results));
  }
  return text;
}

std::string PrintResult(const Result& result) {
  switch (result.kind) {
    case Result::Kind::kBlocked:
      return "blocked";
    case Result::Kind::kKilled:
      return "KILLED";
    case Result::Kind::kErrno:
      return ErrnoName(static_cast<int>(result.value));
    case Result::Kind::kValue:
      break;
  }
  if (result.via == Via::kNone) return absl::StrCat(result.value);
  return absl::StrCat(result.value, " via=", ViaName(result.via));
}

std::string PrintAlternatives(const Alternatives& results) {
  return absl::StrJoin(results, " | ", [](std::string* out, const Result& result) {
    absl::StrAppend(out, PrintResult(result));
  });
}

std::string PrintCondition(const Condition& condition) {
  static constexpr const char* kWords[] = {"exists ", "never ", "always "};
  return absl::StrCat(kWords[static_cast<size_t>(condition.quantifier)], ExprText(condition.expr));
}

std::string ErrnoName(int number) {
  const char* name = strerrorname_np(number);
  return name != nullptr && number > 0 ? name : absl::StrCat("errno ", number);
}

std::optional<int> ErrnoFromName(const std::string& name) {
  static const std::map<std::string, int>* const table =
      new std::map<std::string, int>(MakeErrnoTable());
  auto found = table->find(name);
  if (found == table->end()) return std::nullopt;
  return found->second;
}

}  // namespace iomode
