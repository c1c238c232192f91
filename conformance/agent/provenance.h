// SPDX-License-Identifier: GPL-2.0-only
//
// Decides `via=`: where the bytes of a finished step came from or went.

#ifndef CONFORMANCE_AGENT_PROVENANCE_H_
#define CONFORMANCE_AGENT_PROVENANCE_H_

#include "conformance/agent/backing_files.h"
#include "conformance/agent/step_book.h"
#include "sim/script.h"

namespace iomode::agent {

// `run` has succeeded with run.result.value. Server: a READ or WRITE of the step's task reached it.
// Else nothing when nothing moved; else what was read says whether it is a backing file's, and what
// was written is found in a backing file or not. Bytes that are nobody's (holes) count as the
// file's: a passthrough file's come from its backing file.
Via DecideVia(const Script& script, const StepBook& book, const StepRun& run,
              const BackingFiles& backings);

}  // namespace iomode::agent

#endif  // CONFORMANCE_AGENT_PROVENANCE_H_
