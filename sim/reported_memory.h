// SPDX-License-Identifier: GPL-2.0-only
//
// Included by the compiler before all else in code that reports its accesses (sim/BUILD.bazel): the
// library's functions on memory do not report theirs, so other ones take their place there, which
// do (access_recorder.cc), in what the compiler makes of std::copy and the like, too.

#ifndef SIM_REPORTED_MEMORY_H_
#define SIM_REPORTED_MEMORY_H_

#include <stddef.h>

extern "C" {

void* memcpy(void* to, const void* from, size_t n) noexcept __asm__("iomode_reported_memcpy");
void* memmove(void* to, const void* from, size_t n) noexcept __asm__("iomode_reported_memmove");
void* memset(void* to, int byte, size_t n) noexcept __asm__("iomode_reported_memset");
int memcmp(const void* a, const void* b, size_t n) noexcept __asm__("iomode_reported_memcmp");

}  // extern "C"

#endif  // SIM_REPORTED_MEMORY_H_
