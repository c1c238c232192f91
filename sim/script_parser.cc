// SPDX-License-Identifier: GPL-2.0-only

#include "sim/script_parser.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sim/script_check.h"
#include "sim/script_lexer.h"
#include "sim/script_options.h"
#include "sim/script_step_parser.h"
#include "sim/script_words.h"

namespace iomode {
namespace {

constexpr size_t kMaxFileBytes = 16u << 20;
constexpr int kMaxNesting = 100;  // parentheses in a condition

bool IsHeaderWord(const Token& token) {
  return token.IsName("conn") || token.IsName("inode") || token.IsName("backing") ||
         token.IsName("expect");
}

std::optional<Condition::Quantifier> QuantifierOf(const Token& token) {
  if (token.IsName("exists")) return Condition::Quantifier::kExists;
  if (token.IsName("never")) return Condition::Quantifier::kNever;
  if (token.IsName("always")) return Condition::Quantifier::kAlways;
  return std::nullopt;
}

// 3 for "P3"; nullopt for anything else, leading zeros included.
std::optional<int> ThreadOf(const Token& token) {
  int thread = 0;
  if (token.kind != Token::Kind::kName || token.text[0] != 'P') return std::nullopt;
  if (!absl::SimpleAtoi(token.text.substr(1), &thread) || token.text != absl::StrCat("P", thread))
    return std::nullopt;
  return thread;
}

// Reads an expression over results; precedence `!`, `&&`, `||`.
class ConditionParser {
 public:
  ConditionParser(const Script& script, TokenReader& reader) : script_(script), reader_(reader) {}

  bool Parse(Condition::Expr* expr) {
    return Or(expr) && reader_.End("\"&&\", \"||\" or end of line");
  }

 private:
  using Expr = Condition::Expr;

  bool Or(Expr* expr) {
    if (!And(expr)) return false;
    while (reader_.Accept("||")) {
      Expr right;
      if (!And(&right)) return false;
      Join(Expr::Kind::kOr, expr, std::move(right));
    }
    return true;
  }

  bool And(Expr* expr) {
    if (!Unary(expr)) return false;
    while (reader_.Accept("&&")) {
      Expr right;
      if (!Unary(&right)) return false;
      Join(Expr::Kind::kAnd, expr, std::move(right));
    }
    return true;
  }

  bool Unary(Expr* expr) {
    if (!reader_.Peek().Is("!") && !reader_.Peek().Is("(")) return Comparison(expr);
    if (++depth_ > kMaxNesting) {
      return reader_.Fail(reader_.Peek().pos, "condition nested too deep",
                          absl::StrCat("at most ", kMaxNesting));
    }
    bool ok = false;
    if (reader_.Accept("!")) {
      Expr operand;
      ok = Unary(&operand);
      expr->kind = Expr::Kind::kNot;
      expr->operands.push_back(std::move(operand));
    } else {
      reader_.Take();
      ok = Or(expr) && reader_.Punctuation(")", "\")\", \"&&\" or \"||\"");
    }
    --depth_;
    return ok;
  }

  bool Comparison(Expr* expr) {
    Token token = reader_.Peek();
    std::optional<int> thread = ThreadOf(token);
    if (!thread.has_value()) return reader_.Unexpected("a result such as P0.1, \"!\" or \"(\"");
    if (static_cast<size_t>(*thread) >= script_.threads.size()) {
      return reader_.Fail(token.pos, absl::StrCat("no thread ", token.text),
                          absl::StrCat("P0 to P", script_.threads.size() - 1));
    }
    reader_.Take();
    int64_t step = 0;
    int64_t steps = static_cast<int64_t>(script_.threads[*thread].size());
    if (!reader_.Punctuation(".", "\".\" and a step of the thread")) return false;
    if (!reader_.Number(absl::StrCat("a step of ", token.text), 1, steps, &step)) return false;
    expr->thread = *thread;
    expr->step = static_cast<int>(step);
    if (!reader_.Peek().Is("==") && !reader_.Peek().Is("!="))
      return reader_.Unexpected("\"==\" or \"!=\"");
    expr->kind = reader_.Take().Is("==") ? Expr::Kind::kEq : Expr::Kind::kNe;
    return ParseResult(reader_, &expr->result);
  }

  static void Join(Expr::Kind kind, Expr* left, Expr right) {
    Expr joined;
    joined.kind = kind;
    joined.operands.push_back(std::move(*left));
    joined.operands.push_back(std::move(right));
    *left = std::move(joined);
  }

  const Script& script_;
  TokenReader& reader_;
  int depth_ = 0;
};

class ScriptParser {
 public:
  ScriptParser(Script& script, Diagnostics& diagnostics)
      : script_(script), diagnostics_(diagnostics), names_(script) {}

  bool Parse(absl::string_view text);

 private:
  bool ParseLine(const LexedLine& lexed, Line* line);
  bool ParseHeader(TokenReader& reader, Line* line);
  bool ParseConn(TokenReader& reader);
  bool ParseDeclaration(TokenReader& reader, absl::string_view what, NameIndex& names, int* index);
  bool ParseExpect(TokenReader& reader, int* index);
  bool ParseStep(TokenReader& reader, Line* line);
  bool ParseThreadStep(TokenReader& reader, int thread, Line* line);
  bool ParseCondition(TokenReader& reader, Condition::Quantifier quantifier, Line* line);

  Script& script_;
  Diagnostics& diagnostics_;
  ScriptNames names_;
};

bool ScriptParser::Parse(absl::string_view text) {
  if (!CheckText(text, diagnostics_)) return false;
  int number = 0;
  for (size_t start = 0; start < text.size();) {
    size_t end = std::min(text.find('\n', start), text.size());
    absl::string_view content = text.substr(start, end - start);
    if (!content.empty() && content.back() == '\r') content.remove_suffix(1);
    LexedLine lexed = LexLine(content, ++number);
    Line line;
    if (!ParseLine(lexed, &line)) return false;
    line.gap = lexed.gap;
    line.comment = std::move(lexed.comment);
    script_.lines.push_back(std::move(line));
    start = end + 1;
  }
  if (script_.steps.empty() && script_.threads.empty()) {
    return diagnostics_.Fail({std::max(number, 1), 1}, "no steps",
                             "at least one, such as \"1: open c A\"");
  }
  return CheckNames(script_, diagnostics_);
}

bool ScriptParser::ParseLine(const LexedLine& lexed, Line* line) {
  TokenReader reader(lexed.tokens, diagnostics_);
  const Token& first = reader.Peek();
  if (reader.AtEnd()) return true;
  if (reader.Peek(1).Is(":")) {
    if (first.kind == Token::Kind::kNumber) return ParseStep(reader, line);
    if (std::optional<int> thread = ThreadOf(first)) return ParseThreadStep(reader, *thread, line);
    return reader.Unknown("label", "a step number or a thread such as P0");
  }
  if (IsHeaderWord(first)) return ParseHeader(reader, line);
  if (std::optional<Condition::Quantifier> quantifier = QuantifierOf(first)) {
    return ParseCondition(reader, *quantifier, line);
  }
  if (first.kind == Token::Kind::kName && OpFromName(first.text).has_value()) {
    return reader.Fail(first.pos, absl::StrCat("step ", first.Quoted(), " without a number"),
                       absl::StrCat("\"", script_.steps.size() + 1, ": ", first.text, " ...\""));
  }
  if (first.kind == Token::Kind::kNumber || ThreadOf(first).has_value()) {
    reader.Take();
    return reader.Unexpected("\":\" behind the label of a step");
  }
  return reader.Unknown("line", "conn, inode, backing, expect, a step, exists, never or always");
}

bool ScriptParser::ParseHeader(TokenReader& reader, Line* line) {
  Token word = reader.Peek();
  if (!script_.steps.empty() || !script_.threads.empty() || !script_.conditions.empty()) {
    return reader.Fail(word.pos, absl::StrCat("header line ", word.Quoted(), " behind a step"),
                       "it before the first step");
  }
  reader.Take();
  if (word.text == "inode") {
    line->kind = Line::Kind::kInode;
    return ParseDeclaration(reader, "inode", names_.inodes, &line->index);
  }
  if (word.text == "backing") {
    line->kind = Line::Kind::kBacking;
    return ParseDeclaration(reader, "backing", names_.backings, &line->index);
  }
  if (word.text == "expect") {
    line->kind = Line::Kind::kExpect;
    return ParseExpect(reader, &line->index);
  }
  line->kind = Line::Kind::kConn;
  if (script_.has_conn)
    return reader.Fail(word.pos, "a second conn line", "one with all capabilities");
  script_.has_conn = true;
  return ParseConn(reader);
}

// No capability at all is a server that negotiates none.
bool ScriptParser::ParseConn(TokenReader& reader) {
  std::string list = ListNames(ConnCapNames());
  while (!reader.AtEnd()) {
    const Token& token = reader.Peek();
    uint32_t bit = token.kind == Token::Kind::kName ? FlagBits(ConnCapNames(), token.text) : 0;
    if (bit == 0) return reader.Unknown("capability", list);
    if (script_.conn & bit) {
      return reader.Fail(token.pos, absl::StrCat("capability ", token.Quoted(), " twice"),
                         "each capability once");
    }
    script_.conn |= bit;
    absl::StrAppend(&script_.conn_written, script_.conn_written.empty() ? "" : " ", token.text);
    reader.Take();
  }
  return true;
}

bool ScriptParser::ParseDeclaration(TokenReader& reader, absl::string_view what, NameIndex& names,
                                    int* index) {
  std::string name;
  Position pos;
  if (!reader.Name(absl::StrCat("the name of the ", what), &name, &pos)) return false;
  if (names.Find(name) >= 0) {
    return reader.Fail(pos, absl::StrCat(what, " \"", name, "\" declared twice"), "another name");
  }
  *index = names.Enter(name);
  return reader.End(absl::StrCat("end of line (one ", what, " a line)"));
}

bool ScriptParser::ParseExpect(TokenReader& reader, int* index) {
  Expectation expectation;
  if (!reader.Name("the name of a finding, such as lost-wakeup", &expectation.finding,
                   &expectation.pos))
    return false;
  for (const Expectation& earlier : script_.expectations) {
    if (earlier.finding == expectation.finding) {
      return reader.Fail(expectation.pos,
                         absl::StrCat("finding \"", expectation.finding, "\" expected twice"),
                         "each finding once");
    }
  }
  *index = static_cast<int>(script_.expectations.size());
  script_.expectations.push_back(expectation);
  return reader.End("end of line (one finding a line)");
}

bool ScriptParser::ParseStep(TokenReader& reader, Line* line) {
  Token label = reader.Peek();
  int expected = static_cast<int>(script_.steps.size()) + 1;
  int64_t number = 0;
  if (!script_.threads.empty() || !script_.conditions.empty()) {
    return reader.Fail(label.pos, "a numbered step behind a thread",
                       "numbered steps before the first thread");
  }
  if (!reader.Number("a step number", 1, std::numeric_limits<int>::max(), &number)) return false;
  if (number != expected) {
    return reader.Fail(
        label.pos,
        absl::StrCat(number < expected ? "second step " : "step ", number,
                     number < expected ? "" : absl::StrCat(" behind step ", expected - 1)),
        absl::StrCat("step ", expected));
  }
  reader.Take();
  Step step;
  step.number = expected;
  if (!StepParser(names_, reader, expected - 1, step).Parse()) return false;
  line->kind = Line::Kind::kStep;
  line->index = expected - 1;
  script_.steps.push_back(std::move(step));
  return true;
}

bool ScriptParser::ParseThreadStep(TokenReader& reader, int thread, Line* line) {
  Token label = reader.Peek();
  size_t threads = script_.threads.size();
  if (!script_.conditions.empty()) {
    return reader.Fail(label.pos, "a thread behind a condition",
                       "threads before the first condition");
  }
  if (static_cast<size_t>(thread) > threads) {
    return reader.Fail(label.pos, absl::StrCat("thread ", label.text, " before P", threads),
                       "threads numbered from P0 without gaps");
  }
  reader.Take();
  reader.Take();
  Step step;
  step.thread = thread;
  step.number = static_cast<size_t>(thread) < threads
                    ? static_cast<int>(script_.threads[thread].size()) + 1
                    : 1;
  if (!StepParser(names_, reader, static_cast<int>(script_.steps.size()), step).Parse())
    return false;
  if (static_cast<size_t>(thread) == threads) script_.threads.emplace_back();
  line->kind = Line::Kind::kThreadStep;
  line->thread = thread;
  line->index = step.number - 1;
  script_.threads[thread].push_back(std::move(step));
  return true;
}

bool ScriptParser::ParseCondition(TokenReader& reader, Condition::Quantifier quantifier,
                                  Line* line) {
  Condition condition;
  condition.quantifier = quantifier;
  condition.pos = reader.Peek().pos;
  if (script_.threads.empty()) {
    return reader.Fail(condition.pos, "a condition without threads",
                       "threads such as \"P0: open c A\" before it");
  }
  reader.Take();
  if (!ConditionParser(script_, reader).Parse(&condition.expr)) return false;
  line->kind = Line::Kind::kCondition;
  line->index = static_cast<int>(script_.conditions.size());
  script_.conditions.push_back(std::move(condition));
  return true;
}

absl::Status FileError(const std::string& path, absl::string_view found) {
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": ", found, ", expected a readable script file"));
}

// Reads all of an open file, up to kMaxFileBytes. Returns 0 or an errno; EFBIG: longer than that.
int ReadAll(int fd, std::string* text) {
  char buffer[65536];
  while (true) {
    ssize_t got = read(fd, buffer, sizeof(buffer));
    if (got == 0) return 0;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    text->append(buffer, static_cast<size_t>(got));
    if (text->size() > kMaxFileBytes) return EFBIG;
  }
}

}  // namespace

absl::StatusOr<Script> ParseScript(absl::string_view name, absl::string_view text) {
  Script script;
  script.name = std::string(name);
  Diagnostics diagnostics(name);
  if (!ScriptParser(script, diagnostics).Parse(text)) return diagnostics.status();
  return script;
}

bool TakesHold(Op op) { return FindOption(op, "hold") != nullptr; }

absl::StatusOr<Condition::Expr> ParseOutcome(const Script& script, absl::string_view name,
                                             absl::string_view text) {
  Diagnostics diagnostics(name);
  if (!CheckText(text, diagnostics)) return diagnostics.status();
  const LexedLine line = LexLine(text, 1);
  TokenReader reader(line.tokens, diagnostics);
  Condition::Expr expr;
  if (script.threads.empty()) {
    diagnostics.Fail({1, 1}, "a condition on a script without threads",
                     "a litmus script; a sequence asks by the results of its steps");
    return diagnostics.status();
  }
  if (!ConditionParser(script, reader).Parse(&expr)) return diagnostics.status();
  return expr;
}

absl::StatusOr<Script> ParseScriptFile(const std::string& path) {
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return FileError(path, strerror(errno));
  std::string text;
  int error = ReadAll(fd, &text);
  close(fd);
  if (error != 0) return FileError(path, strerror(error));
  return ParseScript(path, text);
}

}  // namespace iomode
