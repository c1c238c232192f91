// SPDX-License-Identifier: GPL-2.0-only
//
// Bytes that tell where they come from. Every source of data (the server's copy of an inode, a
// backing file, a step that writes) has a number, and its bytes spell that number over and over, so
// that any two neighbouring bytes of a read say whose they are, at any offset. Bytes of value zero
// belong to nobody: holes and what lies past a cut.
//
// Pure functions on caller-owned memory; used by the agent and by the processes that make the
// system calls.

#ifndef CONFORMANCE_AGENT_PAYLOAD_H_
#define CONFORMANCE_AGENT_PAYLOAD_H_

#include <cstddef>
#include <cstdint>
#include <span>

namespace iomode::agent {

// 1 ... kMaxSource; 0: nobody.
using Source = uint16_t;
inline constexpr Source kNobody = 0;
inline constexpr int kMaxInodes = 1000;
inline constexpr int kMaxBackings = 1000;
inline constexpr int kMaxSteps = 14000;

inline constexpr Source SourceOfInode(int index) { return static_cast<Source>(1 + index); }
inline constexpr Source SourceOfBacking(int index) {
  return static_cast<Source>(1 + kMaxInodes + index);
}
inline constexpr Source SourceOfStep(int number) {
  return static_cast<Source>(kMaxInodes + kMaxBackings + number);
}
inline constexpr Source kMaxSource = SourceOfStep(kMaxSteps);

// The index of a backing, the number of a step; -1 when `source` is no such thing.
int BackingOfSource(Source source);
int StepOfSource(Source source);
int InodeOfSource(Source source);

// Writes the bytes of `source`; a pure function of it and the size.
void Fill(std::span<uint8_t> bytes, Source source);

// Whose bytes these are, each source once, in the order in which they first appear. Writes as many
// as fit into `found` and returns how many that were.
size_t SourcesOf(std::span<const uint8_t> bytes, std::span<Source> found);

}  // namespace iomode::agent

#endif  // CONFORMANCE_AGENT_PAYLOAD_H_
