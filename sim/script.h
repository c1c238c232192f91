// SPDX-License-Identifier: GPL-2.0-only
//
// A script: one sequence of system calls and server answers (or several threads of them) with the
// results that are claimed for them. The text form is `.iom`; script_parser.h reads it, PrintScript
// writes it.
//
// Names are resolved: a Step refers to files, maps, inodes and backings by index into the Script's
// name tables. One name may be opened again after it was closed or failed to open; both opens share
// the index.
//
// Invariants that the parser establishes: sequential steps are numbered 1..n without gaps; every
// index is in range; every reply and intr target is an earlier step; a litmus script has at least
// one thread.
//
// Plain values: copy freely; no locking needed.

#ifndef SIM_SCRIPT_H_
#define SIM_SCRIPT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/uapi.h"

namespace iomode {

// A place in a script's text; both 1-based. {0, 0}: nowhere.
struct Position {
  int line = 0;
  int column = 0;
};

enum class Op : uint8_t {
  kBackingOpen,
  kBackingClose,
  kOpen,
  kClose,
  kDup,
  kRead,
  kWrite,
  kAioRead,
  kAioWrite,
  kMmap,
  kLoad,
  kStore,
  kMsync,
  kMunmap,
  kReply,
  kSetfl,
  kTruncate,
  kFsync,
  kFallocate,
  kStat,
  kSpliceRead,
  kReadahead,
  kSyncRange,
  kKill,
  kIntr,
  kAbort,
  kWait,
  kHog,
  kUnhog,
};

// Where the bytes of a read, write, load, store or splice came from or went.
enum class Via : uint8_t { kNone, kServer, kBacking, kCache };

// What one step gave. kKilled: the task died of SIGKILL before it could return.
struct Result {
  enum class Kind : uint8_t { kValue, kErrno, kBlocked, kKilled };
  Kind kind = Kind::kValue;
  int64_t value = 0;  // kValue: the return value (>= 0). kErrno: the errno, positive. Else 0.
  Via via = Via::kNone;

  friend bool operator==(const Result&, const Result&) = default;
  friend auto operator<=>(const Result&, const Result&) = default;
};

// Results that are all allowed in one place: `R | R`. Sorted as written; never empty where a result
// is claimed.
using Alternatives = std::vector<Result>;

// `; N -> R` behind a step: the earlier step N completed during it. In an Alternatives with more
// than one entry kBlocked means "or not yet".
struct Completion {
  int step = 0;
  Alternatives results;
  Position pos;
};

// Which request of a step the server holds back: the one the step is about, or a close's FLUSH or
// RELEASE.
enum class Hold : uint8_t { kNone, kRequest, kFlush, kRelease };

struct Step {
  Op op = Op::kWait;
  int number = 0;     // 1-based: in the sequence (or set-up), or within its thread
  int thread = -1;    // -1: sequence or set-up; else the thread's index
  Position pos;       // of the operation's name
  Position file_pos;  // of the names below, where the step has them
  Position source_pos;
  Position map_pos;

  int file = -1;                      // Script::files
  int source = -1;                    // dup: the file that is duplicated (Script::files)
  int map = -1;                       // Script::maps
  int inode = -1;                     // open: Script::inodes
  int backing = -1;                   // Script::backings; -1 with backing_id: `#ID`
  std::optional<int64_t> backing_id;  // `#ID`, any number
  uint32_t fopen_flags = 0;           // FopenFlag: the server's answer to open
  // OpenFlag: how open(2) is called; for setfl: its OPEN_DIRECT|OPEN_APPEND.
  uint32_t open_flags = OPEN_READ | OPEN_WRITE;
  // The flags and o= as written ("B|A", "0"). Printed while they still mean the same as the bits
  // above; else, or if empty, the bits print in a fixed order.
  std::string fopen_written;
  std::string open_written;
  int error = 0;               // errno (positive): open `err=`, reply `ERRNO`; 0: none
  std::optional<int64_t> off;  // bytes; absent: 0
  std::optional<int64_t> len;  // bytes; absent: 4096
  int64_t argument = 0;        // backing_open flags=N, truncate SIZE, wait MS, intr N, hog N
  bool append = false;         // write `append`: at end of file, as with O_APPEND
  bool shared = false;         // mmap: shared, else private
  bool read_only = false;      // mmap `ro`
  Hold hold = Hold::kNone;
  std::vector<int> targets;  // reply: step numbers, in the order of the answers
  std::optional<int> cpu;    // hint `cpu=N`
  bool sched_idle = false;   // hint `sched=idle`

  bool has_result = false;
  Alternatives result;
  Position result_pos;
  std::vector<Completion> completions;  // by step, ascending
};

// A condition of a litmus script: an expression over results.
struct Condition {
  enum class Quantifier : uint8_t { kExists, kNever, kAlways };
  struct Expr {
    enum class Kind : uint8_t { kAnd, kOr, kNot, kEq, kNe };
    Kind kind = Kind::kEq;
    std::vector<Expr> operands;  // kAnd, kOr: two; kNot: one
    int thread = -1;  // kEq, kNe: `P<thread>.<step> == result`; via is ignored unless written
    int step = 0;     // 1-based within the thread
    Result result;
  };
  Quantifier quantifier = Quantifier::kExists;
  Expr expr;
  Position pos;
};

// `expect FINDING` in the header: the finding's name as printed, such as "lost-wakeup".
struct Expectation {
  std::string finding;
  Position pos;
};

// One line of the text, so that printing keeps comments and order.
struct Line {
  enum class Kind : uint8_t {
    kBlank,
    kConn,
    kInode,
    kBacking,
    kExpect,
    kStep,
    kThreadStep,
    kCondition
  };
  Kind kind = Kind::kBlank;
  int index = 0;        // inode, backing, expectation, step, condition; kThreadStep: index into the
                        // thread's steps
  int thread = -1;      // kThreadStep
  std::string comment;  // with its '#', or empty; a kBlank line with a comment is a comment line
  int gap = -1;         // spaces before the comment; -1: one behind text, none on a line of its own
};

struct Script {
  std::string name;  // file name as given; for messages
  bool has_conn = false;
  uint32_t conn = 0;         // ConnCap
  std::string conn_written;  // the capabilities as written, as Step::fopen_written
  std::vector<std::string> inodes;
  std::vector<std::string> backings;
  std::vector<std::string> files;
  std::vector<std::string> maps;
  std::vector<Expectation> expectations;
  std::vector<Step> steps;                 // the sequence, or a litmus script's set-up
  std::vector<std::vector<Step>> threads;  // empty: a sequential script
  std::vector<Condition> conditions;
  std::vector<Line> lines;

  bool is_litmus() const { return !threads.empty(); }
};

// The whole text of a script, as `.iom`. Parsing it again gives an equal script. Order of flags,
// comments and blank lines are kept; other spacing and the order of arguments are normal form. A
// script without `lines` (one that was built, not parsed) prints as header, steps, threads,
// conditions.
std::string PrintScript(const Script& script);

// One line of the script's text, comment included.
std::string PrintLine(const Script& script, const Line& line);

// One step without its results: "4: open c A KEEP_CACHE", "P0: close p".
std::string PrintStep(const Script& script, const Step& step);

// " -> R; N -> R" of a step, or "" when it claims none.
std::string PrintResults(const Step& step);

// "4096 via=server", "EIO", "blocked", "KILLED"; alternatives joined by " | ".
std::string PrintResult(const Result& result);
std::string PrintAlternatives(const Alternatives& results);

// A condition as written: "exists P0.1 == EIO && P1.1 == 0".
std::string PrintCondition(const Condition& condition);

// "EIO" for 5; "errno 4711" for a number without a name. Names are Linux's.
std::string ErrnoName(int number);
// 5 for "EIO"; nullopt for an unknown name.
std::optional<int> ErrnoFromName(const std::string& name);

}  // namespace iomode

#endif  // SIM_SCRIPT_H_
