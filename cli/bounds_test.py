#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Bounds on long work, progress on a terminal, and signals: what all commands of iomode do alike."""

import json
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import tempfile
import time
import unittest

IOMODE = os.environ.get("IOMODE") or os.path.abspath("cli/iomode")

# Far more interleavings than any of these tests has time for, and nothing that goes wrong.
ENDLESS = """conn passthrough
inode A
backing B1
1: backing_open B1
""" + "".join(f"P{i}: open f{i} A KEEP_CACHE\nP{i}: read f{i}\nP{i}: close f{i}\n" for i in range(8))
NEVER = ENDLESS + "never P0.1 == ENOENT\n"
BROKEN = ENDLESS + "never P0.1 == 0\n"
EXISTS = ENDLESS + "exists P0.1 == 0\nexists P0.1 == ENOENT\n"
NO_BOUND = ("--max-states", "1000000000")
SMALL = "inode A\n1: open f A -> 0\n"


class BoundsTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def script(self, text, name="script.iom"):
        path = pathlib.Path(self.folder.name) / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    def run_iomode(self, *arguments):
        return subprocess.run([IOMODE, *arguments], capture_output=True, text=True, timeout=60)

    def start_on_terminal(self, *arguments):
        """Starts iomode with standard error on a pseudo terminal; gives the process and the fd."""
        terminal, end = pty.openpty()
        self.addCleanup(os.close, terminal)
        process = subprocess.Popen(
            [IOMODE, *arguments], stdout=subprocess.PIPE, stderr=end, text=True)
        os.close(end)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process, terminal

    def read_until(self, terminal, pattern, seconds=30):
        """What the terminal shows up to the first match of the pattern."""
        text = ""
        end = time.monotonic() + seconds
        while not re.search(pattern, text):
            ready, _, _ = select.select([terminal], [], [], max(0, end - time.monotonic()))
            self.assertTrue(ready, f"no {pattern} on the terminal, but {text!r}")
            text += os.read(terminal, 4096).decode()
        return text

    def test_bound_on_states(self):
        ran = self.run_iomode("check", self.script(NEVER), "--max-states", "700")
        self.assertEqual(ran.returncode, 3)
        self.assertIn("incomplete: bound of 700 states; 700 states, ", ran.stdout)
        self.assertNotIn("holds", ran.stdout)
        self.assertIn("open   never", ran.stdout)
        self.assertNotRegex(ran.stdout, r"(?m)^ok")

    def test_bound_on_pairs(self):
        ran = self.run_iomode("diff", "v6.12", "v6.12", "--steps", "3")
        self.assertEqual(ran.returncode, 0, ran.stdout)
        self.assertIn("no difference within", ran.stdout)
        self.assertIn(", 12000 pairs of states a connection; ", ran.stdout)
        ran = self.run_iomode("diff", "v6.12", "v6.12", "--max-states", "100")
        self.assertEqual(ran.returncode, 3, ran.stdout)
        self.assertIn("incomplete: bound of pairs", ran.stdout)

    def test_bound_on_time(self):
        begin = time.monotonic()
        ran = self.run_iomode("check", self.script(NEVER), *NO_BOUND, "--max-time", "1.5")
        self.assertEqual(ran.returncode, 3)
        self.assertIn("incomplete: bound of 1.5 s; ", ran.stdout)
        self.assertGreaterEqual(time.monotonic() - begin, 1.5)
        self.assertLess(time.monotonic() - begin, 15)

    def test_bound_on_memory(self):
        process = subprocess.Popen(
            [IOMODE, "check", self.script(NEVER), *NO_BOUND, "--max-memory", "24M",
             "--max-time", "50"],
            stdout=subprocess.PIPE, text=True)
        output = process.stdout.read()
        process.stdout.close()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 3)
        self.assertIn("incomplete: bound of 24 MiB; ", output)
        # AddressSanitizer's own memory grows after the bound is met, too.
        sanitized = b"__asan_init" in pathlib.Path(IOMODE).read_bytes()
        self.assertLess(usage.ru_maxrss, (40 if sanitized else 28) << 10)

    def test_what_is_decided_before_the_bound_counts(self):
        ran = self.run_iomode(
            "check", self.script(BROKEN), "--max-states", "5000", "--no-stories")
        self.assertEqual(ran.returncode, 1)
        self.assertIn("does not hold: never P0.1 == 0", ran.stdout)
        ran = self.run_iomode("check", self.script(EXISTS), "--max-states", "5000")
        self.assertEqual(ran.returncode, 3)
        self.assertIn("holds  exists P0.1 == 0", ran.stdout)
        self.assertIn("open   exists P0.1 == ENOENT", ran.stdout)

    def test_stories_can_be_left_out(self):
        path = self.script("inode A\nP0: open f A\nP1: open g A\nnever P0.1 == 0\n")
        told = self.run_iomode("check", path)
        short = self.run_iomode("check", "--no-stories", path)
        self.assertEqual((told.returncode, short.returncode), (1, 1))
        left = [line for line in told.stdout.splitlines()
                if "story of" not in line and "--replay" not in line]
        self.assertLess(len(left), len(told.stdout.splitlines()))
        self.assertEqual(short.stdout.splitlines(), left)

    def test_scripts_that_time_leaves_over_are_no_pass(self):
        scripts = [self.script(NEVER, "a.iom"), self.script(SMALL, "b.iom")]
        junit = self.folder.name + "/junit.xml"
        ran = self.run_iomode(
            "check", *scripts, *NO_BOUND, "--max-time", "1", "--junit", junit)
        self.assertEqual(ran.returncode, 3)
        self.assertIn("0 hold, 0 fail, 1 incomplete, 1 not checked: bound of 1 s", ran.stdout)
        self.assertIn("not checked", pathlib.Path(junit).read_text(encoding="utf-8"))

    def test_json_says_why(self):
        ran = self.run_iomode(
            "check", self.script(EXISTS), "--max-states", "5000", "--format", "json")
        self.assertEqual(ran.returncode, 3)
        report = json.loads(ran.stdout)
        self.assertFalse(report["complete"])
        self.assertEqual(report["scripts"][0]["stopped"], "bound of 5000 states")
        self.assertEqual([c["holds"] for c in report["scripts"][0]["conditions"]], [True, None])

    def test_progress_and_control_c(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number):
                process, terminal = self.start_on_terminal(
                    "check", self.script(NEVER), *NO_BOUND)
                shown = self.read_until(terminal, r"frontier .*perhaps of [\d,]+")
                self.assertRegex(
                    shown, r"1/1 .*script.iom: [\d,]+ states, [\d,]+/s, frontier [\d,]+, \d+ MiB, "
                    r"perhaps of [\d,]+")
                process.send_signal(number)
                output = process.stdout.read()
                self.assertEqual(process.wait(30), 3)
                self.assertRegex(
                    output, r"incomplete: interrupted; \d+ states, \d+ transitions explored")
                self.assertNotIn("frontier", output)

    def test_no_progress_in_a_pipe(self):
        ran = self.run_iomode("check", self.script(NEVER), *NO_BOUND, "--max-time", "2")
        self.assertEqual(ran.stderr, "")

    def test_explore(self):
        big = ("explore", "--files", "4", "--writes", "2", "--backings", "2", "--maps", "2")
        process, terminal = self.start_on_terminal(*big)
        self.read_until(terminal, r"[\d,]+ states, [\d,]+/s, frontier [\d,]+, \d+ MiB")
        process.send_signal(signal.SIGINT)
        output = process.stdout.read()
        self.assertEqual(process.wait(60), 3)
        self.assertRegex(output, r"incomplete: interrupted; \d+ states")
        ran = self.run_iomode(*big, "--max-time", "1")
        self.assertEqual(ran.returncode, 3)
        self.assertRegex(ran.stdout, r"incomplete: bound of 1 s; \d+ states")
        ran = self.run_iomode(*big, "--max-memory", "20M")
        self.assertEqual(ran.returncode, 3)
        self.assertRegex(ran.stdout, r"incomplete: bound of 20 MiB; \d+ states")
        ran = self.run_iomode(*big, "--max-states", "50")
        self.assertEqual(ran.returncode, 3)
        self.assertIn("incomplete: bound of 50 states; 50 states", ran.stdout)

    def test_diff(self):
        big = ("diff", "v6.12", "v6.18", "--files", "4", "--steps", "12")
        process, terminal = self.start_on_terminal(*big)
        self.read_until(terminal, r"[\d,]+ states, [\d,]+/s, frontier [\d,]+")
        process.send_signal(signal.SIGINT)
        output = process.stdout.read()
        self.assertEqual(process.wait(60), 3)
        self.assertIn("incomplete: interrupted", output)
        ran = self.run_iomode(*big, "--max-time", "1")
        self.assertEqual(ran.returncode, 3)
        self.assertIn("incomplete: bound of 1 s", ran.stdout)

    def test_bad_bounds(self):
        for option in (("--max-memory", "lots"), ("--max-time", "5y"), ("--max-states", "-3")):
            ran = self.run_iomode("check", self.script(SMALL), *option)
            self.assertEqual(ran.returncode, 2, option)


if __name__ == "__main__":
    unittest.main()
