// SPDX-License-Identifier: GPL-2.0-only
//
// Any bytes as a script: the parser accepts them or says where they are wrong, and what it accepts
// survives printing and parsing again.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "sim/script_parser.h"

namespace {

[[noreturn]] void Fail(const std::string& what, const std::string& text) {
  std::fprintf(stderr, "%s\n%s\n", what.c_str(), text.c_str());
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<iomode::Script> script = iomode::ParseScript("fuzz.iom", text);
  if (!script.ok()) {
    const std::string message(script.status().message());
    if (message.rfind("fuzz.iom:", 0) != 0) Fail("an error without a place: " + message, text);
    return 0;
  }
  const std::string printed = iomode::PrintScript(*script);
  const absl::StatusOr<iomode::Script> again = iomode::ParseScript("fuzz.iom", printed);
  if (!again.ok())
    Fail("what was printed does not parse: " + std::string(again.status().message()), printed);
  if (iomode::PrintScript(*again) != printed) Fail("printing twice differs", printed);
  return 0;
}
