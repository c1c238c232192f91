#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The documents quote what the command prints.

Every fenced block of README.md and docs/ that is marked `console` is held against the command:
each line after `$ ` runs in a shell, in a folder that has iomode and scenarios/ as the project's
root has, and the lines below it are its output, stderr included. A line `...` stands for any
lines, `...` within a line for any text: counts of states that were told apart differ from one
compiler to the next. A file that the command names and that does not exist is the block just before.
Blocks that no machine can repeat (times, a kernel, the build) are not marked.
"""

import difflib
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path.cwd()
FENCE = re.compile(r"^```(\S*)\n(.*?)^```$", re.M | re.S)


def documents():
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def quotes(block):
    """The (command, output) pairs of a console block."""
    for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
        command, _, output = part.partition("\n")
        yield command, output.rstrip("\n") + "\n" if output.strip() else ""


def pattern(output):
    lines = output.splitlines(keepends=True)
    return "".join(
        "(?:.*\n)*?" if line.strip() == "..." else re.escape(line).replace(r"\.\.\.", ".*")
        for line in lines)


def difference(quoted, printed):
    lines = list(difflib.unified_diff(quoted.splitlines(True), printed.splitlines(True),
                                      "quoted", "printed", n=1))
    return "".join(lines[:60])


class QuotesTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "iomode").symlink_to(ROOT / "cli/iomode")
        (self.folder / "scenarios").symlink_to(ROOT / "scenarios")

    def hold(self, document, block, block_before):
        script = re.search(r"\s(\w+\.iom)\b", block)
        if script and not (self.folder / script[1]).exists():
            (self.folder / script[1]).write_text(block_before, encoding="utf-8")
        for command, quoted in quotes(block):
            ran = subprocess.run(["bash", "-c", command], cwd=self.folder, text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            with self.subTest(document=document.name, command=command):
                self.assertTrue(re.fullmatch(pattern(quoted), ran.stdout),
                                f"\n{document}: $ {command}\n{difference(quoted, ran.stdout)}")

    def test_console_blocks_are_what_the_command_prints(self):
        held = 0
        for document in documents():
            before = ""
            for mark, block in FENCE.findall(document.read_text(encoding="utf-8")):
                if mark == "console":
                    self.hold(document, block, before)
                    held += 1
                before = block
        self.assertGreater(held, 5, "the documents mark blocks as `console`")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
