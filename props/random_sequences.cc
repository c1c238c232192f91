// SPDX-License-Identifier: GPL-2.0-only
//
// Writes random sequential scripts, without results, into a folder: for `iomode conform`, which
// holds a kernel against the model on them (docs/how-to/run-on-your-kernel.md).
//
//   bazel run //props:random_sequences -- --seed=1 --count=1000 --out=/tmp/random
//
// The same flags give the same scripts. A script is named by its seed. Exit code 0; 2 on bad flags
// or when a file cannot be written.

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_format.h"
#include "props/random_script.h"
#include "sim/script.h"

ABSL_FLAG(uint64_t, seed, 1, "of the first script; the others follow");
ABSL_FLAG(int, count, 100, "how many scripts");
ABSL_FLAG(int, genes, 16, "steps of a script, about");
ABSL_FLAG(std::string, out, "", "folder for the scripts; it is made if it is not there");

namespace iomode {
namespace {

int Main() {
  const std::filesystem::path folder = absl::GetFlag(FLAGS_out);
  const int count = absl::GetFlag(FLAGS_count);
  const int genes = absl::GetFlag(FLAGS_genes);
  if (folder.empty() || count < 1 || genes < 1) {
    std::fprintf(stderr, "random_sequences: --out=DIR, and --count and --genes of at least 1\n");
    return 2;
  }
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  for (int i = 0; i < count; i++) {
    const uint64_t seed = absl::GetFlag(FLAGS_seed) + i;
    const std::filesystem::path path = folder / absl::StrFormat("%06d.iom", seed);
    std::ofstream out(path);
    out << PrintScript(SequenceFromSeed(seed, genes));
    if (out.flush()) continue;
    std::fprintf(stderr, "%s: cannot be written\n", path.c_str());
    return 2;
  }
  return 0;
}

}  // namespace
}  // namespace iomode

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("writes random sequential scripts for iomode conform");
  absl::ParseCommandLine(argc, argv);
  return iomode::Main();
}
