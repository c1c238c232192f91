// SPDX-License-Identifier: GPL-2.0-only

#include "props/naive_enumerator.h"

#include <vector>

#include "sim/machine.h"

namespace iomode {
namespace {

// One point of a schedule: which of the alternatives that there are was taken.
struct Point {
  int taken;
  int alternatives;
};

struct Alternative {
  int slot;
  int choice;
};

std::vector<Alternative> Alternatives(const Scheduler& scheduler) {
  std::vector<Alternative> all;
  for (int slot = 0; slot < scheduler.task_count(); slot++) {
    if (!scheduler.Enabled(slot)) continue;
    const Task& task = scheduler.task(slot);
    const int choices = task.pending == Pending::kChoose ? task.choices : 1;
    for (int choice = 0; choice < choices; choice++) all.push_back({slot, choice});
  }
  return all;
}

// Plays the schedule, and beyond its end always the first alternative, which it adds.
void Play(Subject& subject, std::vector<Point>& schedule) {
  for (size_t at = 0;; at++) {
    std::vector<Alternative> all = Alternatives(subject.scheduler());
    while (all.empty() && subject.StartMore()) all = Alternatives(subject.scheduler());
    if (all.empty()) return;
    if (at == schedule.size()) schedule.push_back({0, static_cast<int>(all.size())});
    const Alternative& next = all[schedule[at].taken];
    subject.scheduler().Resume(next.slot, next.choice);
    subject.Resumed(next.slot);
  }
}

// The set-up steps one after the other, then all threads at once.
class LitmusSubject : public Subject {
 public:
  LitmusSubject(const Script& script, const Revision& revision) : machine_(script, revision) {}

  Machine& machine() { return machine_; }
  Scheduler& scheduler() override { return machine_.scheduler(); }

  void Resumed(int slot) override {
    machine_.Finish(slot);
    if (threads_started_) machine_.CheckStarvation();
  }

  bool StartMore() override {
    machine_.CheckAtRest();
    if (threads_started_) return false;
    const std::vector<Machine::Program>& programs = machine_.programs();
    if (programs[next_].thread < 0) {
      machine_.Start(next_++);
      return true;
    }
    threads_started_ = true;
    for (int last = -1; next_ < static_cast<int>(programs.size()); next_++) {
      if (programs[next_].thread != last) machine_.Start(next_);
      last = programs[next_].thread;
    }
    return true;
  }

 private:
  Machine machine_;
  int next_ = 0;  // program
  bool threads_started_ = false;
};

}  // namespace

NaiveStats EnumerateSchedules(const std::function<std::unique_ptr<Subject>()>& make,
                              const std::function<void(Subject&)>& at_end, uint64_t max_schedules) {
  NaiveStats stats;
  std::vector<Point> schedule;
  do {
    if (stats.schedules == max_schedules) {
      stats.complete = false;
      return stats;
    }
    const std::unique_ptr<Subject> subject = make();
    Play(*subject, schedule);
    at_end(*subject);
    stats.schedules++;
    while (!schedule.empty() && schedule.back().taken + 1 == schedule.back().alternatives)
      schedule.pop_back();
    if (!schedule.empty()) schedule.back().taken++;
  } while (!schedule.empty());
  return stats;
}

NaiveReport EnumerateLitmus(const Script& script, const Revision& revision,
                            uint64_t max_schedules) {
  NaiveReport report;
  report.stats =
      EnumerateSchedules([&] { return std::make_unique<LitmusSubject>(script, revision); },
                         [&report](Subject& subject) {
                           const Machine& machine = static_cast<LitmusSubject&>(subject).machine();
                           LitmusOutcome outcome(machine.script().threads.size());
                           for (size_t i = 0; i < machine.programs().size(); i++) {
                             const int thread = machine.programs()[i].thread;
                             if (thread >= 0)
                               outcome[thread].push_back(machine.ResultOf(static_cast<int>(i)));
                           }
                           report.outcomes.insert(std::move(outcome));
                           for (const Finding& finding : machine.findings())
                             report.findings.insert(finding.kind);
                         },
                         max_schedules);
  return report;
}

}  // namespace iomode
