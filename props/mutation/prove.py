#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Shows that each property can fail: for each there is a mutant that it fails for.

The properties are the GoogleTest tests of props/, the recordings and the revisions; the mutants
those of model/*.h and of the checker's own files (judge_build.py). A crash does not count: the
property itself must say that something is wrong. witnesses.txt names a mutant a property; it is tried
first, and when the property holds for it, so are all others that it reaches.

    bazel run //props:prove                             all of them
    bazel run //props:prove -- --tests '^Accounting'    some
    bazel run //props:prove -- --update                 writes what was found into witnesses.txt
    bazel run //props:prove -- --tests '^Explorer' --files sim/reduction.cc    looks there only

Exit: 0 when each property fails for the mutant that witnesses.txt names, 1 when one does not, 2 on
bad input or when the checks fail unmutated.
"""

import argparse
import os
import pathlib
import random
import re
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import judge_build  # noqa: E402

# They test what is around the properties, and have in themselves what must fail.
NOT_PROPERTIES = ("Explorer.GivesUpAtItsBoundAndSaysSo", "RecordingsTest.AnyChangedResultFails",
                  "RevisionsTest.AReferenceThatIsNeverDroppedIsFound", "StressSequenceTest",
                  "StressChecksTest", "StressWatchdogDeathTest")
HEADER = """\
# For each property a mutant that it fails for. Written by prove.py --update, which says more.
"""


def read_witnesses(path):
    """The key of a mutant by the name of a test."""
    lines = path.read_text().splitlines() if path.exists() else []
    return dict(line.split(": ", 1) for line in lines if line and not line.startswith("#"))


def options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tests", metavar="REGEX", default="",
                        help="only properties whose name matches")
    parser.add_argument("--files", nargs="+", metavar="FILE", help="mutants of these files only")
    parser.add_argument("--update", action="store_true", help="write witnesses.txt")
    parser.add_argument("--seed", type=int, default=1, help="of the order of the mutants")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--folder", type=pathlib.Path,
                        help="where to build; default: build/mutation in the project")
    return parser.parse_args()


def candidates(build, witnesses, flags):
    """Lines for the judge: first the witnesses, each with its test; then all mutants."""
    by_key = {mutant.key(): mutant for mutant in build.mutants}
    lines = [f"{by_key[key].number} {test}\n" for test, key in witnesses.items() if key in by_key]
    mutants = [mutant for mutant in build.mutants
               if not flags.files or mutant.path in flags.files]
    random.Random(flags.seed).shuffle(mutants)
    return lines + [f"{mutant.number}\n" for mutant in mutants]


def prove(build, witnesses, flags):
    """The mutant that each property fails for, by name of the test; None where there is none."""
    arguments = ["--prove", f"--jobs={flags.jobs}", f"--tests={flags.tests}",
                 *(f"--without={test}" for test in NOT_PROPERTIES)]
    numbered = {mutant.number: mutant for mutant in build.mutants}
    found = {}
    for words in build.judged(arguments, candidates(build, witnesses, flags)):
        if words[0] != "proof":
            continue
        test, mutant = words[1], numbered.get(int(words[2])) if words[2] != "none" else None
        found[test] = mutant.key() if mutant else None
        how = f"fails for {mutant.key()}" if mutant else f"FAILS FOR NONE of {words[3]} mutants"
        again = "" if not mutant or mutant.key() == witnesses.get(test) else " (new)"
        print(f"{test}: {how}{again}", flush=True)
    return found


def main():
    flags = options()
    try:
        re.compile(flags.tests)
    except re.error as error:
        print(f"--tests {flags.tests}: {error}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    root = judge_build.project_root()
    path = root / "props/mutation/witnesses.txt"
    build = judge_build.Build(root, flags.folder, flags.compiler)
    witnesses = read_witnesses(path)
    try:
        build.make()
        found = prove(build, witnesses, flags)
    except judge_build.ChecksFail as error:
        print(error, file=sys.stderr)
        return 2
    proofs = {test: key for test, key in found.items() if key}
    if flags.update:
        kept = {**witnesses, **proofs}
        path.write_text(HEADER + "".join(f"{test}: {kept[test]}\n" for test in sorted(kept)))
        witnesses = kept
    stale = [test for test, key in found.items() if witnesses.get(test) != key]
    print(f"{len(proofs)} of {len(found)} properties fail for a mutant", flush=True)
    for test in stale:
        print(f"{path.relative_to(root)}: {test}: not what it fails for; --update mends that")
    return 1 if stale or len(proofs) < len(found) or not found else 0


if __name__ == "__main__":
    sys.exit(main())
