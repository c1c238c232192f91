// SPDX-License-Identifier: GPL-2.0-only
//
// Carries out a script's steps in the Native world: each step is a system call of the calling
// thread on a NativeKernel. So one script can be run in both worlds and the results compared.
//
// The server answers at once and holds nothing; it knows sizes and no bytes, and no size of a
// passthrough file's backing. So there are no results `via=`, and steps that hold, answer, kill or
// interrupt are not for this world: CanRun() tells.
//
// Steps of different threads may run at the same time; the tables of files and mappings have a lock
// of their own, which is held only to look something up or to change it.

#ifndef PROPS_NATIVE_PROGRAM_H_
#define PROPS_NATIVE_PROGRAM_H_

#include <atomic>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "props/stress_probe.h"
#include "sim/native_kernel.h"
#include "sim/script.h"

namespace iomode {

class NativeProgram {
 public:
  // Both outlive the program.
  NativeProgram(const Script& script, const Revision& revision);

  // Whether the Native world can carry out all steps of the script.
  static bool CanRun(const Script& script);
  static bool CanRun(const Step& step);
  // Whether the step's result may depend on the size of a backing file, which this server does not
  // tell.
  static bool DependsOnBacking(const Script& script, const Step& step);

  // The step's result, without `via`. The calling thread has set W::task.
  Result Run(const Step& step);

  // Waits until the server has answered all that is in the background. No step runs.
  void Drain() { kernel_.Drain(); }

  // Closes what is open; whoever sleeps in a step for it to be closed goes on.
  void CloseAll();
  // When everything is closed: what is left or does not add up, and what the model reported.
  std::vector<std::string> Finish();

  NativeKernel<StressWorld>& kernel() { return kernel_; }

 private:
  using W = StressWorld;

  struct Process {
    NativeProcess<W> memory = {};
  };
  struct OpenFile {
    File<W>* file = nullptr;
    Process* process = nullptr;
  };
  struct Mapping {
    Process* process = nullptr;  // nullptr: not mapped
    int slot = 0;
  };
  struct Backing {
    BackingInode inode = {};
    std::atomic<int32_t> id = 0;
  };

  // The file with one more reference, and the process that it was opened in; nullptr: none.
  OpenFile Get(int name);
  // Puts a file there, or none; what was there.
  OpenFile Exchange(int name, const OpenFile& file);
  Mapping MapOf(int name);
  Mapping ExchangeMap(int name, const Mapping& map);

  int64_t Do(const Step& step);
  int64_t Open(const Step& step);
  int64_t Close(const Step& step);
  int64_t Dup(const Step& step);
  int64_t Mmap(const Step& step);
  int64_t Munmap(int map);
  int64_t ReadWrite(const Step& step, File<W>& file);
  int64_t Aio(const Step& step, File<W>& file);
  int64_t OnFile(const Step& step, File<W>& file);
  Kiocb<W> MakeKiocb(const Step& step, File<W>& file) const;

  const Script& script_;
  NativeKernel<W> kernel_;
  std::deque<Backing> backings_;
  std::deque<Process> processes_;  // by name of the file that it opened
  std::mutex mutex_;               // of the tables below
  std::vector<OpenFile> files_;    // by name
  std::vector<Mapping> maps_;      // by name
};

}  // namespace iomode

#endif  // PROPS_NATIVE_PROGRAM_H_
