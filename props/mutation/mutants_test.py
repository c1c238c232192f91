#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests of mutants.py: which mutants a piece of the model has, and the text with them in it."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import mutants  # noqa: E402
import mutate  # noqa: E402

CODE = """\
namespace iomode {
// if (a comment) is no code;
template <class W>
[[gnu::noinline]] bool f(Inode<W>& fi) {
  const int ctr = fi.ctr + 1;
  W::spin_lock(fi.lock);
  if (ctr > 0) return false;
  W::wait_event(fi.queue, [&fi] {
    return fi.ctr == 0;
  });
  for (int i = 0; i < fi.n; i++) fi.sum += i;
  return ctr < 2;
}
template <class W>
int g(Inode<W>& fi) {
  if (const auto* ops = fi.ops; ops != nullptr) return ops->g(fi);
  return -EIO;
}
}
"""


def found(code):
    schemata = mutants.Schemata("x.h", code, 1)
    return [(m.line, m.function, m.operator, m.code) for m in schemata.mutants]


class MutantsTest(unittest.TestCase):

    def test_every_operator_finds_its_places(self):
        self.assertEqual(found(CODE), [
            (5, "f", "off by one", "const int ctr = fi.ctr [+ 1] ;"),
            (6, "f", "delete", "W::spin_lock(fi.lock);"),
            (6, "f", "duplicate", "W::spin_lock(fi.lock);"),
            (7, "f", "negate", "ctr > 0"),
            (7, "f", "off by one", "ctr [> 0]"),
            (7, "f", "negate", "return false"),
            (8, "f", "delete", "W::wait_event(fi.queue, [&fi] { return fi.ctr == 0; });"),
            (9, "f", "negate", "return fi.ctr == 0"),
            (9, "f", "off by one", "return fi.ctr [== 0] ;"),
            (11, "f", "off by one", "int i = 0; i [<] fi.n; i++"),
            (11, "f", "off by one", "int i = 0; i < fi.n; i [++]"),
            (11, "f", "delete", "fi.sum += i;"),
            (12, "f", "negate", "return ctr < 2"),
            (12, "f", "off by one", "return ctr [<] 2;"),
            (16, "g", "negate", "ops != nullptr"),
            (17, "g", "no error", "return -EIO"),
        ])

    def test_the_text_keeps_its_lines_and_names_each_mutant_once(self):
        schemata = mutants.Schemata("x.h", CODE, 7)
        self.assertEqual(schemata.text.count("\n"), CODE.count("\n"))
        for mutant in schemata.mutants:
            self.assertEqual(schemata.text.count(f"Mutant({mutant.number})"), 1)
        self.assertIn("if (const auto* ops = fi.ops; "
                      "(Mutant(21) != static_cast<bool>(ops != nullptr)))", schemata.text)

    def test_keys_are_unique(self):
        schemata = mutants.Schemata("x.h", "int f() {\n  a = 1;\n  a = 1;\n}\n", 1)
        keys = [m.key() for m in schemata.mutants]
        self.assertEqual(keys, ["x.h f: delete: a = 1;", "x.h f: delete: a = 1; #2"])

    def test_only_calls_come_in_two(self):
        self.assertEqual([m[2] for m in found("int f() {\n  a->count = 1;\n}\n")], ["delete"])

    def test_declarations_stay(self):
        self.assertEqual(found("int f() {\n  FuseArgs<W> args = {};\n  const Rules& r = *fc.rules;\n"
                               "  using W = X;\n  int err;\n  static_assert(true);\n}\n"), [])


class EquivalentTest(unittest.TestCase):

    def read(self, text):
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write(text)
            file.flush()
            return mutate.read_equivalent(pathlib.Path(file.name))

    def test_a_reason_is_for_what_stands_below_it(self):
        text = "# comment\n= one\nx.h f: delete: a;\n\n= two\ny.h g: b\n"
        self.assertEqual(list(self.read(text).items()),
                         [("x.h f: delete: a;", "one"), ("y.h g: b", "two")])

    def test_a_mutant_without_a_reason_is_refused(self):
        with self.assertRaisesRegex(ValueError, ":1: a mutant without a reason"):
            self.read("x.h f: delete: a;\n")


if __name__ == "__main__":
    unittest.main()
