#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""iomode check --shard and iomode merge: all parts together say what the whole says."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

IOMODE = os.environ.get("IOMODE") or os.path.abspath("cli/iomode")
SMALL = "inode A\nP0: open f A\nexists P0.1 == 0\n"
LARGE = """conn passthrough direct_io_allow_mmap
inode A
backing B1
{}1: backing_open B1
2: open w A DIRECT_IO|PARALLEL_DIRECT_WRITES
P0: write w
P0: write w off=4096
P1: open c A KEEP_CACHE
P1: close c
P2: open d A KEEP_CACHE
"""
LOSES = LARGE.format("expect starvation\n")
SEQUENCE = "inode A\n1: open f A -> 0\n"


class ShardTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    def run_iomode(self, *arguments, env=None):
        return subprocess.run([IOMODE, *arguments], capture_output=True, text=True, timeout=120,
                              env={**os.environ, **(env or {})})

    def parts(self, scripts, count=3):
        """The files with what each part printed."""
        files = []
        for number in range(1, count + 1):
            run = self.run_iomode("check", "--format", "json", "--shard", f"{number}/{count}",
                                  *scripts)
            files.append(self.write(f"part{number}.json", run.stdout))
        return files

    def test_merged_parts_say_what_the_whole_says(self):
        scripts = [self.write("a.iom", SMALL), self.write("b.iom", LOSES),
                   self.write("c.iom", SEQUENCE), self.write("d.iom", SMALL)]
        whole = json.loads(self.run_iomode("check", "--format", "json", *scripts).stdout)
        files = self.parts(scripts)
        merged = self.run_iomode("merge", *files)
        self.assertEqual(merged.returncode, 0, merged.stdout + merged.stderr)
        self.assertIn("4 scripts at v7.3, 3 parts: 4 hold, 0 fail\n", merged.stdout)
        outcomes = [outcome["outcome"] for script in whole["scripts"]
                    for outcome in script.get("outcomes", [])]
        self.assertGreaterEqual(len(outcomes), 3)
        for outcome in outcomes:
            self.assertIn(f" :> {outcome}\n", merged.stdout)
        of = [json.loads(pathlib.Path(file).read_text()) for file in files]
        names = [sorted(script["script"] for script in part["scripts"]) for part in of]
        self.assertEqual(sum(script in name for name in names for script in scripts), 3 + 3 * 1)
        self.assertTrue(all(scripts[1] in name for name in names), "b.iom was not divided")

    def test_what_no_part_finds_fails_the_whole(self):
        for script, problem in (
                (LARGE.format("") + "exists P1.1 == ENOENT\n", "does not hold: exists"),
                (LARGE.format("expect starvation\nexpect deadlock\n"),
                 "expected finding deadlock was not found")):
            path = self.write("a.iom", script)
            run = self.run_iomode("check", "--shard", "1/2", path)
            files = self.parts([path], 2)
            merged = self.run_iomode("merge", "--quiet", *files)
            self.assertEqual(merged.returncode, 1, merged.stdout)
            self.assertIn(problem, merged.stdout)
            self.assertIn("part 1/2: ", run.stdout)

    def test_what_one_part_finds_fails_it_and_the_whole(self):
        for more, problem in (("never P1.1 == 0\n", "does not hold: never P1.1 == 0"),
                              ("", "finding starvation")):
            path = self.write("a.iom", LARGE.format("") + more)
            runs = [self.run_iomode("check", "--shard", f"{n}/2", path) for n in (1, 2)]
            self.assertIn(1, [run.returncode for run in runs])
            merged = self.run_iomode("merge", *self.parts([path], 2))
            self.assertEqual(merged.returncode, 1)
            self.assertIn(problem, merged.stdout)

    def test_a_part_at_its_bound_leaves_the_whole_incomplete(self):
        path = self.write("a.iom", LOSES)
        run = self.run_iomode("check", "--shard", "1/2", "--max-states", "300", path)
        self.assertEqual(run.returncode, 3, run.stdout)
        self.assertIn("incomplete: bound of 300 states; part 1/2: ", run.stdout)
        files = self.parts([path], 2)
        cut = self.run_iomode("check", "--format", "json", "--shard", "1/2", "--max-states", "300",
                              path)
        pathlib.Path(files[0]).write_text(cut.stdout)
        merged = self.run_iomode("merge", *files)
        self.assertEqual(merged.returncode, 3, merged.stdout)

    def test_parts_that_do_not_fit_are_refused(self):
        path = self.write("a.iom", LOSES)
        other = self.write("b.iom", SMALL)
        files = self.parts([path])
        whole = self.write("whole.json", self.run_iomode("check", "--format", "json", path).stdout)
        four = self.write("four.json", self.run_iomode("check", "--format", "json", "--shard", "3/4",
                                                       path).stdout)
        more = self.write("more.json", self.run_iomode("check", "--format", "json", "--shard", "3/3",
                                                       path, other).stdout)
        for given, problem in ((files[:2], "part 3/3 is missing"),
                               ([*files, files[0]], "is part 1/3, as "),
                               ([*files[:2], whole], "is of no part"),
                               ([*files[:2], four], "is part 3/4 at v7.3; the first file's is of 3"),
                               ([*files[:2], more], "b.iom: "),
                               ([self.write("bad.json", "{")], "is no part's JSON"),
                               (["no-such-file"], "cannot be read")):
            run = self.run_iomode("merge", *given)
            self.assertEqual(run.returncode, 2, run.stdout)
            self.assertIn(problem, run.stderr)

    def test_the_test_environment_names_the_part(self):
        path = self.write("a.iom", LOSES)
        status = self.folder / "status"
        run = self.run_iomode("check", "--shard", "env", path,
                              env={"TEST_SHARD_INDEX": "1", "TEST_TOTAL_SHARDS": "2",
                                   "TEST_SHARD_STATUS_FILE": str(status)})
        self.assertIn("part 2/2: ", run.stdout)
        self.assertTrue(status.exists())
        for name in ("TEST_SHARD_INDEX", "TEST_TOTAL_SHARDS"):
            os.environ.pop(name, None)
        self.assertNotIn("part", self.run_iomode("check", "--shard", "env", path).stdout)

    def test_a_wrong_part_is_refused(self):
        path = self.write("a.iom", SMALL)
        for shard in ("0/2", "3/2", "2", "a/b"):
            run = self.run_iomode("check", "--shard", shard, path)
            self.assertEqual(run.returncode, 2)
            self.assertIn("--shard: ", run.stderr)
        run = self.run_iomode("check", "--shard", "1/2", "--mode", "random", path)
        self.assertEqual(run.returncode, 2)
        self.assertIn("divide samples by --seed", run.stderr)


if __name__ == "__main__":
    unittest.main()
