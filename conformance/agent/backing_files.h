// SPDX-License-Identifier: GPL-2.0-only
//
// The backing files of one script: nameless regular files on a tmpfs, each full of its own bytes,
// and the ids under which the connection knows them. Single-threaded.

#ifndef CONFORMANCE_AGENT_BACKING_FILES_H_
#define CONFORMANCE_AGENT_BACKING_FILES_H_

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "conformance/agent/descriptor.h"
#include "conformance/agent/payload.h"

namespace iomode::agent {

class BackingFiles {
 public:
  // `directory`: a tmpfs mount.
  static absl::StatusOr<std::unique_ptr<BackingFiles>> Create(int directory, int count);

  int fd(int index) const { return files_[index].fd.get(); }
  int64_t Size(int index) const;
  void Resize(int index, int64_t size);
  // Whether any byte of any of the files is `source`'s.
  bool Hold(Source source) const;

  // The id of the latest registration; 0 before the first.
  int64_t newest_id(int index) const { return files_[index].newest_id; }
  void NoteId(int index, int64_t id);
  // Which file was registered under `id`, even if closed since; -1: none.
  int IndexOfId(int64_t id) const;
  // Which file has this inode number; -1: none.
  int IndexOfInode(uint64_t number) const;

 private:
  struct File {
    Descriptor fd;
    int64_t newest_id = 0;
    uint64_t inode_number = 0;
  };
  std::vector<File> files_;
  std::map<int64_t, int> index_of_id_;
};

}  // namespace iomode::agent

#endif  // CONFORMANCE_AGENT_BACKING_FILES_H_
