// SPDX-License-Identifier: GPL-2.0-only

#include "conformance/agent/provenance.h"

namespace iomode::agent {
namespace {

bool IsAccess(Op op) { return op == Op::kLoad || op == Op::kStore; }

bool Writes(Op op) { return op == Op::kWrite || op == Op::kAioWrite; }

bool MovesData(Op op) {
  return Writes(op) || IsAccess(op) || op == Op::kRead || op == Op::kAioRead ||
         op == Op::kSpliceRead;
}

// Whether the kernel sends this step's data to the backing file, as far as the server's OPEN reply
// tells. A mapping of a passthrough file is its backing file's even where reads and writes go to
// the server. With no_open no OPEN has such a reply.
bool IsPassthrough(const Script& script, const StepBook& book, const StepRun& run) {
  if (run.opened_by == 0 || (script.conn & CONN_PASSTHROUGH) == 0) return false;
  if (script.conn & CONN_NO_OPEN) return false;
  const uint32_t flags = book.at(run.opened_by).step->fopen_flags;
  return (flags & FOPEN_PASSTHROUGH) && (IsAccess(run.step->op) || !(flags & FOPEN_DIRECT_IO));
}

// Whether the bytes that step `number` wrote are a backing file's.
bool WentToBacking(const Script& script, const StepBook& book, int number) {
  const StepRun& writer = book.at(number);
  if (writer.done && writer.result.via != Via::kNone) return writer.result.via == Via::kBacking;
  return IsPassthrough(script, book, writer);
}

}  // namespace

Via DecideVia(const Script& script, const StepBook& book, const StepRun& run,
              const BackingFiles& backings) {
  const Op op = run.step->op;
  if (!MovesData(op)) return Via::kNone;
  if (run.reached_server) return Via::kServer;
  if (run.result.value == 0 && !IsAccess(op)) return Via::kNone;
  const Via by_file = IsPassthrough(script, book, run) ? Via::kBacking : Via::kCache;
  if (Writes(op)) {
    return backings.Hold(SourceOfStep(run.step->number)) ? Via::kBacking : by_file;
  }
  Via via = by_file;
  for (Source source : run.sources) {
    const int writer = StepOfSource(source);
    // A store reads the rest of its page only after it has written.
    if (writer == run.step->number) continue;
    const bool backing =
        writer >= 0 ? WentToBacking(script, book, writer) : BackingOfSource(source) >= 0;
    if (backing) return Via::kBacking;
    via = Via::kCache;
  }
  return via;
}

}  // namespace iomode::agent
