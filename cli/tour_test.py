#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""`iomode tour` and `iomode check` together: what one writes the other accepts."""

import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

IOMODE = str(pathlib.Path("cli/iomode").resolve())


def iomode(*arguments):
    return subprocess.run([IOMODE, *arguments], capture_output=True, text=True, check=False)


class TourTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def test_files_hold_and_every_edge_is_taken(self):
        explored = iomode("explore").stdout
        edges = re.search(r"all \d+ states, (\d+) edges", explored)[1]
        tour = iomode("tour", "--out", str(self.folder))
        self.assertEqual(tour.returncode, 0, tour.stderr)
        self.assertIn(f"# v7.3: {edges} of {edges} edges taken", tour.stdout)
        scripts = int(re.search(r"# (\d+) scripts", tour.stdout)[1])
        files = sorted(self.folder.iterdir())
        self.assertEqual(len(files), scripts)
        check = iomode("check", "--quiet", str(self.folder))
        self.assertEqual((check.returncode, check.stdout),
                         (0, f"{scripts} scripts at v7.3: {scripts} hold, 0 fail\n"))

    def test_standard_output_has_the_same_scripts(self):
        bounds = ("--files", "1", "--steps", "20")
        iomode("tour", *bounds, "--out", str(self.folder))
        files = "".join("\n" + file.read_text(encoding="utf-8")
                        for file in sorted(self.folder.iterdir()))
        self.assertTrue(iomode("tour", *bounds).stdout.endswith(files))
        self.assertEqual(iomode("tour", *bounds).stdout, iomode("tour", *bounds).stdout)

    def test_what_races_is_named(self):
        tour = iomode("tour", "--kernel", "v6.9").stdout
        taken, edges = map(int, re.search(r"# v6.9: (\d+) of (\d+) edges", tour).groups())
        raced = int(re.search(r"# (\d+) edges cannot be forced, because tasks race", tour)[1])
        behind = re.search(r"# (\d+) edges cannot be forced, because they start", tour)
        self.assertGreater(raced, 0)
        self.assertEqual(taken + raced + (int(behind[1]) if behind else 0), edges)

    def test_a_bound_is_no_success(self):
        tour = iomode("tour", "--max-states", "20")
        self.assertEqual(tour.returncode, 3)
        self.assertIn("# v7.3: incomplete: ", tour.stdout)

    def test_a_folder_that_cannot_be_made_is_bad_input(self):
        file = self.folder / "file"
        file.write_text("", encoding="utf-8")
        tour = iomode("tour", "--files", "1", "--out", str(file / "below"))
        self.assertEqual(tour.returncode, 2)
        self.assertIn("file/below", tour.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2, argv=sys.argv[:1])
