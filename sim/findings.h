// SPDX-License-Identifier: GPL-2.0-only
//
// Findings: what the built-in checks report. A finding names the rule that is broken, the object,
// and the task and kernel function that broke it.

#ifndef SIM_FINDINGS_H_
#define SIM_FINDINGS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace iomode {

enum class FindingKind : uint8_t {
  kWarn,         // a WARN_ON of the kernel would fire
  kAccounting,   // a counter, bit or reference disagrees with who holds it
  kUseAfterPut,  // an object is used after its last put
  kDoublePut,    // a reference is dropped that nobody holds
  kLeak,         // an object is never freed
  kLostWakeup,   // at rest, a task sleeps although its condition holds
  kDeadlock,     // tasks wait for each other and nothing is left that could wake them
  kStarvation,   // new parallel writes can keep a cached opener asleep for ever
  kFalseBusy,    // a write that could run in parallel is refused and serialised
  kStalePage,    // a cached page is older than what the server has been told to store
};
inline constexpr int kFindingKinds = 10;

// "lost-wakeup" and so on, as `expect` names them.
const char* FindingName(FindingKind kind);
std::optional<FindingKind> FindingFromName(const std::string& name);
// "warn, accounting, ...", for error messages.
std::string FindingNames();

struct Finding {
  FindingKind kind = FindingKind::kWarn;
  std::string rule;      // what is broken: "WARN_ON(ff->iomode != IOM_UNCACHED)"
  std::string object;    // which object, and its state: "inode A: iocachectr=-1 ..."
  std::string task;      // who: "step 4 (open c A KEEP_CACHE)"
  std::string function;  // where: "fuse_file_cached_io_open"

  friend bool operator==(const Finding&, const Finding&) = default;
  friend auto operator<=>(const Finding&, const Finding&) = default;
};

// "lost-wakeup: ... (inode A: ...; step 4 (...) in fuse_file_cached_io_open)".
std::string PrintFinding(const Finding& finding);

}  // namespace iomode

#endif  // SIM_FINDINGS_H_
