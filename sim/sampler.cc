// SPDX-License-Identifier: GPL-2.0-only

#include "sim/sampler.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "sim/random_walk.h"

namespace iomode {
namespace {

constexpr int kMeasuringRuns = 256;
// Runs between looks at the Watch.
constexpr uint64_t kWatchEvery = 64;

using Random = std::mt19937_64;

// Priorities and change points of one PCT run.
class PctSchedule {
 public:
  PctSchedule(int tasks, int depth, uint32_t steps, Random& random)
      : priorities_(tasks), changes_(depth - 1) {
    std::iota(priorities_.begin(), priorities_.end(), depth);
    std::shuffle(priorities_.begin(), priorities_.end(), random);
    for (uint32_t& change : changes_)
      change = std::uniform_int_distribution<uint32_t>(1, std::max(steps, 1u))(random);
  }

  // The slot that takes step number `step`, counted from 1; -1 when none can.
  int Pick(const Scheduler& s, uint32_t step) {
    int slot = Highest(s);
    for (size_t i = 0; i < changes_.size() && slot >= 0; i++) {
      if (changes_[i] != step) continue;
      priorities_[slot] = static_cast<int>(i);
      slot = Highest(s);
    }
    return slot;
  }

 private:
  int Highest(const Scheduler& s) const {
    int best = -1;
    for (int slot = 0; slot < s.task_count(); slot++) {
      if (s.Enabled(slot) && (best < 0 || priorities_[slot] > priorities_[best])) best = slot;
    }
    return best;
  }

  std::vector<int> priorities_;    // by slot; unlike one another
  std::vector<uint32_t> changes_;  // change i gives the priority i
};

class Sampler {
 public:
  Sampler(Runner& runner, const SampleOptions& options, SampleReport& report)
      : machine_(runner.machine()), options_(options), report_(report) {
    for (const Snapshot& state : runner.states()) {
      state.Restore(machine_.scheduler());
      StartThreads(machine_);
      starts_.emplace_back();
      starts_.back().Save(machine_.scheduler());
    }
  }

  void MeasureSteps() {
    Random random(options_.seed);
    uint32_t longest = 0;
    for (int i = 0; i < kMeasuringRuns; i++) {
      Begin(random);
      uint32_t steps = 0;
      while (RandomStep(machine_, random)) steps++;
      longest = std::max(longest, steps);
    }
    report_.steps = longest + longest / 4;
  }

  void Play(uint64_t seed) {
    Random random(seed);
    Begin(random);
    Scheduler& s = machine_.scheduler();
    PctSchedule schedule(s.task_count(), options_.depth, report_.steps, random);
    uint64_t moved = 0;  // slots
    uint32_t steps = 0;
    const auto at_state = [this] { machine_.CheckStarvation(); };
    at_state();
    while (true) {
      const int slot = options_.mode == SampleOptions::Mode::kPct ? schedule.Pick(s, steps + 1)
                                                                  : RandomSlot(s, random);
      if (slot < 0) break;
      path_.push_back({static_cast<int16_t>(slot), ResumeAtRandom(machine_, slot, random)});
      at_state();
      moved |= uint64_t{1} << slot;
      steps++;
    }
    if (options_.self_check != nullptr)
      options_.self_check->Verify(machine_, *start_, path_, at_state);
    machine_.CheckAtRest();
    Count(seed, steps, static_cast<uint32_t>(std::popcount(moved)));
  }

 private:
  void Begin(Random& random) {
    start_ = &starts_[random() % starts_.size()];
    start_->Restore(machine_.scheduler());
    path_.clear();
    ScheduledWorld::listener = &machine_;
  }

  static void See(Sighting& sighting, uint64_t seed) {
    if (sighting.runs++ == 0) sighting.seed = seed;
  }

  void Count(uint64_t seed, uint32_t steps, uint32_t tasks) {
    See(report_.outcomes[OutcomeOf(machine_)], seed);
    for (int kind = 0; kind < kFindingKinds; kind++) {
      if (machine_.finding_kinds() >> kind & 1)
        See(report_.kinds[static_cast<FindingKind>(kind)], seed);
    }
    report_.runs++;
    report_.transitions += steps;
    report_.tasks = std::max(report_.tasks, tasks);
    report_.longest = std::max(report_.longest, steps);
    report_.longer += steps > report_.steps;
  }

  Machine& machine_;
  const SampleOptions& options_;
  SampleReport& report_;
  std::vector<Snapshot> starts_;
  const Snapshot* start_ = nullptr;  // of the present run
  std::vector<Move> path_;           // the present run
};

}  // namespace

SampleReport SampleLitmus(const Script& script, const Revision& revision,
                          const SampleOptions& options) {
  SampleReport report;
  RunnerOptions runner_options;
  runner_options.watch = options.watch;
  runner_options.self_check = options.self_check;
  Runner runner(script, revision, runner_options);
  report.setup = runner.RunSteps();
  report.findings = report.setup.findings;
  report.stopped = report.setup.stats.stopped;
  if (report.setup.failed_step != 0 || !report.setup.stats.complete) return report;

  Sampler sampler(runner, options, report);
  if (options.steps == 0) sampler.MeasureSteps();
  if (options.steps != 0) report.steps = options.steps;
  for (uint64_t i = 0; i < options.runs; i++) {
    if (options.watch != nullptr && i % kWatchEvery == 0 && options.watch->Stop({i, 0, 0})) {
      report.stopped = options.watch->reason();
      break;
    }
    sampler.Play(options.seed + i);
  }
  report.findings.insert(runner.machine().findings().begin(), runner.machine().findings().end());
  return report;
}

double PctGuarantee(const SampleReport& report, int depth) {
  return 1 / (static_cast<double>(report.tasks) *
              std::pow(static_cast<double>(report.steps), depth - 1));
}

}  // namespace iomode
