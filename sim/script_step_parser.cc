// SPDX-License-Identifier: GPL-2.0-only

#include "sim/script_step_parser.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "sim/script_options.h"
#include "sim/script_words.h"

namespace iomode {
namespace {

constexpr int64_t kMaxBytes = int64_t{1} << 30;        // offsets and lengths
constexpr int64_t kMaxWaitMs = 60 * 60 * 1000;         // an hour
constexpr int64_t kMaxCpu = 4095;                      // for hints
constexpr int64_t kMaxFlags = (int64_t{1} << 32) - 1;  // struct fuse_backing_map::flags is a u32
constexpr int64_t kMaxInt = std::numeric_limits<int64_t>::max();
constexpr int64_t kMinId =
    std::numeric_limits<int32_t>::min();  // struct fuse_open_out::backing_id is an s32
constexpr int64_t kMaxId = std::numeric_limits<int32_t>::max();

bool ReadFlags(TokenReader& reader, absl::Span<const FlagName> names, uint32_t* bits,
               std::string* written) {
  if (reader.Peek().text == "0") {
    *written = std::string(reader.Take().text);
    *bits = 0;
    return true;
  }
  std::vector<absl::string_view> words;
  *bits = 0;
  do {
    const Token& token = reader.Peek();
    uint32_t flag = token.kind == Token::Kind::kName ? FlagBits(names, token.text) : 0;
    if (flag == 0) return reader.Unknown("flag", ListNames(names));
    if (std::find(words.begin(), words.end(), token.text) != words.end()) {
      return reader.Fail(token.pos, absl::StrCat("flag ", token.Quoted(), " twice"),
                         "each flag once");
    }
    words.push_back(token.text);
    *bits |= flag;
    reader.Take();
  } while (reader.Accept("|"));
  *written = absl::StrJoin(words, "|");
  return true;
}

bool ReadErrno(TokenReader& reader, int* number) {
  const Token& token = reader.Peek();
  std::optional<int> found;
  if (token.kind == Token::Kind::kName) found = ErrnoFromName(std::string(token.text));
  if (!found.has_value()) return reader.Unknown("errno", "an errno name such as EIO");
  *number = *found;
  reader.Take();
  return true;
}

bool ReadVia(TokenReader& reader, Via* via) {
  reader.Take();
  if (!reader.Punctuation("=", "\"=\" behind via")) return false;
  for (Via known : {Via::kServer, Via::kBacking, Via::kCache}) {
    if (reader.Accept(ViaName(known))) {
      *via = known;
      return true;
    }
  }
  return reader.Unknown("via", "server, backing or cache");
}

}  // namespace

int NameIndex::Find(const std::string& name) const {
  auto found = index_.find(name);
  return found == index_.end() ? -1 : found->second;
}

int NameIndex::Enter(const std::string& name) {
  auto [entry, is_new] = index_.emplace(name, static_cast<int>(names_.size()));
  if (is_new) names_.push_back(name);
  return entry->second;
}

bool ParseResult(TokenReader& reader, Result* result) {
  constexpr absl::string_view kExpected = "a number, an errno name, blocked or KILLED";
  const Token& token = reader.Peek();
  if (reader.Accept("blocked")) {
    result->kind = Result::Kind::kBlocked;
  } else if (reader.Accept("KILLED")) {
    result->kind = Result::Kind::kKilled;
  } else if (token.kind == Token::Kind::kNumber) {
    result->kind = Result::Kind::kValue;
    if (!reader.Number("a result", 0, kMaxInt, &result->value)) return false;
    if (reader.Peek().IsName("via")) return ReadVia(reader, &result->via);
  } else if (token.kind == Token::Kind::kName) {
    std::optional<int> number = ErrnoFromName(std::string(token.text));
    if (!number.has_value()) return reader.Unknown("result", kExpected);
    result->kind = Result::Kind::kErrno;
    result->value = *number;
    reader.Take();
  } else {
    return reader.Unexpected(kExpected);
  }
  return true;
}

bool StepParser::Parse() {
  const Token& token = reader_.Peek();
  std::optional<Op> op;
  if (token.kind == Token::Kind::kName) op = OpFromName(token.text);
  if (!op.has_value()) return reader_.Unknown("step", "an operation such as open, write or reply");
  step_.op = *op;
  step_.pos = token.pos;
  reader_.Take();
  return Operands() && Options() && Required() && Results();
}

// The arguments that go by position.
bool StepParser::Operands() {
  switch (step_.op) {
    case Op::kBackingOpen:
      return DeclaredBacking();
    case Op::kBackingClose:
      return reader_.Peek().Is("#") ? BackingId() : DeclaredBacking();
    case Op::kLoad:
    case Op::kStore:
    case Op::kMsync:
    case Op::kMunmap:
      return Map();
    case Op::kReply:
      return Reply();
    case Op::kIntr:
      return StepReference(&step_.argument);
    case Op::kWait:
      return reader_.Number("milliseconds", 0, kMaxWaitMs, &step_.argument);
    case Op::kHog:
      return reader_.Number("a cpu", 0, kMaxCpu, &step_.argument);
    case Op::kAbort:
    case Op::kUnhog:
      return true;
    default:
      return OperandsOfFile();
  }
}

bool StepParser::OperandsOfFile() {
  if (step_.op == Op::kMmap && !Map()) return false;
  if (!File()) return false;
  std::string name;
  Position pos;
  switch (step_.op) {
    case Op::kOpen:
      if (!reader_.Name("the name of an inode", &name, &pos)) return false;
      step_.inode = names_.inodes.Find(name);
      if (step_.inode < 0) {
        return reader_.Fail(
            pos, absl::StrCat("no inode \"", name, "\""),
            absl::StrCat("a declared one (\"inode ", name, "\" before the first step)"));
      }
      return OpenFlags();
    case Op::kDup:
      if (!reader_.Name("the name of the file to duplicate", &name, &step_.source_pos))
        return false;
      step_.source = names_.files.Enter(name);
      return true;
    case Op::kMmap:
      if (reader_.Accept("shared")) {
        step_.shared = true;
        return true;
      }
      return reader_.Accept("private") || reader_.Unexpected("shared or private");
    case Op::kSetfl:
      return ReadFlags(reader_, SetflFlagNames(), &step_.open_flags, &step_.open_written);
    case Op::kTruncate:
      return reader_.Number("a size", 0, kMaxBytes, &step_.argument);
    default:
      return true;
  }
}

bool StepParser::Reply() {
  do {
    int64_t number = 0;
    if (!StepReference(&number)) return false;
    step_.targets.push_back(static_cast<int>(number));
  } while (reader_.Accept(","));
  bool has_errno = reader_.Peek().kind == Token::Kind::kName && !reader_.Peek(1).Is("=");
  return !has_errno || ReadErrno(reader_, &step_.error);
}

// The server's flags may be left out; then an option, the results or the end follow.
bool StepParser::OpenFlags() {
  const Token& token = reader_.Peek();
  bool option =
      token.kind == Token::Kind::kName && (reader_.Peek(1).Is("=") || token.text == "hold");
  bool flags = (token.kind == Token::Kind::kName && !option) || token.kind == Token::Kind::kNumber;
  return !flags || ReadFlags(reader_, FopenFlagNames(), &step_.fopen_flags, &step_.fopen_written);
}

bool StepParser::DeclaredBacking() {
  std::string name;
  Position pos;
  if (!reader_.Name("the name of a backing", &name, &pos)) return false;
  step_.backing = names_.backings.Find(name);
  if (step_.backing >= 0) return true;
  return reader_.Fail(
      pos, absl::StrCat("no backing \"", name, "\""),
      absl::StrCat("a declared one (\"backing ", name, "\" before the first step)"));
}

bool StepParser::BackingId() {
  reader_.Take();
  int64_t id = 0;
  if (!reader_.Peek().glued) return reader_.Unexpected("a backing id right behind \"#\"");
  if (!reader_.Number("a backing id", kMinId, kMaxId, &id)) return false;
  step_.backing_id = id;
  return true;
}

bool StepParser::File() {
  std::string name;
  if (!reader_.Name("the name of a file", &name, &step_.file_pos)) return false;
  step_.file = names_.files.Enter(name);
  return true;
}

bool StepParser::Map() {
  std::string name;
  if (!reader_.Name("the name of a map", &name, &step_.map_pos)) return false;
  step_.map = names_.maps.Enter(name);
  return true;
}

bool StepParser::StepReference(int64_t* number) {
  Position pos = reader_.Peek().pos;
  if (!reader_.Number("a step", 1, std::numeric_limits<int>::max(), number)) return false;
  if (*number <= earlier_) return true;
  std::string found = absl::StrCat("step ", *number, " is not an earlier step");
  return reader_.Fail(pos, found,
                      earlier_ > 0 ? absl::StrCat("1 to ", earlier_) : "a step before it");
}

bool StepParser::Options() {
  std::string expected = ListOptions(step_.op);
  while (!reader_.AtEnd() && !reader_.Peek().Is("->")) {
    if (!Option(expected)) return false;
  }
  return true;
}

bool StepParser::Option(const std::string& expected) {
  const Token token = reader_.Peek();
  const OptionName* option =
      token.kind == Token::Kind::kName ? FindOption(step_.op, token.text) : nullptr;
  if (option == nullptr) {
    return token.kind == Token::Kind::kName ? reader_.Unknown("argument", expected)
                                            : reader_.Unexpected(expected);
  }
  if (seen_ & option->bit)
    return reader_.Fail(token.pos, absl::StrCat(token.Quoted(), " twice"), "it once");
  seen_ |= option->bit;
  reader_.Take();
  if (option->bit == OPTION_HOLD || option->bit == OPTION_HOLD_CLOSE) {
    if (step_.thread >= 0) {
      return reader_.Fail(
          token.pos, "hold in a thread",
          "it in set-up steps only: a thread's requests are answered at every later moment");
    }
    return HoldOption();
  }
  if (option->bit == OPTION_APPEND) return step_.append = true;
  if (option->bit == OPTION_READ_ONLY) return step_.read_only = true;
  if (!reader_.Peek().Is("=") || !reader_.Peek().glued || !reader_.Peek(1).glued) {
    return reader_.Unexpected(absl::StrCat("\"", option->shape, "\" without spaces"));
  }
  reader_.Take();
  return OptionValue(option->key);
}

bool StepParser::OptionValue(absl::string_view key) {
  int64_t number = 0;
  if (key == "off" || key == "len") {
    bool is_len = key == "len";
    if (!reader_.Number(is_len ? "a length" : "an offset", is_len ? 1 : 0, kMaxBytes, &number))
      return false;
    (is_len ? step_.len : step_.off) = number;
    return true;
  }
  if (key == "backing") return reader_.Peek().Is("#") ? BackingId() : DeclaredBacking();
  if (key == "o") return AccessOption();
  if (key == "err") return ReadErrno(reader_, &step_.error);
  if (key == "flags") return reader_.Number("flags", 0, kMaxFlags, &step_.argument);
  if (key == "cpu") {
    if (!reader_.Number("a cpu", 0, kMaxCpu, &number)) return false;
    step_.cpu = static_cast<int>(number);
    return true;
  }
  if (!reader_.Accept("idle")) return reader_.Unknown("scheduling class", "idle");
  return step_.sched_idle = true;
}

bool StepParser::HoldOption() {
  if (step_.op != Op::kClose) {
    step_.hold = Hold::kRequest;
    return true;
  }
  if (!reader_.Accept("=")) {
    step_.hold = Hold::kRequest;
    return true;
  }
  if (reader_.Accept("FLUSH")) {
    step_.hold = Hold::kFlush;
  } else if (reader_.Accept("RELEASE")) {
    step_.hold = Hold::kRelease;
  } else {
    return reader_.Unknown("request", "FLUSH or RELEASE");
  }
  return true;
}

bool StepParser::AccessOption() {
  Position pos = reader_.Peek().pos;
  if (!ReadFlags(reader_, OpenFlagNames(), &step_.open_flags, &step_.open_written)) return false;
  int modes = 0;
  for (absl::string_view word : absl::StrSplit(step_.open_written, '|')) {
    modes += word == "RDONLY" || word == "WRONLY" || word == "RDWR";
  }
  if (modes == 0) step_.open_flags |= OPEN_READ | OPEN_WRITE;
  return modes <= 1 ||
         reader_.Fail(pos, "more than one access mode in o=", "one of RDONLY, WRONLY and RDWR");
}

bool StepParser::Required() {
  if (step_.op != Op::kFallocate || step_.len.has_value()) return true;
  return reader_.Fail(step_.pos, "fallocate without a length", "len=N");
}

bool StepParser::Results() {
  if (reader_.AtEnd()) return true;
  if (step_.thread >= 0) {
    return reader_.Unexpected("end of line (results of threads go into conditions)");
  }
  reader_.Take();
  step_.has_result = true;
  step_.result_pos = reader_.Peek().pos;
  if (!ReadAlternatives(&step_.result)) return false;
  while (reader_.Accept(";")) {
    if (!CompletionOf()) return false;
  }
  return reader_.End("\"|\", \";\" or end of line");
}

bool StepParser::CompletionOf() {
  Completion completion;
  completion.pos = reader_.Peek().pos;
  int64_t number = 0;
  if (!StepReference(&number)) return false;
  if (!step_.completions.empty() && number <= step_.completions.back().step) {
    return reader_.Fail(completion.pos,
                        absl::StrCat("completion of step ", number, " behind that of step ",
                                     step_.completions.back().step),
                        "completions in ascending order");
  }
  completion.step = static_cast<int>(number);
  if (!reader_.Punctuation("->", "\"->\"") || !ReadAlternatives(&completion.results)) return false;
  step_.completions.push_back(completion);
  return true;
}

bool StepParser::ReadAlternatives(Alternatives* results) {
  do {
    Result result;
    Position pos = reader_.Peek().pos;
    if (!ParseResult(reader_, &result)) return false;
    if (std::find(results->begin(), results->end(), result) != results->end()) {
      return reader_.Fail(pos, absl::StrCat("result ", PrintResult(result), " twice"),
                          "each alternative once");
    }
    results->push_back(result);
  } while (reader_.Accept("|"));
  return true;
}

}  // namespace iomode
