// SPDX-License-Identifier: GPL-2.0-only
//
// A second opinion: what open, close, mmap, read and write of FUSE files give, by a table over
// (mode of the inode, kind of open) and a page of bookkeeping. Written from the description of the
// io modes in docs, not from the model, and for the newest revision only.
//
//   inode \ reply     cached            DIRECT_IO     PASSTHROUGH    PASSTHROUGH
//                                                     same backing   other backing
//   neutral           ok                ok            ok             ok
//   caching           ok                ok            EIO            EIO
//   writes in flight  waits             ok            ok             ok
//   passthrough       EIO               EIO           ok             EIO
//
// "Writes in flight" are parallel direct writes. A passthrough inode is one with a backing
// attached; it stays so until its last passthrough file is closed and no parallel write is left.
//
// It knows no locks: a step that would have to wait for anything but parallel direct writes is not
// covered, nor is anything about the page cache.

#ifndef PROPS_OPEN_RULES_ORACLE_H_
#define PROPS_OPEN_RULES_ORACLE_H_

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "sim/script.h"

namespace iomode {

class OpenRulesOracle {
 public:
  // The results that a step must have. `via` is set where the oracle knows it.
  struct Expected {
    Result own;
    std::map<int, Result> completions;
  };

  explicit OpenRulesOracle(const Script& script);

  // What the next step gives; nullopt, and nothing changes, if it is not covered.
  std::optional<Expected> Next(const Step& step);

 private:
  enum class Mode { kNeutral, kCaching, kWritesInFlight, kPassthrough };
  enum class Kind { kCached, kDirect, kSameBacking, kOtherBacking };
  enum class Answer { kOk, kEio, kWaits };

  struct File {
    int inode = 0;
    uint32_t reply = 0;
    uint32_t how = 0;      // OpenFlag
    bool is_open = false;  // the name may be used
    bool waiting = false;  // its open or a mmap of it sleeps
    int holders = 0;       // the descriptor and the mappings that hold the file
    bool caches = false;   // holds a caching reference
    bool passthrough = false;
  };
  struct Map {
    int file = -1;
    bool is_mapped = false;
    bool holds_file = false;
  };
  struct Waiter {
    int step;
    int file;
    int map;  // -1: an open
  };
  struct Write {
    int file;
    bool parallel;
    int64_t end;
    int64_t length;
  };
  struct Inode {
    int cached_files = 0;
    int passthrough_files = 0;
    int backing = 0;  // the id that is attached; 0: none
    int64_t size = kInitialFileSize;
    std::vector<Waiter> waiters;
    std::map<int, Write> writes;  // held by the server, by step
  };

  Mode ModeOf(const Inode& inode) const;
  bool ParallelInFlight(const Inode& inode) const;
  bool ExclusiveInFlight(const Inode& inode) const;
  static Answer Table(Mode mode, Kind kind);

  std::optional<Expected> Open(const Step& step);
  std::optional<Expected> Close(const Step& step);
  std::optional<Expected> Mmap(const Step& step);
  std::optional<Expected> Munmap(const Step& step);
  std::optional<Expected> Read(const Step& step);
  std::optional<Expected> WriteStep(const Step& step);
  std::optional<Expected> Reply(const Step& step);
  std::optional<Expected> BackingOpen(const Step& step);
  void DropHolder(int file, Expected& expected);
  void LeaveUncached(Inode& inode, Expected& expected);

  const uint32_t conn_;
  std::vector<File> files_;
  std::vector<Map> maps_;
  std::vector<Inode> inodes_;
  std::vector<int> newest_id_;  // by backing
  std::set<int> ids_;           // registered
  int last_id_ = 0;
};

// The part of a sequential script that the oracle covers, and what it expects of each step.
struct CoveredScript {
  Script script;
  std::vector<OpenRulesOracle::Expected> expected;
};
CoveredScript Covered(const Script& script);

}  // namespace iomode

#endif  // PROPS_OPEN_RULES_ORACLE_H_
