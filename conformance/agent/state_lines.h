// SPDX-License-Identifier: GPL-2.0-only
//
// The comment lines that `--state` puts behind a step: the requests that the server saw, the steps
// that are blocked and where, and the kernel's state of each inode.

#ifndef CONFORMANCE_AGENT_STATE_LINES_H_
#define CONFORMANCE_AGENT_STATE_LINES_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "conformance/agent/backing_files.h"
#include "conformance/agent/fuse_server.h"
#include "conformance/agent/kernel_state.h"
#include "conformance/agent/step_book.h"
#include "sim/script.h"

namespace iomode::agent {

// Whether a comment is such a line, so that a new run can replace it.
bool IsStateLine(absl::string_view comment);

// "#     req WRITE(A) off=0 len=4096 step=2 held"
std::string RequestLine(const Script& script, const RequestRecord& request);

// "#     blocked 3: [D] fuse_file_cached_io_open<fuse_file_io_open<...", one for each step that is.
std::vector<std::string> BlockedLines(const StepBook& book, const FuseServer& server);

// "#     data 5: W2": whose bytes the finished step met (A: the server's copy of inode A; B1: the
// backing; W2: those that step 2 wrote); "" if it met nobody's.
std::string DataLine(const Script& script, const StepRun& run);

// "#     A: iocachectr=-2 CACHE_IO_MODE=1 fb=B1(refs=2) waiters=1 i_rwsem=S1 pages=0 size=65536"
std::string InodeLine(const Script& script, int inode, const InodeState& state,
                      const BackingFiles& backings);

}  // namespace iomode::agent

#endif  // CONFORMANCE_AGENT_STATE_LINES_H_
