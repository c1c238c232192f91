// SPDX-License-Identifier: GPL-2.0-only
//
// A second opinion on sizes: what reads, writes, mmaps, loads, stores, truncation and stat of FUSE
// files give, from one number an inode: its size. Written from the manual pages, not from the
// model. For scripts in which one system call comes after the other and the server holds nothing;
// it knows no passthrough, no io mode and no page cache, for without passthrough files none of them
// may show in a result but for `via=`.

#ifndef PROPS_FILE_SIZE_ORACLE_H_
#define PROPS_FILE_SIZE_ORACLE_H_

#include <vector>

#include "sim/script.h"

namespace iomode {

class FileSizeOracle {
 public:
  // `script` outlives the oracle.
  explicit FileSizeOracle(const Script& script);

  // The script as far as it is covered: nothing held, killed or aborted, no backing, no streams.
  static Script Covered(const Script& script);

  // What the next step gives, without `via`.
  Result Next(const Step& step);

 private:
  struct File {
    int inode = 0;
    bool direct_io = false;  // FOPEN_DIRECT_IO
    bool may_read = false;
    bool may_write = false;
    bool append = false;
  };
  struct Map {
    bool is_mapped = false;
    int inode = 0;
    bool may_write = false;
  };

  int64_t Do(const Step& step);
  int64_t Open(const Step& step);
  int64_t Mmap(const Step& step);
  int64_t Access(const Step& step) const;
  int64_t OnFile(const Step& step, File& file);

  const Script& script_;
  std::vector<int64_t> sizes_;  // by inode
  std::vector<File> open_files_;
  std::vector<int> files_;  // by name: index into open_files_; -1: not open
  std::vector<Map> maps_;   // by name
};

}  // namespace iomode

#endif  // PROPS_FILE_SIZE_ORACLE_H_
