#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Mutation run: breaks the model one statement at a time and sees whether a check notices.

All mutants of model/*.h are compiled into one program (mutants.py, judge.cc), which then is each of
them in turn and runs the checks that reach the change, the fastest first: scripts, recordings and
properties. A mutant that passes them all survives: a rule that no check pins down, or a change that
makes no difference. Those are listed in equivalent.txt, each with the reason.

    bazel run //props:mutate                            every mutant
    bazel run //props:mutate -- --sample 60 --seed 1    a fixed sample
    bazel run //props:mutate -- --files model/iomode.h  every mutant of one file
    bazel run //props:mutate -- --list                  what there is to mutate

Exit: 0 when the run is complete, 1 when fewer than --require percent of the mutants that are not
equivalent are killed or equivalent.txt does not fit, 2 on bad input or when the checks fail
unmutated.
"""

import argparse
import collections
import os
import pathlib
import random
import re
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import judge_build  # noqa: E402

# Tests of the checker rather than of the model, or that repeat what the scripts check.
WITHOUT = ("RecordingsTest.AnyChangedResultFails", "RecordingsTest.SameReportTwice",
           "RecordingsTest.EveryRecordingHolds", "RevisionsTest.EveryRuleHasAScriptThatShowsIt",
           "Explorer", "LitmusText.ParsingWhatWasPrintedGivesTheSameOutcomes",
           "ScriptText.ParsingWhatWasPrintedGivesTheScript", "Runner.SameScriptGivesTheSameReport",
           "NativeStressTest", "NativeLostWakeupTest", "StressSequenceTest", "StressChecksTest",
           "StressWatchdogDeathTest")


def read_equivalent(path):
    """Reasons by mutant key. A line that starts with `= ` is the reason for those below it."""
    reasons, reason, where = collections.OrderedDict(), "", 0
    for where, line in enumerate(path.read_text().split("\n"), 1):
        if line.startswith("= "):
            reason = line[2:]
        elif line.strip() and not line.startswith("#"):
            if not reason:
                raise ValueError(f"{path}:{where}: a mutant without a reason above it, which is a "
                                 f"line that starts with `= `")
            reasons[line.strip()] = reason
    return reasons


class Killers:
    """Which check killed a mutant in the last run, so that it is tried first in the next."""

    def __init__(self, path):
        self.path, self.by_key = path, {}
        if path.exists():
            lines = path.read_text().splitlines()
            self.by_key = dict(reversed(line.split(" ", 1)) for line in lines)

    def save(self):
        judge_build.write_if_changed(self.path, "".join(
            f"{killer} {key}\n" for key, killer in sorted(self.by_key.items())))


class Tally:
    """Verdicts as they come."""

    def __init__(self, mutants, reasons):
        self.mutants, self.reasons = mutants, reasons
        self.killers = collections.Counter()
        self.survivors, self.equivalent, self.wrong = [], [], []
        self.begin, self.checks, self.checks_ms = time.monotonic(), 0, 0.0

    def take(self, words, numbered):
        if words[0] == "check":
            self.checks += 1
            self.checks_ms += float(words[2])
            return
        mutant = numbered[int(words[1])]
        reason = self.reasons.get(mutant.key())
        if words[2] == "killed":
            self.killers[words[3]] += 1
            verdict = f"killed by {words[3]}" + ("" if words[4] == "fails" else f" ({words[4]})")
            if reason:
                self.wrong.append(f"{mutant}: listed as equivalent, but {verdict}")
        elif reason:
            self.equivalent.append(mutant)
            verdict = "equivalent"
        else:
            verdict = f"SURVIVED {words[3]} checks" if words[3] != "0" else "SURVIVED unreached"
            self.survivors.append((mutant, verdict))
        print(f"[{self.progress()}] {verdict}: {mutant}", flush=True)

    def done(self):
        return sum(self.killers.values()) + len(self.survivors) + len(self.equivalent)

    def progress(self):
        done, all_ = self.done(), len(self.mutants)
        left = (time.monotonic() - self.begin) / max(done, 1) * (all_ - done) / 60
        return f"{done}/{all_}, {left:.0f} min left"

    def score(self):
        killed = sum(self.killers.values())
        real = killed + len(self.survivors)
        return 100 * killed / real if real else 100.0

    def report(self, slowest):
        killed = sum(self.killers.values())
        minutes = (time.monotonic() - self.begin) / 60
        print(f"\nscore {self.score():.1f} %: {killed} of {killed + len(self.survivors)} killed, "
              f"{len(self.equivalent)} equivalent, by {len(self.killers)} of {self.checks} checks "
              f"in {minutes:.0f} min")
        for name, count in self.killers.most_common(slowest):
            print(f"  {count:5} by {name}")
        for mutant, verdict in self.survivors:
            print(f"  {verdict}: {mutant.key()}")
        for wrong in self.wrong:
            print(f"  {wrong}")


def judge(build, chosen, reasons, jobs, killers):
    """Runs the judge on the mutants; the Tally."""
    tally = Tally(chosen, reasons)
    numbered = {mutant.number: mutant for mutant in chosen}
    arguments = [f"--jobs={jobs}", *(f"--without={test}" for test in WITHOUT)]
    lines = [f"{mutant.number} {killers.by_key.get(mutant.key(), '')}\n" for mutant in chosen]
    try:
        for words in build.judged(arguments, lines):
            if words[0] == "mutant" and not tally.done():
                tally.begin = time.monotonic()
            tally.take(words, numbered)
            if words[0] == "mutant" and words[2] == "killed":
                killers.by_key[numbered[int(words[1])].key()] = words[3]
            if sys.stderr.isatty():
                what = f"{tally.checks} checks" if not tally.done() else tally.progress()
                print(f"\r{what} ", end="", file=sys.stderr)
    finally:
        killers.save()
    return tally


def options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--files", nargs="+", metavar="FILE",
                        help="mutants of these files only; default: model/*.h")
    parser.add_argument("--sample", type=int, metavar="N", help="only N mutants, picked by --seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--match", metavar="REGEX", help="only mutants whose line in --list matches")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--folder", type=pathlib.Path,
                        help="where to build; default: build/mutation in the project")
    parser.add_argument("--list", action="store_true", help="print the mutants and stop")
    parser.add_argument("--require", type=float, default=0, metavar="PERCENT",
                        help="exit 1 when fewer are killed")
    return parser.parse_args()


def choose(build, flags):
    mutants = [mutant for mutant in build.mutants if mutant.path in (flags.files or build.headers)]
    if flags.match:
        mutants = [mutant for mutant in mutants if re.search(flags.match, str(mutant))]
    if flags.sample is not None and flags.sample < len(mutants):
        chosen = set(random.Random(flags.seed).sample(range(len(mutants)), flags.sample))
        mutants = [mutant for index, mutant in enumerate(mutants) if index in chosen]
    return mutants


def main():
    flags = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    root = judge_build.project_root()
    build = judge_build.Build(root, flags.folder, flags.compiler)
    mutated = (*build.headers, *judge_build.CHECKER)
    for path in flags.files or []:
        if path not in mutated:
            print(f"{path}: not among the mutated files: {' '.join(mutated)}", file=sys.stderr)
            return 2
    chosen = choose(build, flags)
    if flags.list:
        print("\n".join(f"{mutant}" for mutant in chosen))
        return 0
    print(f"{len(chosen)} of {len(build.mutants)} mutants, seed {flags.seed}", flush=True)
    killers = Killers(build.judge.with_name("killers"))
    try:
        reasons = read_equivalent(root / "props/mutation/equivalent.txt")
        build.make()
        tally = judge(build, chosen, reasons, flags.jobs, killers)
    except (ValueError, judge_build.ChecksFail) as error:
        print(error, file=sys.stderr)
        return 2
    keys = {mutant.key() for mutant in build.mutants}
    tally.wrong += [f"equivalent.txt names no mutant: {key}" for key in reasons if key not in keys]
    tally.report(20)
    return 1 if tally.score() < flags.require or tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
