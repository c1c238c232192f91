#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests of mutants.py: which mutants a piece of the model has, and the text with them in it."""

import collections
import contextlib
import io
import pathlib
import re
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import cover  # noqa: E402
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
            count = len(re.findall(rf"\b(?:Mutant|Decide)\({mutant.number}\b", schemata.text))
            self.assertEqual(count, 1, mutant)
        self.assertIn("if (const auto* ops = fi.ops; Decide(23, static_cast<bool>(ops != nullptr)))",
                      schemata.text)

    def test_what_is_run_can_be_told(self):
        schemata = mutants.Schemata("x.h", """int f() {
  const uint8_t held = fc.rules->one ? 1 : 2;
  if (rules.two) g();
  return err && rules.three ? -EIO : err;
}
""", 1)
        self.assertEqual([(place.line, place.operator) for place in schemata.places], [
            (1, "enter"), (2, "ask"), (3, "negate"), (3, "delete"), (4, "ask")])
        self.assertIn("int f() { Mutant(1);\n", schemata.text)
        self.assertIn("held = (Mutant(2), fc.rules->one ? 1 : 2);", schemata.text)
        self.assertIn("return (Mutant(5), err && rules.three ? -EIO : err);", schemata.text)

    def test_keys_are_unique(self):
        schemata = mutants.Schemata("x.h", "int f() {\n  a = 1;\n  a = 1;\n}\n", 1)
        keys = [m.key() for m in schemata.mutants]
        self.assertEqual(keys, ["x.h f: delete: a = 1;", "x.h f: delete: a = 1; #2"])

    def test_only_calls_come_in_two(self):
        self.assertEqual([m[2] for m in found("int f() {\n  a->count = 1;\n}\n")], ["delete"])

    def test_a_lambda_that_is_an_argument_returns_a_condition_and_one_with_a_name_anything(self):
        self.assertEqual([m[2] for m in found("void f() {\n  g([&] { return a; });\n}\n")],
                         ["delete", "negate"])
        self.assertEqual(found("void f() {\n  const auto h = [&](int x) { return x; };\n}\n"), [])

    def test_what_an_increment_is_worth_stays(self):
        self.assertEqual([m[2] for m in found("void f() {\n  g(n++);\n  n++;\n}\n")],
                         ["delete", "delete", "off by one"])

    def test_a_condition_that_declares_stays(self):
        for declared in ("const char* s", "T* const s"):
            self.assertEqual([m[2] for m in found(f"void f() {{\n  if ({declared} = g()) h(s);\n}}\n")],
                             ["delete"])

    def test_declarations_stay(self):
        self.assertEqual(found("int f() {\n  FuseArgs<W> args = {};\n  const Rules& r = *fc.rules;\n"
                               "  T* const t = fi.a ? fi.t : nullptr;\n"
                               "  using W = X;\n  int err;\n  int slots[64];\n  static_assert(true);\n}\n"), [])


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


class CoverTest(unittest.TestCase):

    CODE = """int f() {
  if (rules.one) g();
  if (rules.two) g();
  if (three) g();
  return true;
}
int never() {
  if (rules.four) g();
}
"""

    def report(self, *runs):
        """What is printed of runs that passed these (line, operator, bits)."""
        places = mutants.Schemata("model/x.h", self.CODE, 1).places
        bits = collections.defaultdict(int)
        for line, operator, passed in runs:
            [place] = [p for p in places if (p.line, p.operator) == (line, operator)]
            bits[place.number] |= passed
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            cover.Coverage(places, bits).report(["one", "two", "four"])
        return output.getvalue()

    def test_what_was_never_taken_is_named(self):
        passed = cover.REACHED
        self.assertEqual(self.report((1, "enter", passed), (2, "negate", passed | cover.WAS_FALSE),
                                     (3, "negate", passed | cover.WAS_FALSE | cover.WAS_TRUE)),
                         """\
rules      2 of 3 asked for
  never: four
functions  1 of 2 entered
  never: model/x.h:7: never
branches   1 of 3 both ways, of the functions entered
  never true: model/x.h:2: f: rules.one
  never asked for: model/x.h:4: f: three
""")

    def test_the_rules_are_those_of_the_revision_table(self):
        names = cover.rule_names(pathlib.Path(cover.__file__).resolve().parents[2])
        self.assertIn("passthrough", names)
        self.assertGreater(len(names), 20)


if __name__ == "__main__":
    unittest.main()
