# SPDX-License-Identifier: GPL-2.0-only
"""The judge (judge.cc), built with all mutants of some files in it (mutants.py)."""

import concurrent.futures
import glob
import os
import pathlib
import signal
import subprocess

import mutants as reading

COPIED = ("model", "sim", "props")
# Declarations only, or rows of data that //sim:revisions_test flips one by one; nothing there runs.
NOT_MUTATED = ("uapi.h", "fuse_i.h", "racy.h", "revision.h", "world.h")
SOURCES = ("model/*.cc", "sim/*.cc", "props/random_script.cc", "props/script_builder.cc",
           "props/*_oracle.cc", "props/naive_enumerator.cc", "props/sequential_orders.cc",
           "props/native_*.cc", "props/scenes.cc", "props/stress_*.cc", "props/mutation/*.cc")
TESTS = ("sim/recordings_test.cc", "sim/revisions_test.cc", "props/sequence_properties_test.cc",
         "props/explorer_test.cc", "props/linearizability_test.cc", "props/worlds_test.cc",
         "props/faults_test.cc", "props/native_stress_test.cc")
# Parts of the checker that properties are about. What runs on a fiber is not among them: the
# questions for mutants would need larger stacks.
CHECKER = ("sim/change_log.cc", "sim/explorer.cc", "sim/litmus.cc", "sim/native_world.cc",
           "sim/reduction.cc", "sim/runner.cc", "sim/sampler.cc", "sim/script.cc",
           "sim/script_lexer.cc", "sim/script_parser.cc", "sim/script_step_parser.cc",
           "sim/visited_set.cc")
LINES = ("check ", "mutant ", "proof ", "explored ", "graph ", "revision ", "place ")
FLAGS = ["-std=c++20", "-O1", "-w"]


class ChecksFail(Exception):
    """The judge does not build, or gives up: a check fails without a mutant, say."""


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

    def __init__(self, root, folder, compiler):
        self.headers = sorted(f"model/{path.name}" for path in root.glob("model/*.h")
                              if path.name not in NOT_MUTATED)
        mutated = (*self.headers, *CHECKER)
        folder = folder or root / "build" / "mutation"
        self.root, self.tree, self.compiler = root, folder / "tree", compiler
        self.objects = folder / "objects"
        self.objects.mkdir(parents=True, exist_ok=True)
        self.judge = folder / "judge"
        self.mutants, self.places = [], []
        copied = set()
        for name in COPIED:
            for path in sorted(root.glob(f"{name}/**/*")):
                relative = path.relative_to(root)
                if path.suffix not in (".h", ".cc"):
                    continue
                copied.add(self.tree / relative)
                text = path.read_text()
                if str(relative) in mutated:
                    text = self._mutated(str(relative), text)
                write_if_changed(self.tree / relative, text)
        for path in self.tree.glob("**/*"):
            if path.is_file() and path not in copied:
                path.unlink()

    def _mutated(self, path, text):
        schemata = reading.Schemata(path, text, len(self.places) + 1)
        self.mutants += schemata.mutants
        self.places += schemata.places
        opening = "namespace iomode {"
        line = schemata.text[:schemata.text.index(opening)].count("\n") + 1
        include = f'#include "props/mutation/mutant.h"\n#line {line} "{path}"\n'
        return schemata.text.replace(opening, include + opening, 1)

    def sources(self):
        found = [path for pattern in SOURCES for path in sorted(self.tree.glob(pattern))]
        found = [path for path in found if not path.name.endswith("_test.cc")]
        return found + [self.tree / test for test in TESTS]

    def make(self):
        """Builds the judge, or raises ChecksFail with what the compiler says."""
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            errors = "".join(pool.map(self._compile, self.sources())) or self._link()
        if errors:
            raise ChecksFail(f"the mutated tree does not build:\n{errors}")

    def judged(self, arguments, lines):
        """Gives the judge its input; yields the words of each line that it prints, as it comes.
        Raises ChecksFail when it gives up: a check fails without a mutant, a script is bad. The judge ends with the caller."""
        process = subprocess.Popen([str(self.judge), *arguments], cwd=self.root,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                   start_new_session=True)
        try:
            process.stdin.write("".join(lines))
            process.stdin.close()
            for line in process.stdout:
                if line.startswith(LINES):
                    yield line.split()
            if process.wait() != 0:
                raise ChecksFail("the judge gives up; what it says stands above")
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _link(self):
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
        own = [f"-Dmain=main_of_{source.stem}"] if str(source.relative_to(self.tree)) in TESTS else []
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


