// SPDX-License-Identifier: GPL-2.0-only

#include "sim/script_lexer.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace iomode {
namespace {

constexpr absl::string_view kPairs[] = {"->", "&&", "||", "==", "!="};

bool IsNameChar(char c) { return absl::ascii_isalnum(c) || c == '_'; }

char At(absl::string_view text, size_t i) { return i < text.size() ? text[i] : '\0'; }

// Length of the UTF-8 sequence that starts at text[i], 0 if none does. Overlong forms and
// surrogates are not told apart: this only keeps binary files out.
size_t Utf8Length(absl::string_view text, size_t i) {
  unsigned char lead = static_cast<unsigned char>(text[i]);
  size_t length = lead < 0x80                   ? 1
                  : lead >= 0xc2 && lead < 0xe0 ? 2
                  : lead >= 0xe0 && lead < 0xf0 ? 3
                  : lead >= 0xf0 && lead < 0xf5 ? 4
                                                : 0;
  for (size_t k = 1; k < length; ++k) {
    if ((static_cast<unsigned char>(At(text, i + k)) & 0xc0) != 0x80) return 0;
  }
  return length;
}

// End of the name or number that starts at text[start]; '-' belongs to it between two name
// characters.
size_t WordEnd(absl::string_view text, size_t start) {
  size_t end = start + 1;
  while (end < text.size() &&
         (IsNameChar(text[end]) || (text[end] == '-' && IsNameChar(At(text, end + 1)))))
    ++end;
  return end;
}

Token::Kind WordKind(absl::string_view word) {
  if (absl::ascii_isalpha(word[0]) || word[0] == '_') return Token::Kind::kName;
  absl::string_view digits = word[0] == '-' ? word.substr(1) : word;
  return std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit) ? Token::Kind::kNumber
                                                                        : Token::Kind::kWord;
}

bool StartsId(const std::vector<Token>& tokens, absl::string_view text, size_t hash) {
  size_t n = tokens.size();
  if (n >= 2 && tokens[n - 1].Is("=") && tokens[n - 2].IsName("backing") && hash > 0 &&
      text[hash - 1] == '=') {
    return true;
  }
  char next = At(text, hash + 1);
  return n >= 1 && tokens[n - 1].IsName("backing_close") &&
         (absl::ascii_isdigit(next) || next == '-');
}

Token LexToken(absl::string_view text, size_t start) {
  Token token;
  char c = text[start];
  bool signed_number = c == '-' && absl::ascii_isdigit(At(text, start + 1));
  if (IsNameChar(c) || signed_number) {
    token.text = text.substr(start, WordEnd(text, start) - start);
    token.kind = WordKind(token.text);
    return token;
  }
  token.kind = Token::Kind::kPunctuation;
  bool pair =
      std::find(std::begin(kPairs), std::end(kPairs), text.substr(start, 2)) != std::end(kPairs);
  token.text = text.substr(start, pair ? 2 : std::max<size_t>(1, Utf8Length(text, start)));
  return token;
}

bool CheckLine(absl::string_view text, int line, Diagnostics& diagnostics) {
  if (text.size() > kMaxLineBytes) {
    return diagnostics.Fail({line, static_cast<int>(kMaxLineBytes) + 1},
                            absl::StrCat("line of ", text.size(), " bytes"),
                            absl::StrCat("at most ", kMaxLineBytes));
  }
  for (size_t i = 0; i < text.size();) {
    unsigned char c = static_cast<unsigned char>(text[i]);
    size_t length = Utf8Length(text, i);
    if (length == 0 || (c < 0x20 && c != '\t') || c == 0x7f) {
      return diagnostics.Fail({line, static_cast<int>(i) + 1}, absl::StrFormat("byte 0x%02x", c),
                              "text (is this a script?)");
    }
    i += length;
  }
  return true;
}

}  // namespace

bool Diagnostics::Fail(Position pos, absl::string_view found, absl::string_view expected) {
  if (status_.ok()) {
    status_ = absl::InvalidArgumentError(
        absl::StrCat(name_, ":", pos.line, ":", pos.column, ": ", found, ", expected ", expected));
  }
  return false;
}

std::string Token::Quoted() const {
  return kind == Kind::kEnd ? std::string("end of line") : absl::StrCat("\"", text, "\"");
}

LexedLine LexLine(absl::string_view text, int line) {
  LexedLine lexed;
  size_t i = 0;
  size_t token_end = 0;
  while (true) {
    while (i < text.size() && (text[i] == ' ' || text[i] == '\t')) ++i;
    if (i >= text.size()) break;
    if (text[i] == '#' && !StartsId(lexed.tokens, text, i)) {
      lexed.comment = std::string(absl::StripTrailingAsciiWhitespace(text.substr(i)));
      lexed.gap = static_cast<int>(i - token_end);
      break;
    }
    Token token = LexToken(text, i);
    token.pos = {line, static_cast<int>(i) + 1};
    token.glued = i == token_end && !lexed.tokens.empty();
    i = token_end = i + token.text.size();
    lexed.tokens.push_back(token);
  }
  Token end;
  end.pos = {line, static_cast<int>(token_end) + 1};
  end.glued = true;
  lexed.tokens.push_back(end);
  return lexed;
}

bool CheckText(absl::string_view text, Diagnostics& diagnostics) {
  int line = 1;
  for (size_t start = 0; start < text.size(); ++line) {
    size_t end = std::min(text.find('\n', start), text.size());
    absl::string_view content = text.substr(start, end - start);
    if (!content.empty() && content.back() == '\r') content.remove_suffix(1);
    if (!CheckLine(content, line, diagnostics)) return false;
    start = end + 1;
  }
  return true;
}

const Token& TokenReader::Peek(size_t ahead) const {
  return tokens_[std::min(next_ + ahead, tokens_.size() - 1)];
}

Token TokenReader::Take() {
  Token token = Peek();
  if (next_ + 1 < tokens_.size()) ++next_;
  return token;
}

bool TokenReader::Accept(absl::string_view text) {
  if (!Peek().Is(text) && !Peek().IsName(text)) return false;
  Take();
  return true;
}

bool TokenReader::Name(absl::string_view what, std::string* name, Position* pos) {
  const Token& token = Peek();
  if (token.kind != Token::Kind::kName) return Unexpected(what);
  *pos = token.pos;
  *name = std::string(token.text);
  Take();
  return true;
}

bool TokenReader::Number(absl::string_view what, int64_t low, int64_t high, int64_t* number) {
  const Token& token = Peek();
  std::string expected = absl::StrCat(what, " from ", low, " to ", high);
  if (token.kind != Token::Kind::kNumber) return Unexpected(expected);
  if (!absl::SimpleAtoi(token.text, number) || *number < low || *number > high) {
    return Fail(token.pos, absl::StrCat(token.text, " is out of range"), expected);
  }
  Take();
  return true;
}

bool TokenReader::Punctuation(absl::string_view text, absl::string_view expected) {
  return Accept(text) || Unexpected(expected);
}

bool TokenReader::End(absl::string_view expected) { return AtEnd() || Unexpected(expected); }

bool TokenReader::Unexpected(absl::string_view expected) {
  return Fail(Peek().pos, absl::StrCat("unexpected ", Peek().Quoted()), expected);
}

bool TokenReader::Unknown(absl::string_view what, absl::string_view expected) {
  if (Peek().kind == Token::Kind::kEnd) return Unexpected(expected);
  return Fail(Peek().pos, absl::StrCat("unknown ", what, " ", Peek().Quoted()), expected);
}

}  // namespace iomode
