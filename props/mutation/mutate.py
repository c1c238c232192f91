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
import concurrent.futures
import glob
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import mutants as reading  # noqa: E402

COPIED = ("model", "sim", "props")
# Declarations only, or rows of data that //sim:revisions_test flips one by one; nothing there runs.
NOT_MUTATED = ("uapi.h", "fuse_i.h", "racy.h", "revision.h", "world.h")
SOURCES = ("model/*.cc", "sim/*.cc", "props/random_script.cc", "props/script_builder.cc",
           "props/*_oracle.cc", "props/naive_enumerator.cc", "props/sequential_orders.cc",
           "props/native_*.cc", "props/stress_probe.cc",
           "props/mutation/judge.cc")
TESTS = ("sim/recordings_test.cc", "sim/revisions_test.cc", "props/sequence_properties_test.cc",
         "props/explorer_test.cc", "props/linearizability_test.cc", "props/worlds_test.cc",
         "props/faults_test.cc")
# Tests of the checker rather than of the model, or that repeat what the scripts check.
WITHOUT = ("RecordingsTest.AnyChangedResultFails", "RecordingsTest.SameReportTwice",
           "RecordingsTest.EveryRecordingHolds", "RevisionsTest.EveryRuleHasAScriptThatShowsIt",
           "RevisionsTest.PinsHold", "Explorer.GivesUpAtItsBoundAndSaysSo",
           "LitmusText.ParsingWhatWasPrintedGivesTheSameOutcomes",
           "ScriptText.ParsingWhatWasPrintedGivesTheScript", "Runner.SameScriptGivesTheSameReport")
FLAGS = ["-std=c++20", "-O1", "-w"]


def project_root():
    if "BUILD_WORKSPACE_DIRECTORY" in os.environ:
        return pathlib.Path(os.environ["BUILD_WORKSPACE_DIRECTORY"])
    return pathlib.Path(__file__).resolve().parent.parent.parent


def write_if_changed(path, text):
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


class Build:
    """A copy of the tree with all mutants in it, and the judge built of it. Kept for the next run:
    what has not changed is not compiled again."""

    def __init__(self, root, folder, compiler, headers):
        self.root, self.tree, self.compiler = root, folder / "tree", compiler
        self.objects = folder / "objects"
        self.objects.mkdir(parents=True, exist_ok=True)
        self.judge = folder / "judge"
        self.mutants = []
        copied = set()
        for name in COPIED:
            for path in sorted(root.glob(f"{name}/**/*")):
                relative = path.relative_to(root)
                if path.suffix not in (".h", ".cc"):
                    continue
                copied.add(self.tree / relative)
                text = path.read_text()
                if str(relative) in headers:
                    text = self._mutated(str(relative), text)
                write_if_changed(self.tree / relative, text)
        for path in self.tree.glob("**/*"):
            if path.is_file() and path not in copied:
                path.unlink()

    def _mutated(self, path, text):
        schemata = reading.Schemata(path, text, len(self.mutants) + 1)
        self.mutants += schemata.mutants
        opening = "namespace iomode {"
        line = schemata.text[:schemata.text.index(opening)].count("\n") + 1
        include = f'#include "props/mutation/mutant.h"\n#line {line} "{path}"\n'
        return schemata.text.replace(opening, include + opening, 1)

    def sources(self):
        found = [path for pattern in SOURCES for path in sorted(self.tree.glob(pattern))]
        found = [path for path in found if not path.name.endswith("_test.cc")]
        return found + [self.tree / test for test in TESTS]

    def make(self):
        """Builds the judge. An empty string, or what the compiler says."""
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            errors = list(pool.map(self._compile, self.sources()))
        if any(errors):
            return "".join(errors)
        objects = sorted(str(self._object(source)) for source in self.sources())
        if self._is_up_to_date(self.judge, objects):
            return ""
        absl = sorted(glob.glob("/usr/lib/*/libabsl_*.a"))
        command = [self.compiler, *objects, "-Wl,--start-group", *absl, "-Wl,--end-group",
                   "-l:libboost_context.a", "-l:librapidcheck.a", "-l:libgtest.a", "-pthread",
                   "-Wl,-z,now", "-o", str(self.judge)]
        return self._run(command)

    def _object(self, source):
        return self.objects / str(source.relative_to(self.tree)).replace("/", "_").replace(
            ".cc", ".o")

    def _is_up_to_date(self, target, parts):
        return target.exists() and all(
            os.path.exists(part) and os.path.getmtime(part) <= target.stat().st_mtime
            for part in parts)

    def _compile(self, source):
        target = self._object(source)
        listed = target.with_suffix(".d")
        # A test's own main() is not the judge's.
        own = ["-Dmain=main_of_the_test"] if str(source.relative_to(self.tree)) in TESTS else []
        command = [self.compiler, *FLAGS, *own, f"-I{self.tree}", "-MMD", "-MF", str(listed), "-c",
                   str(source), "-o", str(target)]
        if listed.exists():
            parts = listed.read_text().replace("\\\n", " ").split()[1:]
            if self._is_up_to_date(target, parts):
                return ""
        return self._run(command)

    @staticmethod
    def _run(command):
        result = subprocess.run(command, capture_output=True, text=True)
        return result.stderr if result.returncode else ""


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
        write_if_changed(self.path, "".join(f"{killer} {key}\n"
                                            for key, killer in sorted(self.by_key.items())))


class Tally:
    """Verdicts as they come."""

    def __init__(self, mutants, reasons):
        self.mutants, self.reasons = mutants, reasons
        self.killers = collections.Counter()
        self.survivors, self.equivalent, self.wrong = [], [], []
        self.begin, self.checks, self.checks_ms = time.monotonic(), 0, 0.0

    def take(self, line, numbered):
        words = line.split()
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
    """Runs the judge on the mutants; the Tally, or None when the checks fail unmutated."""
    command = [str(build.judge), f"--jobs={jobs}", *(f"--without={test}" for test in WITHOUT)]
    process = subprocess.Popen(command, cwd=build.root, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True, start_new_session=True)
    tally = Tally(chosen, reasons)
    numbered = {mutant.number: mutant for mutant in chosen}
    try:
        process.stdin.write("".join(
            f"{mutant.number} {killers.by_key.get(mutant.key(), '')}\n" for mutant in chosen))
        process.stdin.close()
        for line in process.stdout:
            if line.startswith("mutant ") and not tally.done():
                tally.begin = time.monotonic()
            if line.startswith(("check ", "mutant ")):
                tally.take(line, numbered)
            words = line.split()
            if words[0] == "mutant" and words[2] == "killed":
                killers.by_key[numbered[int(words[1])].key()] = words[3]
            if sys.stderr.isatty():
                what = f"{tally.checks} checks" if not tally.done() else tally.progress()
                print(f"\r{what} ", end="", file=sys.stderr)
        return tally if process.wait() == 0 else None
    finally:
        killers.save()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--files", nargs="+", metavar="FILE",
                        help="mutants of these headers only; default: model/*.h")
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


def choose(mutants, flags):
    if flags.files:
        mutants = [mutant for mutant in mutants if mutant.path in flags.files]
    if flags.match:
        mutants = [mutant for mutant in mutants if re.search(flags.match, str(mutant))]
    if flags.sample is not None and flags.sample < len(mutants):
        chosen = set(random.Random(flags.seed).sample(range(len(mutants)), flags.sample))
        mutants = [mutant for index, mutant in enumerate(mutants) if index in chosen]
    return mutants


def main():
    flags = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    root = project_root()
    headers = sorted(f"model/{path.name}" for path in root.glob("model/*.h")
                     if path.name not in NOT_MUTATED)
    for path in flags.files or []:
        if path not in headers:
            print(f"{path}: not among the mutated headers: {' '.join(headers)}", file=sys.stderr)
            return 2
    build = Build(root, flags.folder or root / "build" / "mutation", flags.compiler, headers)
    chosen = choose(build.mutants, flags)
    if flags.list:
        print("\n".join(f"{mutant}" for mutant in chosen))
        return 0
    try:
        reasons = read_equivalent(root / "props/mutation/equivalent.txt")
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{len(chosen)} of {len(build.mutants)} mutants of {len(headers)} files, "
          f"seed {flags.seed}", flush=True)
    errors = build.make()
    if errors:
        print(f"the mutated model does not build:\n{errors}", file=sys.stderr)
        return 2
    killers = Killers(build.judge.with_name("killers"))
    tally = judge(build, chosen, reasons, flags.jobs, killers)
    if tally is None:
        print("the checks do not pass without a mutant; mend that first", file=sys.stderr)
        return 2
    keys = {mutant.key() for mutant in build.mutants}
    tally.wrong += [f"equivalent.txt names no mutant: {key}" for key in reasons if key not in keys]
    tally.report(20)
    return 1 if tally.score() < flags.require or tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
