// SPDX-License-Identifier: GPL-2.0-only

#include "sim/replay_token.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace iomode {
namespace {

// Longest schedule that a token may ask for.
constexpr uint64_t kMaxSteps = 1'000'000;

void PutNumber(uint64_t n, std::string* bytes) {
  for (; n >= 0x80; n >>= 7) bytes->push_back(static_cast<char>(n | 0x80));
  bytes->push_back(static_cast<char>(n));
}

std::optional<uint64_t> TakeNumber(absl::string_view* bytes) {
  uint64_t n = 0;
  for (int shift = 0; !bytes->empty() && shift < 35; shift += 7) {
    const uint8_t byte = static_cast<uint8_t>(bytes->front());
    bytes->remove_prefix(1);
    n |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return n;
  }
  return std::nullopt;
}

// The run's moves; first the one that goes on with the task that moved last.
std::vector<Move> RankedMoves(const ScriptRun& run) {
  std::vector<Move> moves = run.moves();
  const auto same =
      std::find_if(moves.begin(), moves.end(), [&run](Move move) { return !run.IsSwitch(move); });
  if (same != moves.end()) std::rotate(moves.begin(), same, same + 1);
  return moves;
}

uint32_t Checksum(absl::string_view text) { return TextHash(text) & 0xffff; }

}  // namespace

uint32_t TextHash(absl::string_view text) {
  const Hash128 hash = HashBytes(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  return static_cast<uint32_t>(hash.lo ^ hash.hi >> 32);
}

uint32_t ScriptHash(const Script& script) {
  std::string text =
      absl::StrCat("conn ", script.conn, "\ninodes ", absl::StrJoin(script.inodes, " "),
                   "\nbackings ", absl::StrJoin(script.backings, " "), "\n");
  for (const Step& step : script.steps) absl::StrAppend(&text, PrintStep(script, step), "\n");
  for (const std::vector<Step>& thread : script.threads) {
    for (const Step& step : thread) absl::StrAppend(&text, PrintStep(script, step), "\n");
  }
  return TextHash(text);
}

// Runs of first moves and, between them, which other move was taken; then the rest of first moves.
std::string PackChoices(ScriptRun& run, const Schedule& schedule) {
  std::string bytes;
  uint64_t plain = 0;
  for (const Move move : schedule) {
    const std::vector<Move> moves = RankedMoves(run);
    const auto rank = std::find(moves.begin(), moves.end(), move) - moves.begin();
    if (rank == 0) {
      plain++;
    } else {
      PutNumber(plain, &bytes);
      PutNumber(rank, &bytes);
      plain = 0;
    }
    run.Take(move);
  }
  PutNumber(plain, &bytes);
  return bytes;
}

absl::StatusOr<Schedule> UnpackChoices(ScriptRun& run, absl::string_view choices) {
  const auto misfit = [] {
    return absl::InvalidArgumentError(
        "the token's choices do not fit the script: is it from "
        "another build of the model?");
  };
  Schedule schedule;
  while (true) {
    const std::optional<uint64_t> plain = TakeNumber(&choices);
    if (!plain.has_value() || *plain > kMaxSteps) return misfit();
    const bool last = choices.empty();
    const std::optional<uint64_t> rank = last ? 0 : TakeNumber(&choices);
    if (!rank.has_value()) return misfit();
    for (uint64_t i = 0; i < *plain + !last; i++) {
      const std::vector<Move> moves = RankedMoves(run);
      const uint64_t at = i < *plain ? 0 : *rank;
      if (at >= moves.size() || schedule.size() >= kMaxSteps) return misfit();
      schedule.push_back(moves[at]);
      run.Take(moves[at]);
    }
    if (last) return schedule;
  }
}

std::string PrintToken(const ReplayToken& token) {
  const std::string text =
      absl::StrFormat("%s:%08x:%s:%08x", token.revision, token.script_hash,
                      absl::WebSafeBase64Escape(token.choices), token.events_hash);
  return absl::StrFormat("%s:%04x", text, Checksum(text));
}

absl::StatusOr<ReplayToken> ParseToken(absl::string_view text) {
  const std::vector<std::string> parts = absl::StrSplit(text, ':');
  if (parts.size() != 5) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text,
                     "\" is no replay token, expected REVISION:SCRIPT:CHOICES:EVENTS:CHECKSUM as "
                     "iomode prints it"));
  }
  ReplayToken token;
  token.revision = parts[0];
  const absl::string_view body = text.substr(0, text.rfind(':'));
  const bool good = parts[4] == absl::StrFormat("%04x", Checksum(body)) &&
                    absl::SimpleHexAtoi(parts[1], &token.script_hash) &&
                    absl::WebSafeBase64Unescape(parts[2], &token.choices) &&
                    absl::SimpleHexAtoi(parts[3], &token.events_hash);
  if (!good) {
    return absl::InvalidArgumentError(
        absl::StrCat("replay token \"", text, "\" is damaged: copy it again, all of it"));
  }
  return token;
}

}  // namespace iomode
