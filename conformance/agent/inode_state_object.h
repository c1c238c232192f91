// SPDX-License-Identifier: GPL-2.0-only
//
// The compiled form of inode_state.bpf.c, an ELF object for libbpf, as bytes of the program. The
// build generates the definition. Constant data.

#ifndef CONFORMANCE_AGENT_INODE_STATE_OBJECT_H_
#define CONFORMANCE_AGENT_INODE_STATE_OBJECT_H_

#include <cstdint>
#include <span>

namespace iomode::agent {

std::span<const uint8_t> InodeStateProgram();

}  // namespace iomode::agent

#endif  // CONFORMANCE_AGENT_INODE_STATE_OBJECT_H_
