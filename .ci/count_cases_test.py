#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests of count_cases: no failure may go missing, nothing may count that did not run."""

import contextlib
import io
import json
import pathlib
import tempfile
import unittest

import count_cases

LABEL = "//sim:world_test"


def suite(*cases):
    return f"<testsuites><testsuite name='A'>{''.join(cases)}</testsuite></testsuites>"


def case(name, inside=""):
    return f"<testcase classname='A' name='{name}' status='run'>{inside}</testcase>"


PASS, FAIL = case("pass"), case("fail", "<failure message='1 is not 2'/>")
ERROR, SKIP = case("crash", "<error/>"), case("skip", "<skipped message='no kernel'/>")
DISABLED = "<testcase classname='A' name='DISABLED_x' status='notrun'/>"


class CountCasesTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.events = []

    def configured(self, label=LABEL, builds=True):
        self.events += [
            {"id": {"targetConfigured": {"label": label}}, "configured": {"testSize": "SMALL"}},
            {"id": {"targetCompleted": {"label": label}}, "completed": {"success": builds}},
        ]

    def ran(self, xml, status="PASSED", label=LABEL, **identity):
        """Adds a result of a test; xml: the content of its JUnit file, None for no file."""
        self.configured(label)
        result = {"status": status}
        if xml is not None:
            path = self.folder / f"{len(self.events)} test.xml"
            path.write_text(xml, encoding="utf-8")
            result["testActionOutput"] = [{"name": "test.xml", "uri": path.as_uri()}]
        self.events.append({"id": {"testResult": {"label": label, **identity}},
                            "testResult": result})

    def count(self, bazel=0):
        """The exit code and the lines printed."""
        events = self.folder / "events.json"
        events.write_text("".join(json.dumps(event) + "\n" for event in self.events),
                          encoding="utf-8")
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            code = count_cases.main(["--events", str(events), "--exit-code", str(bazel),
                                     "--junit", str(self.folder / "junit")])
        return code, printed.getvalue().splitlines()

    def test_cases_are_counted_not_targets(self):
        self.ran(suite(PASS, PASS))
        self.ran(suite(PASS), label="//model:iomode_test")
        self.assertEqual(self.count(), (0, ["3 passed, 0 failed"]))

    def test_failures_and_errors_are_named(self):
        self.ran(suite(PASS, FAIL, ERROR), status="FAILED")
        self.assertEqual(self.count(bazel=3), (1, [
            f"FAILED {LABEL} A.fail", f"FAILED {LABEL} A.crash", "1 passed, 2 failed"]))

    def test_skipped_and_disabled_cases_are_no_passes(self):
        self.ran(suite(PASS, SKIP, DISABLED))
        self.assertEqual(self.count(), (0, [
            f"SKIPPED {LABEL} 1 of its cases: no kernel", "1 passed, 0 failed, 2 skipped"]))

    def test_reasons_for_skipping_are_told_once(self):
        said = case("said", "<skipped message='a.cc:7&#10;Installing&#10;no kernel&#10;'/>")
        self.ran(suite(SKIP, said))
        self.assertEqual(self.count(), (1, [
            f"SKIPPED {LABEL} 2 of its cases: no kernel", "0 passed, 0 failed, 2 skipped"]))

    def test_only_skipped_cases_are_no_success(self):
        self.ran(suite(SKIP))
        code, lines = self.count()
        self.assertEqual((code, lines[-1]), (1, "0 passed, 0 failed, 1 skipped"))

    def test_without_junit_file_a_target_is_one_case(self):
        self.ran(None)
        self.ran(None, status="TIMEOUT", label="//sim:slow_test")
        self.assertEqual(self.count(bazel=3), (1, [
            "FAILED //sim:slow_test TIMEOUT", "1 passed, 1 failed"]))

    def test_unreadable_junit_file_is_one_case(self):
        self.ran("<testsuites><cut", status="FAILED")
        self.assertEqual(self.count(bazel=3), (1, [
            f"FAILED {LABEL} FAILED", "0 passed, 1 failed"]))

    def test_failing_exit_after_passing_cases_is_a_failure(self):
        self.ran(suite(PASS), status="FAILED")
        code, lines = self.count(bazel=3)
        self.assertEqual((code, lines[-1]), (1, "1 passed, 1 failed"))
        junit = (self.folder / "junit/sim/world_test.xml").read_text(encoding="utf-8")
        self.assertIn("<error", junit)

    def test_target_that_does_not_build_is_a_failure(self):
        self.ran(suite(PASS))
        self.configured("//sim:broken_test", builds=False)
        self.assertEqual(self.count(bazel=1), (1, [
            "FAILED //sim:broken_test does not build", "1 passed, 1 failed"]))
        self.assertTrue((self.folder / "junit/sim/broken_test.xml").exists())

    def test_failure_of_bazel_itself_is_a_failure(self):
        self.ran(suite(PASS))
        self.assertEqual(self.count(bazel=1), (1, [
            "FAILED bazel test: exit code 1", "1 passed, 1 failed"]))

    def test_nothing_ran(self):
        for bazel in (0, 4):
            with self.subTest(bazel=bazel):
                self.assertEqual(self.count(bazel), (1, ["No test ran.", "0 passed, 0 failed"]))

    def test_google_test_without_cases_adds_nothing(self):
        self.ran(suite(PASS), shard=1)
        self.ran("<testsuites tests='0'/>", shard=2)
        self.assertEqual(self.count(), (0, ["1 passed, 0 failed"]))

    def test_shards_add_up(self):
        self.ran(suite(PASS), shard=1)
        self.ran(suite(PASS, FAIL), status="FAILED", shard=2)
        self.assertEqual(self.count(bazel=3), (1, [
            f"FAILED {LABEL}.run1.shard2 A.fail", "2 passed, 1 failed"]))
        self.assertEqual(len(list((self.folder / "junit/sim").iterdir())), 2)

    def test_last_attempt_of_a_flaky_test_tells(self):
        self.ran(suite(FAIL), status="FAILED", attempt=1)
        self.ran(suite(PASS), attempt=2)
        self.assertEqual(self.count(), (0, ["1 passed, 0 failed"]))

    def test_run_cut_short(self):
        self.assertEqual(count_cases.main(
            ["--events", str(self.folder / "none"), "--exit-code", "8"]), 1)


if __name__ == "__main__":
    unittest.main()
