#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Coverage of an exploration: which of the model's functions and branches, and which rules of the
revision table, it takes, and which it never does.

    bazel run //props:cover                                  all scripts of scenarios/
    bazel run //props:cover -- scenarios/litmus              some
    bazel run //props:cover -- --kernel v6.12 scenarios      at one revision
    bazel run //props:cover -- --graph                       the op-level graph, and no scripts

A branch is a condition of an if or a loop, or a bool that is declared or returned; it is covered
when it was true in one state and false in another. A rule is taken when the model asked for it.
Exit: 0 when the exploration is complete, 3 when it is not, 2 on bad input.
"""

import argparse
import collections
import pathlib
import re
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import judge_build  # noqa: E402
import mutants as reading  # noqa: E402

REACHED, WAS_FALSE, WAS_TRUE = 1, 2, 4
CONSTANT = re.compile(r"\b(true|false)$")


def options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("paths", nargs="*", metavar="PATH", help="scripts, or folders of them")
    parser.add_argument("--kernel", default="", help="judges all scripts; default: each its own")
    parser.add_argument("--graph", action="store_true",
                        help="walk the op-level graph at its default bounds, too")
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--folder", type=pathlib.Path,
                        help="where to build; default: build/mutation in the project")
    return parser.parse_args()


def rule_names(root):
    """The rules of the revision table, in its order."""
    text = (root / "model/revision.h").read_text()
    rows = re.search(r"struct Rules \{\n(.*?)\n\};", text, re.S)[1]
    return re.findall(r"^\s*\w+ (\w+);", rows, re.M)


class Coverage:
    """The places of the model with the bits of how they were passed."""

    def __init__(self, places, bits):
        self.places, self.bits = places, bits

    def functions(self):
        """Each function by the first line of its places, with whether it was entered."""
        entered = {}
        for place in self.places:
            if place.operator == "enter":
                entered[(place.path, place.line, place.function)] = self.bits[place.number] != 0
        return entered

    def branches(self):
        """Each condition of a function that was entered, with how it never went: "true", "false",
        "asked for", or "" when it went both ways."""
        inside = {(path, function): any(
            self.bits[p.number] for p in self.places if (p.path, p.function) == (path, function))
            for path, function in {(p.path, p.function) for p in self.places}}
        missing = {0: "asked for", REACHED | WAS_FALSE: "true", REACHED | WAS_TRUE: "false"}
        return {place: missing.get(self.bits[place.number], "") for place in self.places
                if place.operator == "negate" and not CONSTANT.search(place.code)
                and inside[(place.path, place.function)]}

    def rules_taken(self):
        return {name for place in self.places if self.bits[place.number]
                for name in reading.RULE.findall(place.code)}

    def report(self, names):
        taken = self.rules_taken()
        never = [name for name in names if name not in taken]
        print(f"rules      {len(names) - len(never)} of {len(names)} asked for")
        for name in never:
            print(f"  never: {name}")
        functions = self.functions()
        entered = sum(functions.values())
        print(f"functions  {entered} of {len(functions)} entered")
        for (path, line, function), was in functions.items():
            if not was:
                print(f"  never: {path}:{line}: {function}")
        branches = self.branches()
        both = sum(not how for how in branches.values())
        print(f"branches   {both} of {len(branches)} both ways, of the functions entered")
        for place, how in branches.items():
            if how:
                print(f"  never {how}: {place.path}:{place.line}: {place.function}: {place.code}")


def main():
    flags = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    root = judge_build.project_root()
    build = judge_build.Build(root, flags.folder, flags.compiler)
    paths = flags.paths or ([] if flags.graph else ["scenarios"])
    arguments = ["--cover", f"--kernel={flags.kernel}", *(["--graph"] if flags.graph else []),
                 *paths]
    bits, revisions, complete = collections.defaultdict(int), [], True
    try:
        build.make()
        for words in build.judged(arguments, []):
            if words[0] == "place":
                bits[int(words[1])] = int(words[2])
            elif words[0] == "revision":
                revisions.append(words[1])
            else:
                complete &= words[-1] == "complete"
                if words[0] == "graph":
                    print(f"graph of {words[1]}: {words[2]} states, {words[3]} edges, {words[4]}")
                elif paths:
                    print(f"{words[1]} scripts: {words[2]} states, {words[3]} transitions, "
                          f"{words[4]}")
    except judge_build.ChecksFail as error:
        print(error, file=sys.stderr)
        return 2
    print(f"at {' '.join(revisions)}")
    places = [place for place in build.places if place.path in build.headers]
    Coverage(places, bits).report(rule_names(root))
    return 0 if complete else 3


if __name__ == "__main__":
    sys.exit(main())
