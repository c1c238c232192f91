// SPDX-License-Identifier: GPL-2.0-only

#include "sim/access_recorder.h"

#include <cstring>

namespace iomode {
namespace {

// Sizes are 0 while nothing is recorded.
struct Recording {
  const uint8_t* arena;
  size_t shared_bytes;
  size_t arena_bytes;
  size_t stack;  // of the task that runs: where in the arena
  size_t stack_bytes;
  uint64_t* lanes;
  bool other_stacks;
};

// Of this model an access needs no call.
__attribute__((tls_model("initial-exec"))) constinit thread_local Recording recording = {};

}  // namespace

AccessRecorder::AccessRecorder(const Scheduler& scheduler)
    : scheduler_(scheduler), lanes_(scheduler.shared_used() / 16 / 64 + 1) {}

void AccessRecorder::Start(int slot) {
  lanes_.assign(lanes_.size(), 0);
  recording = {.arena = scheduler_.shared(),
               .shared_bytes = scheduler_.shared_used(),
               .arena_bytes = scheduler_.arena_bytes(),
               .stack = static_cast<size_t>(scheduler_.stack_top(slot) - scheduler_.shared()) -
                        scheduler_.stack_size(),
               .stack_bytes = scheduler_.stack_size(),
               .lanes = lanes_.data(),
               .other_stacks = false};
}

void AccessRecorder::Stop() {
  other_stacks_ = recording.other_stacks;
  recording = {};
}

// Uses registers only: what it left on the stack would be found in the holes of frames.
inline void NoteAccess(const void* address, size_t bytes) {
  Recording& r = recording;
  const auto at = static_cast<size_t>(static_cast<const uint8_t*>(address) - r.arena);
  if (at < r.shared_bytes) {
    for (size_t lane = at / 16; lane <= (at + bytes - 1) / 16; lane++)
      r.lanes[lane / 64] |= uint64_t{1} << (lane % 64);
  } else if (at < r.arena_bytes && at - r.stack >= r.stack_bytes) {
    r.other_stacks = true;
  }
}

}  // namespace iomode

// What gcc calls with -fsanitize=kernel-address. A sanitizer's own library has them, too.
#ifdef SIM_REPORTS_ACCESSES
extern "C" {

void __asan_load1_noabort(const void* at) { iomode::NoteAccess(at, 1); }
void __asan_load2_noabort(const void* at) { iomode::NoteAccess(at, 2); }
void __asan_load4_noabort(const void* at) { iomode::NoteAccess(at, 4); }
void __asan_load8_noabort(const void* at) { iomode::NoteAccess(at, 8); }
void __asan_load16_noabort(const void* at) { iomode::NoteAccess(at, 16); }
void __asan_loadN_noabort(const void* at, size_t n) { iomode::NoteAccess(at, n); }
void __asan_store1_noabort(const void* at) { iomode::NoteAccess(at, 1); }
void __asan_store2_noabort(const void* at) { iomode::NoteAccess(at, 2); }
void __asan_store4_noabort(const void* at) { iomode::NoteAccess(at, 4); }
void __asan_store8_noabort(const void* at) { iomode::NoteAccess(at, 8); }
void __asan_store16_noabort(const void* at) { iomode::NoteAccess(at, 16); }
void __asan_storeN_noabort(const void* at, size_t n) { iomode::NoteAccess(at, n); }
// Instead of the library's: sim/reported_memory.h.
void* iomode_reported_memcpy(void* to, const void* from, size_t n) {
  if (n > 0) iomode::NoteAccess(from, n), iomode::NoteAccess(to, n);
  return std::memcpy(to, from, n);
}
void* iomode_reported_memmove(void* to, const void* from, size_t n) {
  if (n > 0) iomode::NoteAccess(from, n), iomode::NoteAccess(to, n);
  return std::memmove(to, from, n);
}
void* iomode_reported_memset(void* to, int byte, size_t n) {
  if (n > 0) iomode::NoteAccess(to, n);
  return std::memset(to, byte, n);
}
int iomode_reported_memcmp(const void* a, const void* b, size_t n) {
  if (n > 0) iomode::NoteAccess(a, n), iomode::NoteAccess(b, n);
  return std::memcmp(a, b, n);
}

void __asan_handle_no_return() {}
void __asan_before_dynamic_init(const char*) {}
void __asan_after_dynamic_init() {}

}  // extern "C"
#endif
