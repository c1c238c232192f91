// SPDX-License-Identifier: GPL-2.0-only
//
// What one may say to iomode conform.

#ifndef CLI_CONFORM_FLAGS_H_
#define CLI_CONFORM_FLAGS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "cli/arguments.h"
#include "conformance/kernel/agent_call.h"
#include "conformance/kernel/judgement.h"
#include "conformance/kernel/kernel_build.h"
#include "conformance/kernel/qemu_runs.h"

namespace iomode {

struct ConformFlags {
  std::vector<std::string> paths;
  bool tour = false;
  int trace = 0;  // loads
  uint64_t seed = 1;
  std::string on = "native";
  std::string kernel;
  std::string as;
  std::string flip;
  std::string junit;
  std::string out;
  conform::AgentOptions agent;
  conform::BuildOptions build;
  conform::GuestOptions guest;
  uint64_t max_states = conform::JudgeOptions().max_states;
  bool ktap = false;
  bool quiet = false;
  bool times = false;
};

// `flags` outlive the command.
void AddConformOptions(Command command, ConformFlags& flags);

}  // namespace iomode

#endif  // CLI_CONFORM_FLAGS_H_
