// SPDX-License-Identifier: GPL-2.0-only
//
// Tokens of the `.iom` text, and a reader that walks over one line's tokens and records the first
// error. Private to the script parser.
//
// A Diagnostics latches: after the first Fail every later one is ignored, and every function of the
// parser that returns false has called Fail. Tokens point into the text that was lexed, which must
// outlive them.

#ifndef SIM_SCRIPT_LEXER_H_
#define SIM_SCRIPT_LEXER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sim/script.h"

namespace iomode {

// Longest line that is read, in bytes.
inline constexpr size_t kMaxLineBytes = 4096;

class Diagnostics {
 public:
  explicit Diagnostics(absl::string_view name) : name_(name) {}

  // Records "name:line:column: FOUND, expected EXPECTED". Returns false always, so that a parser
  // can return it.
  bool Fail(Position pos, absl::string_view found, absl::string_view expected);

  const absl::Status& status() const { return status_; }

 private:
  std::string name_;
  absl::Status status_;
};

struct Token {
  // kWord: anything that starts as a number or name and is neither, such as "4k".
  enum class Kind : uint8_t { kEnd, kName, kNumber, kWord, kPunctuation };
  Kind kind = Kind::kEnd;
  absl::string_view text;
  Position pos;
  bool glued = false;  // no space before it; true for kEnd

  bool Is(absl::string_view punctuation) const {
    return kind == Kind::kPunctuation && text == punctuation;
  }
  bool IsName(absl::string_view name) const { return kind == Kind::kName && text == name; }
  std::string Quoted() const;  // for messages: "\"foo\"" or "end of line"
};

struct LexedLine {
  std::vector<Token> tokens;  // the last one is kEnd, at the end of the text before the comment
  std::string comment;        // with its '#'
  int gap = 0;                // white space before the comment
};

// Splits one line, which has no line end. `#` begins a comment, except in the id of `backing=#ID`
// and `backing_close #ID`. Never fails: a character that has no place becomes a punctuation token.
LexedLine LexLine(absl::string_view text, int line);

// False, with an error, for a text that cannot be a script: control characters, bytes that are not
// UTF-8, too long lines.
bool CheckText(absl::string_view text, Diagnostics& diagnostics);

// Walks over the tokens of one line. Every function that returns false has recorded an error.
class TokenReader {
 public:
  TokenReader(const std::vector<Token>& tokens, Diagnostics& diagnostics)
      : tokens_(tokens), diagnostics_(diagnostics) {}

  const Token& Peek(size_t ahead = 0) const;
  Token Take();
  bool AtEnd() const { return Peek().kind == Token::Kind::kEnd; }
  // Takes the next token if it is this punctuation or name.
  bool Accept(absl::string_view text);

  // Reads a name; `what` says whose, for the message.
  bool Name(absl::string_view what, std::string* name, Position* pos);
  // Reads a number within [low, high].
  bool Number(absl::string_view what, int64_t low, int64_t high, int64_t* number);
  bool Punctuation(absl::string_view text, absl::string_view expected);
  bool End(absl::string_view expected);

  // Fails at the next token: "unexpected TOKEN, expected EXPECTED" or "unknown WHAT TOKEN, expected
  // EXPECTED".
  bool Unexpected(absl::string_view expected);
  bool Unknown(absl::string_view what, absl::string_view expected);
  bool Fail(Position pos, absl::string_view found, absl::string_view expected) {
    return diagnostics_.Fail(pos, found, expected);
  }

 private:
  const std::vector<Token>& tokens_;
  Diagnostics& diagnostics_;
  size_t next_ = 0;
};

}  // namespace iomode

#endif  // SIM_SCRIPT_LEXER_H_
