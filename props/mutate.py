#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Mutation run: breaks the model one statement at a time and sees whether a check notices.

Each mutant is one small change to one line of model/*.h. It is built in a temporary copy with the
compiler directly and held against `iomode check scenarios/` and the property tests. A mutant that
passes all of them survives: a rule that no scenario and no property pins down, or a change that
makes no difference. The tree itself is not touched.

    props/mutate.py --sample 40 --seed 1      a fixed sample
    props/mutate.py --files model/iomode.h    every mutant of one file
    props/mutate.py --list                    what there is to mutate

Exit: 0 when the run is complete, 1 when --require is not met, 2 on bad input or when the tree does
not pass its own checks unmutated.
"""

import argparse
import concurrent.futures
import glob
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

COPIED = ("model", "sim", "cli", "props", "scenarios")
# Declarations only; nothing there that runs.
NOT_MUTATED = ("uapi.h", "fuse_i.h", "revision.h", "world.h")
TESTS = {
    "sequence_properties_test": ["sequence_properties_test", "open_rules_oracle", "random_script",
                                 "script_builder"],
    "explorer_test": ["explorer_test", "naive_enumerator", "random_script", "script_builder"],
}
FLAGS = ["-std=c++20", "-O0", "-w"]
LIMIT = 180  # seconds for one check of one mutant; beyond it the mutant hangs and is caught

# What only tells or asserts, and calls of another implementation of a function.
NEUTRAL = re.compile(r"W::(Function|operation|WARN_ON|FALSE_BUSY)|\bops\b")
PAIRED = re.compile(r"spin_(un)?lock|(down|up)_(read|write)|refcount_(inc|dec)|_put\(|_get\(|wake_up")
STATEMENT = re.compile(r"^\s+(?!return\b|using\b|typename\b|template\b|const\b|constexpr\b|break\b|"
                       r"continue\b|case\b|static\b|friend\b)[A-Za-z_*(][^{}]*;$")
DECLARATION = re.compile(r"^\s+[A-Za-z_][\w:<>]*[ *&]+\w+( = [^;]*)?;$")
CONDITION = re.compile(r"\b(if|while) \((?!constexpr)(.*)\)( \{| return.*;| continue;| break;|$)")
OFF_BY_ONE = ((" + 1", " + 2"), (" - 1", ""), (" > 0", " >= 0"), (" <= 0", " < 0"),
              (" == 0", " == 1"), (" < 0", " <= 0"), (" >= ", " > "), ("++", "+= 2"), ("--", "-= 2"))


class Mutant:
    """One change: line `number` (1-based) of `path` becomes `text`."""

    def __init__(self, path, number, operator, old, text):
        self.path, self.number, self.operator, self.old, self.text = path, number, operator, old, text

    def __str__(self):
        shown = "" if self.operator in ("delete", "duplicate") else " => " + self.text.strip()
        return f"{self.path}:{self.number}: {self.operator}: {self.old.strip()}{shown}"


def mutants_of(root, path):
    """All mutants of one header, in order of lines."""
    lines = (root / path).read_text().split("\n")
    for index, line in enumerate(lines):
        code = line.split("//")[0].rstrip()
        if not code or code.startswith("#") or NEUTRAL.search(code):
            continue

        def mutant(operator, text):
            return Mutant(path, index + 1, operator, line, text)

        whole = STATEMENT.match(code) and code.count("(") == code.count(")")
        if whole and not DECLARATION.match(code):
            previous = lines[index - 1].rstrip()
            if not previous.endswith(("(", ",", "=", "&&", "||", "?", "<<")):
                yield mutant("delete", "  ;")
                if PAIRED.search(code):
                    yield mutant("duplicate", code + " " + code.strip())
        match = CONDITION.search(code)
        if match and match.group(2).count("(") == match.group(2).count(")"):
            begin, end = match.span(2)
            yield mutant("negate", f"{code[:begin]}!({match.group(2)}){code[end:]}")
        for old, new in OFF_BY_ONE:
            if old in code and "for (" not in code and "template" not in code:
                yield mutant("off by one", code.replace(old, new, 1))


class Build:
    """A copy of the tree with its objects, and the programs made of them."""

    def __init__(self, root, folder, compiler):
        self.folder, self.compiler = folder, compiler
        for name in COPIED:
            shutil.copytree(root / name, folder / name,
                            ignore=shutil.ignore_patterns("bazel-*", "__pycache__"))
        (folder / "obj").mkdir()
        pieces = lambda pattern: sorted(str(p.relative_to(folder)) for p in folder.glob(pattern)
                                        if not p.name.endswith("_test.cc"))
        self.core = pieces("model/*.cc") + pieces("sim/*.cc")
        self.programs = {"iomode": pieces("cli/*.cc")}
        for test, parts in TESTS.items():
            self.programs[test] = [f"props/{part}.cc" for part in parts]
        self.affected = []

    def object(self, source):
        return str(self.folder / "obj" / source.replace("/", "_").replace(".cc", ".o"))

    def compile(self, sources):
        """Compiles in parallel; false when the compiler refuses one."""
        def one(source):
            command = [self.compiler, *FLAGS, f"-I{self.folder}", "-c", str(self.folder / source),
                       "-o", self.object(source)]
            return subprocess.run(command, capture_output=True, text=True)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            results = list(pool.map(one, sources))
        self.errors = "".join(result.stderr for result in results)
        return all(result.returncode == 0 for result in results)

    def link(self):
        absl = sorted(glob.glob("/usr/lib/*/libabsl_*.a"))
        for program, sources in self.programs.items():
            test = program != "iomode"
            libraries = ["-Wl,--start-group", *absl, "-Wl,--end-group", "-l:libboost_context.a"]
            if test:
                libraries += ["-l:librapidcheck.a", "-l:libgmock_main.a", "-l:libgmock.a",
                              "-l:libgtest.a"]
            command = [self.compiler, *[self.object(s) for s in self.core + sources],
                       *libraries, "-pthread", "-o", str(self.folder / program)]
            result = subprocess.run(command, capture_output=True, text=True)
            if result.returncode != 0:
                self.errors = result.stderr
                return False
        return True

    def build_all(self):
        sources = sorted(set(self.core + sum(self.programs.values(), [])))
        if not self.compile(sources) or not self.link():
            return False
        # Without optimisation nothing is inlined, so only objects that hold a copy of a function
        # of a header can change with it.
        free_function = re.compile(r" W (?:\S+ )*iomode::\w+(<.*>)?\(")
        for source in sources:
            names = subprocess.run(["nm", "-C", self.object(source)], capture_output=True, text=True)
            if free_function.search(names.stdout):
                self.affected.append(source)
        return True

    def run(self, *command):
        """The exit code, or None on a time-out."""
        process = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            return process.wait(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            return None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def caught_by(self):
        """The first check that fails, or None."""
        checks = [("check", ["./iomode", "check", "--quiet", "scenarios/"])]
        checks += [(test, [f"./{test}"]) for test in TESTS]
        for name, command in checks:
            code = self.run(*command)
            if code != 0:
                return name + (" (hangs)" if code is None else "")
        return None


def verdict_of(build, mutant):
    path = build.folder / mutant.path
    original = path.read_text()
    lines = original.split("\n")
    lines[mutant.number - 1] = mutant.text
    path.write_text("\n".join(lines))
    try:
        if not build.compile(build.affected) or not build.link():
            return "invalid"
        return build.caught_by() or "survived"
    finally:
        path.write_text(original)


def options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--files", nargs="+", metavar="FILE", help="headers to mutate; default: model/*.h")
    parser.add_argument("--sample", type=int, metavar="N", help="only N mutants, picked by --seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--list", action="store_true", help="print the mutants and stop")
    parser.add_argument("--require", type=float, default=0, metavar="PERCENT",
                        help="exit 1 when fewer are caught")
    return parser.parse_args()


def main():
    flags = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    root = pathlib.Path(__file__).resolve().parent.parent
    if "BUILD_WORKSPACE_DIRECTORY" in os.environ:
        root = pathlib.Path(os.environ["BUILD_WORKSPACE_DIRECTORY"])
    files = flags.files or sorted(str(p.relative_to(root)) for p in root.glob("model/*.h")
                                  if p.name not in NOT_MUTATED)
    for path in files:
        if not (root / path).is_file():
            print(f"{path}: no such file below {root}, expected a header such as model/iomode.h",
                  file=sys.stderr)
            return 2
    mutants = [mutant for path in files for mutant in mutants_of(root, path)]
    total = len(mutants)
    if flags.sample is not None and flags.sample < total:
        chosen = set(random.Random(flags.seed).sample(range(total), flags.sample))
        mutants = [mutant for index, mutant in enumerate(mutants) if index in chosen]
    if flags.list:
        print("\n".join(map(str, mutants)))
        return 0
    print(f"{len(mutants)} of {total} mutants of {len(files)} files, seed {flags.seed}", flush=True)

    with tempfile.TemporaryDirectory(prefix="iomode-mutate-") as folder:
        build = Build(root, pathlib.Path(folder), flags.compiler)
        if not build.build_all():
            print(f"the unmutated tree does not build:\n{build.errors}", file=sys.stderr)
            return 2
        failing = build.caught_by()
        if failing:
            print(f"the unmutated tree fails {failing}; mend that first", file=sys.stderr)
            return 2
        return judge(build, mutants, flags)


def judge(build, mutants, flags):
    begin = time.monotonic()
    tally = {}
    survivors = []
    for done, mutant in enumerate(mutants, 1):
        verdict = verdict_of(build, mutant)
        tally[verdict] = tally.get(verdict, 0) + 1
        if verdict == "survived":
            survivors.append(mutant)
        left = (time.monotonic() - begin) / done * (len(mutants) - done) / 60
        print(f"[{done}/{len(mutants)}, {left:.0f} min left] {verdict}: {mutant}", flush=True)
    valid = len(mutants) - tally.get("invalid", 0)
    caught = valid - len(survivors)
    score = 100 * caught / valid if valid else 100.0
    print(f"\nscore {score:.1f} %: {caught} of {valid} caught ({tally.get('invalid', 0)} do not build)")
    for verdict in sorted(set(tally) - {"survived", "invalid"}):
        print(f"  by {verdict}: {tally[verdict]}")
    if survivors:
        print("survivors:")
        for mutant in survivors:
            print(f"  {mutant}")
    return 1 if score < flags.require else 0


if __name__ == "__main__":
    sys.exit(main())
