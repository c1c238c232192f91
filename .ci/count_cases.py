#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Counts the test cases of one `bazel test` run and prints `N passed, N failed[, N skipped]`.

Bazel counts targets; this reads its build events, follows each result to the target's JUnit file
and counts the cases there. A test without a JUnit file counts as one case. Each of these counts as
one failure, so that no failure goes missing: a test target that does not build, a test that fails
though all its cases passed (a sanitizer's report at exit, say), and a failing run of Bazel in which
no test failed (a mistake in a BUILD file). Cases that GoogleTest leaves out because they are
DISABLED_ count as skipped.

The names of what failed come before the closing line, and why cases were skipped, a line a target
and reason. With --junit the JUnit files are gathered in
a folder. Exit code: 0 when something passed and nothing failed, 1 otherwise.
"""

import argparse
import collections
import json
import pathlib
import sys
import urllib.parse
import xml.etree.ElementTree as ElementTree

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"

# name: of the test case, or what happened; verdict: PASSED, FAILED or SKIPPED; reason: why skipped.
Case = collections.namedtuple("Case", "name verdict reason", defaults=("",))

# One test target, or one shard of it. suite: the root of its JUnit file, None without one.
Result = collections.namedtuple("Result", "label part cases suite")


def read_events(path):
    """Yields Bazel's build events; an interrupted run leaves none, or a last one cut short."""
    if not path.exists():
        return
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            try:
                yield json.loads(line)
            except json.JSONDecodeError:
                return


def read_suite(test_result):
    """The root element of the JUnit file of one `testResult` event, or None."""
    for output in test_result.get("testActionOutput", []):
        uri = urllib.parse.urlparse(output.get("uri", ""))
        if output["name"] == "test.xml" and uri.scheme == "file":
            try:
                return ElementTree.parse(urllib.parse.unquote(uri.path)).getroot()
            except (OSError, ElementTree.ParseError):
                return None
    return None


def verdict_of(case):
    """The verdict of one JUnit <testcase>."""
    if case.find("failure") is not None or case.find("error") is not None:
        return FAILED
    if case.find("skipped") is not None or case.get("status") == "notrun":
        return SKIPPED
    return PASSED


def reason_of(case):
    """Why the test itself left the case out: the last line of what it says; "" when it did not."""
    skipped = case.find("skipped")
    lines = [] if skipped is None else (skipped.get("message") or skipped.text or "").splitlines()
    return lines[-1].strip() if lines else ""


def name_of(case):
    classname = case.get("classname")
    return f"{classname}.{case.get('name')}" if classname else case.get("name")


def result_of(label, part, test_result):
    """The Result of one `testResult` event: a target, or a shard or a run of it."""
    status = test_result.get("status", "NO_STATUS")
    suite = read_suite(test_result)
    if suite is None:
        return Result(label, part, [Case(status, PASSED if status == "PASSED" else FAILED)], None)
    cases = [Case(name_of(case), verdict_of(case), reason_of(case))
             for case in suite.iter("testcase")]
    if status != "PASSED" and all(case.verdict != FAILED for case in cases):
        what = f"{status}, though no case failed"
        cases.append(Case(what, FAILED))
        lost = ElementTree.SubElement(suite, "testsuite", name=label, tests="1", errors="1")
        ElementTree.SubElement(ElementTree.SubElement(lost, "testcase", name=what), "error")
    return Result(label, part, cases, suite)


def read_results(events):
    """The Results of a run, in the order of their labels."""
    tests, unbuilt, attempts = set(), set(), {}
    for event in events:
        (kind, identity), *_ = event["id"].items()
        if kind == "targetConfigured" and "testSize" in event.get("configured", {}):
            tests.add(identity["label"])
        elif kind == "targetCompleted" and not event.get("completed", {}).get("success"):
            unbuilt.add(identity["label"])
        elif kind == "testResult":
            key = (identity["label"], identity.get("run", 1), identity.get("shard", 1))
            attempt = identity.get("attempt", 1)
            # A flaky test is tried again: the last attempt tells.
            if key not in attempts or attempts[key][0] < attempt:
                attempts[key] = (attempt, event["testResult"])
    parts = collections.Counter(label for label, _, _ in attempts)
    results = [
        result_of(label, f".run{run}.shard{shard}" if parts[label] > 1 else "", test_result)
        for (label, run, shard), (_, test_result) in attempts.items()
    ]
    for label in tests & unbuilt:
        if label not in parts:
            results.append(Result(label, "", [Case("does not build", FAILED)], None))
    return sorted(results, key=lambda result: (result.label, result.part))


def write_junit(folder, result):
    """Writes the JUnit file of one result to FOLDER/package/target.xml."""
    suite = result.suite
    if suite is None:
        suite = ElementTree.Element("testsuite", name=result.label, tests=str(len(result.cases)))
        for case in result.cases:
            element = ElementTree.SubElement(suite, "testcase", name=case.name)
            if case.verdict == FAILED:
                ElementTree.SubElement(element, "error", message=case.name)
    name = result.label.lstrip("@/").replace(":", "/").lstrip("/")
    path = folder / f"{name}{result.part}.xml"
    path.parent.mkdir(parents=True, exist_ok=True)
    ElementTree.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)


# Exit codes of Bazel with which nothing went wrong beyond what the events tell.
BAZEL_SUCCESS, BAZEL_NO_TESTS = 0, 4


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=pathlib.Path, required=True,
                        help="file that --build_event_json_file of Bazel wrote")
    parser.add_argument("--exit-code", type=int, required=True, help="exit code of bazel test")
    parser.add_argument("--junit", type=pathlib.Path, help="folder for the JUnit files")
    options = parser.parse_args(arguments)

    count = collections.Counter()
    left_out = collections.Counter()
    for result in read_results(read_events(options.events)):
        for case in result.cases:
            count[case.verdict] += 1
            if case.reason:
                left_out[result.label, case.reason] += 1
            if case.verdict == FAILED:
                print(f"FAILED {result.label}{result.part} {case.name}")
        if options.junit:
            write_junit(options.junit, result)
    for (label, reason), cases in left_out.items():
        print(f"SKIPPED {label} {cases} of its cases: {reason}")
    if options.exit_code not in (BAZEL_SUCCESS, BAZEL_NO_TESTS) and not count[FAILED]:
        print(f"FAILED bazel test: exit code {options.exit_code}")
        count[FAILED] += 1
    if not sum(count.values()):
        print("No test ran.")

    closing = f"{count[PASSED]} passed, {count[FAILED]} failed"
    if count[SKIPPED]:
        closing += f", {count[SKIPPED]} skipped"
    print(closing)
    return 0 if count[PASSED] and not count[FAILED] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
