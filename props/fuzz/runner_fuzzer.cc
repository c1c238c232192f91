// SPDX-License-Identifier: GPL-2.0-only
//
// Any bytes as a valid script, at some revision, with some faults: run in all interleavings, it
// breaks none of the rules that hold for every script (soundness.h), and its text gives it back.
//
// Bytes 0 to 3 are the revision, what the script is about, and the faults; then four a gene
// (random_script.h).

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "props/random_script.h"
#include "props/soundness.h"
#include "sim/litmus.h"
#include "sim/script_parser.h"

namespace {

using namespace iomode;

constexpr size_t kHeader = 4;
constexpr size_t kMaxGenes = 40;
constexpr uint64_t kMaxStates = 1500;

[[noreturn]] void Fail(const std::string& what, const Script& script) {
  std::fprintf(stderr, "%s\n%s", what.c_str(), PrintScript(script).c_str());
  std::abort();
}

Genes GenesOf(const uint8_t* data, size_t size) {
  Genes genes;
  for (; size >= 4 && genes.size() < kMaxGenes; data += 4, size -= 4)
    genes.push_back({data[0], data[1], data[2], data[3]});
  return genes;
}

void RequireRoundTrip(const Script& script) {
  const std::string printed = PrintScript(script);
  const absl::StatusOr<Script> parsed = ParseScript("fuzz.iom", printed);
  if (!parsed.ok()) Fail(std::string(parsed.status().message()), script);
  if (PrintScript(*parsed) != printed) Fail("printing twice differs", script);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < kHeader) return 0;
  const Revision& revision = Revisions()[data[0] % Revisions().size()];
  const unsigned about = data[1] % 8;
  const Faults faults = {.allocation = static_cast<int16_t>(data[2] % 32),
                         .request = static_cast<int16_t>(data[3] % 64)};
  const Genes genes = GenesOf(data + kHeader, size - kHeader);
  const Script script = about < 5 ? BuildSequence(static_cast<Family>(about), genes)
                                  : BuildLitmus(static_cast<int>(about) - 3, 2, genes);
  RequireRoundTrip(script);
  const RunnerOptions options = {
      .max_states = kMaxStates, .narrow = false, .seed = {}, .watch = nullptr, .faults = faults};
  const std::string forbidden =
      script.is_litmus()
          ? FirstForbidden(
                RunLitmus(script, revision, {.max_states = kMaxStates, .faults = faults}).findings,
                revision)
          : FirstForbidden(Runner(script, revision, options).Run().findings, revision);
  if (!forbidden.empty()) Fail(forbidden, script);
  return 0;
}
