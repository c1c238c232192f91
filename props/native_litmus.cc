// SPDX-License-Identifier: GPL-2.0-only

#include "props/native_litmus.h"

#include <atomic>
#include <chrono>
#include <deque>
#include <thread>

#include "props/native_program.h"

namespace iomode {
namespace {

using Clock = std::chrono::steady_clock;

// Everybody who has not finished sleeps on an inode's direct_io_waitq, for so long: they are not
// woken any more, for nothing else runs.
constexpr auto kPatience = std::chrono::milliseconds(50);

class Threads {
 public:
  Threads(const Script& script, NativeProgram& program, uint64_t seed)
      : script_(script), program_(program), results_(script.threads.size()) {
    for (size_t t = 0; t < script.threads.size(); t++) {
      StressThread& state = states_.emplace_back(seed + 7919 * t);
      state.delay_one_in = 4;
      const Result blocked = {Result::Kind::kBlocked, 0, Via::kNone};
      results_[t].assign(script.threads[t].size(), blocked);
    }
  }

  // What all threads got before the sleepers were set free.
  LitmusOutcome Run() {
    std::vector<std::thread> threads;
    for (size_t t = 0; t < states_.size(); t++) threads.emplace_back([this, t] { Main(t); });
    start_ = true;
    LitmusOutcome outcome;
    if (WaitForRest()) {
      for (std::thread& thread : threads) thread.join();
      return results_;
    }
    freeing_ = true;
    outcome = results_;
    // Whoever sleeps is woken when the files that keep it asleep are closed. Files that sleepers
    // make appear later and are closed with the rest.
    program_.CloseAll();
    for (std::thread& thread : threads) thread.join();
    return outcome;
  }

 private:
  void Main(size_t t) {
    StressThread& state = states_[t];
    StressWorld::task = static_cast<uint32_t>(t) + 1;
    StressProbe::self = &state;
    while (!start_) std::this_thread::yield();
    for (size_t i = 0; i < script_.threads[t].size(); i++) {
      const Result result = program_.Run(script_.threads[t][i]);
      if (freeing_) break;
      results_[t][i] = result;
      state.operation.fetch_add(1);
    }
    state.finished = true;
    StressProbe::self = nullptr;
  }

  // False: some sleep for good.
  bool WaitForRest() {
    int64_t progress = -1;
    Clock::time_point since = Clock::now();
    while (true) {
      int64_t now = 0;
      bool all_finished = true;
      bool all_asleep = true;
      for (const StressThread& state : states_) {
        now += state.operation + static_cast<int64_t>(state.sleeps);
        all_finished &= state.finished;
        all_asleep &= state.finished || IsWaitQueue(state.sleeps_on);
      }
      if (all_finished) return true;
      if (now != progress || !all_asleep) {
        progress = now;
        since = Clock::now();
      } else if (Clock::now() - since > kPatience) {
        return false;
      }
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  }

  bool IsWaitQueue(const void* object) {
    for (int i = 0; i < program_.kernel().inodes(); i++) {
      if (object == &program_.kernel().inode(i).direct_io_waitq) return true;
    }
    return false;
  }

  const Script& script_;
  NativeProgram& program_;
  LitmusOutcome results_;
  std::deque<StressThread> states_;
  std::atomic<bool> start_ = false;
  std::atomic<bool> freeing_ = false;
};

}  // namespace

NativeLitmusRun RunLitmusNatively(const Script& script, const Revision& revision, uint64_t seed) {
  NativeProgram program(script, revision);
  StressWorld::task = 0;
  for (const Step& step : script.steps) {
    program.Run(step);
    program.Drain();
  }
  NativeLitmusRun run;
  run.outcome = Threads(script, program, seed).Run();
  program.Drain();
  program.CloseAll();
  run.wrong = program.Finish();
  return run;
}

}  // namespace iomode
