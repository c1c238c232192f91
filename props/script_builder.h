// SPDX-License-Identifier: GPL-2.0-only
//
// Turns genes into the steps of a random script (random_script.h). Keeps account, by rules of thumb
// only, of what is open, so that most steps have something to work on; what really happens is the
// model's business.
//
// Invariant: what was added so far is a valid script.

#ifndef PROPS_SCRIPT_BUILDER_H_
#define PROPS_SCRIPT_BUILDER_H_

#include <string>
#include <vector>

#include "props/random_script.h"
#include "sim/script.h"

namespace iomode {

class ScriptBuilder {
 public:
  ScriptBuilder(uint32_t conn, int inodes, int backings);

  // Adds the step that the gene says, or none when there is nothing for it to work on.
  void Add(Op op, const Gene& gene);

  // From now on steps are of one more thread. It uses the set-up's files and its own.
  void StartThread();

  // Answers what is held, in an order that `gene` picks, undoes all mappings and closes all files.
  void Finish(const Gene& gene);

  const Script& script() const { return script_; }

 private:
  // Names by index into the script's tables.
  struct File {
    int name;
    int process;
    int inode;
    bool passthrough;
    bool direct;
  };
  struct Map {
    int name;
    int process;
  };

  Step& Append(Op op);
  File* PickFile(const Gene& gene);
  void AddOpen(const Gene& gene);
  void AddBackingStep(Op op, const Gene& gene);
  void AddDup(const Gene& gene);
  void AddClose(Op op, const Gene& gene);
  void AddMmap(const Gene& gene);
  void AddMapStep(Op op, const Gene& gene);
  void AddReply(const Gene& gene);
  void AddFileStep(Op op, const Gene& gene);
  void SetHold(const Gene& gene, Step& step);
  std::string NewName(const char* kind, size_t index) const;

  Script script_;
  int thread_ = -1;
  int processes_ = 0;
  std::vector<File> files_;  // that may be open
  std::vector<Map> maps_;
  std::vector<File> setup_files_;
  std::vector<Map> setup_maps_;
  std::vector<int> held_;  // steps whose request the server may hold
};

}  // namespace iomode

#endif  // PROPS_SCRIPT_BUILDER_H_
