// SPDX-License-Identifier: GPL-2.0-only

#include "props/random_script.h"

#include <rapidcheck.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <iterator>
#include <ostream>
#include <random>
#include <sstream>

#include "props/script_builder.h"
#include "sim/runner.h"

namespace iomode {
namespace {

// What each family's steps are; one entry is one chance.
constexpr Op kCoreOps[] = {
    Op::kOpen,  Op::kWrite, Op::kOpen,     Op::kWrite, Op::kClose, Op::kReply,
    Op::kMmap,  Op::kOpen,  Op::kWrite,    Op::kReply, Op::kRead,  Op::kClose,
    Op::kOpen,  Op::kWrite, Op::kTruncate, Op::kFsync, Op::kDup,   Op::kMunmap,
    Op::kWrite, Op::kSetfl, Op::kReply,    Op::kStat,  Op::kMmap,  Op::kBackingClose,
};
constexpr Op kCacheOps[] = {
    Op::kOpen,  Op::kRead,     Op::kOpen,      Op::kWrite,     Op::kMmap,      Op::kLoad,
    Op::kStore, Op::kClose,    Op::kReply,     Op::kOpen,      Op::kReadahead, Op::kSpliceRead,
    Op::kDup,   Op::kTruncate, Op::kMunmap,    Op::kFsync,     Op::kStat,      Op::kMsync,
    Op::kRead,  Op::kReply,    Op::kFallocate, Op::kSyncRange, Op::kSetfl,     Op::kClose,
};
constexpr Op kAioOps[] = {
    Op::kOpen,  Op::kAioWrite, Op::kOpen,     Op::kAioWrite, Op::kReply, Op::kAioRead,
    Op::kClose, Op::kWrite,    Op::kAioWrite, Op::kReply,    Op::kSetfl, Op::kMmap,
    Op::kOpen,  Op::kTruncate, Op::kRead,     Op::kMunmap,
};
constexpr Op kLifetimeOps[] = {
    Op::kOpen, Op::kWrite,    Op::kOpen,         Op::kClose, Op::kMmap,        Op::kDup,
    Op::kOpen, Op::kAioWrite, Op::kBackingClose, Op::kReply, Op::kBackingOpen, Op::kMunmap,
    Op::kRead, Op::kKill,     Op::kClose,        Op::kAbort, Op::kReadahead,   Op::kWrite,
    Op::kOpen, Op::kReply,    Op::kTruncate,     Op::kOpen,  Op::kWrite,       Op::kClose,
};
constexpr Op kRulesOps[] = {
    Op::kOpen, Op::kWrite, Op::kOpen, Op::kClose, Op::kMmap, Op::kOpen,
    Op::kRead, Op::kWrite, Op::kOpen, Op::kReply, Op::kOpen, Op::kMunmap,
};
constexpr Op kLitmusOps[] = {
    Op::kOpen, Op::kClose, Op::kOpen,         Op::kWrite, Op::kMmap, Op::kClose,
    Op::kOpen, Op::kWrite, Op::kBackingClose, Op::kRead,  Op::kOpen, Op::kDup,
};

template <class Table>
Op Pick(const Table& table, unsigned n) {
  return table[n % std::size(table)];
}

Op PickOp(Family family, unsigned n) {
  switch (family) {
    case Family::kCore:
      return Pick(kCoreOps, n);
    case Family::kCache:
      return Pick(kCacheOps, n);
    case Family::kAio:
      return Pick(kAioOps, n);
    case Family::kLifetimes:
      return Pick(kLifetimeOps, n);
    case Family::kRules:
      return Pick(kRulesOps, n);
  }
  return Op::kOpen;
}

// Most connections have all that the io modes are about; the first gene may take it away or add.
uint32_t PickConn(Family family, const Gene& gene) {
  uint32_t conn = CONN_PASSTHROUGH | CONN_DIRECT_IO_ALLOW_MMAP;
  if (gene.what % 8 == 7) conn &= ~CONN_DIRECT_IO_ALLOW_MMAP;
  if (gene.which % 16 == 15) conn &= ~CONN_PASSTHROUGH;
  if (family == Family::kRules) return conn;
  if (family == Family::kAio || gene.how % 16 == 7) conn |= CONN_ASYNC_DIO;
  if (gene.how % 16 == 8) conn |= CONN_ATOMIC_O_TRUNC;
  if (gene.how % 16 == 9) conn |= CONN_AUTO_INVAL_DATA;
  if (gene.how % 16 == 10) conn |= CONN_NO_ASYNC_READ;
  if (gene.how % 16 == 11) conn |= CONN_WRITEBACK_CACHE;
  if (gene.how % 32 == 12) conn |= CONN_NO_OPEN;
  return conn;
}

// Genes that are few when RapidCheck's size is small; every number shrinks towards 0.
rc::Gen<Genes> GeneLists(int max_genes) {
  const auto number = rc::gen::inRange<int>(0, 256);
  const auto gene = rc::gen::map(
      rc::gen::tuple(number, number, number, number), [](const std::tuple<int, int, int, int>& n) {
        return Gene{static_cast<uint8_t>(std::get<0>(n)), static_cast<uint8_t>(std::get<1>(n)),
                    static_cast<uint8_t>(std::get<2>(n)), static_cast<uint8_t>(std::get<3>(n))};
      });
  return rc::gen::withSize([gene, max_genes](int size) {
    // gen::container draws up to its size many; numbers of a gene need the full size.
    const int most = std::max(12, max_genes * std::min(size, 100) / 100);
    return rc::gen::resize(most, rc::gen::container<Genes>(rc::gen::resize(100, gene)));
  });
}

Genes GenesFromSeed(uint64_t seed, int count) {
  std::mt19937_64 random(seed);
  Genes genes(count);
  for (Gene& gene : genes) {
    const uint64_t bits = random();
    gene = {static_cast<uint8_t>(bits >> 8), static_cast<uint8_t>(bits >> 16),
            static_cast<uint8_t>(bits >> 24), static_cast<uint8_t>(bits >> 32)};
  }
  return genes;
}

// How many threads and steps a litmus script has is the first gene's business.
Script LitmusOfGenes(int max_threads, int max_steps, const Genes& genes) {
  const Gene first = genes.empty() ? Gene{} : genes.front();
  const int threads = 2 + first.which % (max_threads - 1);
  return BuildLitmus(threads, 1 + first.what % max_steps, genes);
}

// The errno of a step whose name stands for nothing; 0 for steps that take none.
int ErrnoForNothing(Op op) {
  switch (op) {
    case Op::kBackingOpen:
    case Op::kBackingClose:
    case Op::kOpen:
    case Op::kReply:
    case Op::kKill:
    case Op::kAbort:
      return 0;
    case Op::kLoad:
    case Op::kStore:
      return EFAULT;
    case Op::kMsync:
      return ENOMEM;
    case Op::kMunmap:
      return EINVAL;
    default:
      return EBADF;
  }
}

bool MayFailWith(const Step& step, int error) {
  return std::any_of(step.result.begin(), step.result.end(), [error](const Result& result) {
    return result.kind == Result::Kind::kErrno && (error < 0 || result.value == error);
  });
}

}  // namespace

Script BuildSequence(Family family, const Genes& genes) {
  const Gene first = genes.empty() ? Gene{} : genes.front();
  ScriptBuilder builder(PickConn(family, first), 1 + first.more % 2, 1 + first.more / 2 % 2);
  for (size_t i = 1; i < genes.size(); i++) builder.Add(PickOp(family, genes[i].what), genes[i]);
  builder.Finish(first);
  return builder.script();
}

Script BuildLitmus(int threads, int steps, const Genes& genes) {
  const Gene first = genes.empty() ? Gene{} : genes.front();
  ScriptBuilder builder(CONN_PASSTHROUGH | CONN_DIRECT_IO_ALLOW_MMAP, 1, 1);
  size_t next = 1;
  const auto gene = [&] { return next < genes.size() ? genes[next++] : Gene{}; };
  for (int i = first.how % 3; i > 0; i--) builder.Add(Op::kOpen, gene());
  for (int t = 0; t < threads; t++) {
    builder.StartThread();
    for (int i = 0; i < steps; i++) {
      const Gene g = gene();
      builder.Add(Pick(kLitmusOps, g.what), g);
    }
    if (builder.script().threads.back().empty()) builder.Add(Op::kOpen, {});
  }
  return builder.script();
}

rc::Gen<Script> Sequences(Family family, int max_genes) {
  return rc::gen::map(GeneLists(max_genes),
                      [family](const Genes& genes) { return BuildSequence(family, genes); });
}

rc::Gen<Script> LitmusScripts(int max_threads, int max_steps) {
  return rc::gen::map(GeneLists(4 + max_threads * max_steps), [=](const Genes& genes) {
    return LitmusOfGenes(max_threads, max_steps, genes);
  });
}

Script SequenceFromSeed(uint64_t seed, int genes) {
  constexpr Family kFamilies[] = {Family::kCore, Family::kCache, Family::kAio, Family::kLifetimes};
  return BuildSequence(kFamilies[seed % std::size(kFamilies)], GenesFromSeed(seed, genes));
}

Script LitmusFromSeed(uint64_t seed, int max_threads, int max_steps) {
  return LitmusOfGenes(max_threads, max_steps, GenesFromSeed(seed, 4 + max_threads * max_steps));
}

Script KeepSteps(const Script& script, const std::vector<bool>& keep) {
  Script kept = script;
  kept.steps.clear();
  std::vector<int> number(script.steps.size() + 1);
  for (const Step& step : script.steps) {
    if (!keep[step.number - 1]) continue;
    Step copy = step;
    std::erase_if(copy.targets, [&number](int target) { return number[target] == 0; });
    if (copy.op == Op::kReply && copy.targets.empty()) continue;
    for (int& target : copy.targets) target = number[target];
    std::erase_if(copy.completions, [&number](const Completion& c) { return !number[c.step]; });
    for (Completion& completion : copy.completions) completion.step = number[completion.step];
    copy.number = number[step.number] = static_cast<int>(kept.steps.size()) + 1;
    kept.steps.push_back(std::move(copy));
  }
  return kept;
}

Script DropUnusable(const Script& script, const RunReport& report) {
  Script recorded = script;
  std::vector<bool> keep(script.steps.size());
  std::vector<bool> failed(script.files.size());  // by file: its open may have failed
  for (size_t i = 0; i < script.steps.size(); i++) {
    Step& step = recorded.steps[i];
    SetResults(report.steps[i], step);
    for (const Completion& completion : step.completions) {
      const Step& opened = script.steps[completion.step - 1];
      if (opened.op != Op::kOpen) continue;
      for (const Result& r : completion.results)
        if (r.kind == Result::Kind::kErrno) failed[opened.file] = true;
    }
    if (step.op == Op::kOpen || step.op == Op::kDup) failed[step.file] = MayFailWith(step, -1);
    const int nothing = ErrnoForNothing(step.op);
    keep[i] = !(nothing != 0 && MayFailWith(step, nothing)) &&
              !(step.op == Op::kKill && failed[step.file]);
  }
  return KeepSteps(recorded, keep);
}

namespace {

char crash_text[1 << 14];
size_t crash_bytes = 0;

extern "C" void OnCrash(int signal) {
  std::signal(signal, SIG_DFL);
  if (write(STDERR_FILENO, crash_text, crash_bytes) >= 0) std::raise(signal);
}

}  // namespace

void PrintOnCrash(const Script& script) {
  std::ostringstream text;
  text << "crashed in:\n";
  showValue(script, text);
  crash_bytes = text.str().copy(crash_text, sizeof(crash_text));
  std::signal(SIGSEGV, OnCrash);
  std::signal(SIGABRT, OnCrash);
}

void showValue(const Script& script, std::ostream& out) {
  out << "\n"
      << PrintScript(script) << "(to run it: put the lines above into a file, then\n"
      << " ./iomode " << (script.is_litmus() ? "check" : "run --state") << " FILE)\n";
}

}  // namespace iomode
