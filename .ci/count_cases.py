#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Counts test cases: count_cases.py STATUS TESTLOGS JUNIT_DIR LOG.

STATUS is the exit code of `bazel test`, TESTLOGS its folder of test.xml files, LOG its output, which names the targets
of this run. Copies the JUnit files to JUNIT_DIR and prints "N passed, N failed". A target whose XML has no cases counts
as one case. Leaves with 1 when anything failed or nothing ran.
"""

import os
import re
import shutil
import sys
import xml.etree.ElementTree as ElementTree


def count_target(path, passed_target):
    """Cases of one test.xml: passed, failed, skipped."""
    cases = []
    try:
        for suite in ElementTree.parse(path).iter("testsuite"):
            cases += suite.findall("testcase")
    except (OSError, ElementTree.ParseError):
        pass
    named = [case for case in cases if case.get("classname")]
    if not named:
        return (1, 0, 0) if passed_target else (0, 1, 0)
    failed = sum(1 for case in named if case.find("failure") is not None or case.find("error") is not None)
    skipped = sum(1 for case in named if case.get("result") == "skipped" or case.find("skipped") is not None)
    if not passed_target and failed == 0:
        failed = 1
    return len(named) - failed - skipped, failed, skipped


def main():
    status, testlogs, junit, log = int(sys.argv[1]), *sys.argv[2:5]
    shutil.rmtree(junit, ignore_errors=True)
    os.makedirs(junit)
    passed = failed = skipped = 0
    with open(log, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            match = re.match(r"//(\S*):(\S+)\s+(?:\(cached\) )?(PASSED|FAILED|TIMEOUT|NO STATUS|FLAKY|FAILED TO BUILD)", line)
            if not match:
                continue
            package, name, verdict = match.groups()
            folder = os.path.join(testlogs, package, name)
            files = sorted(os.path.join(root, f) for root, _, names in os.walk(folder) for f in names if f == "test.xml")
            for number, path in enumerate(files or [""]):
                counts = count_target(path, verdict in ("PASSED", "FLAKY"))
                passed, failed, skipped = passed + counts[0], failed + counts[1], skipped + counts[2]
                if path:
                    label = f"{package}_{name}".replace("/", "_")
                    shutil.copy(path, os.path.join(junit, f"{label}_{number}.xml"))
    if (status != 0 and failed == 0) or passed + failed == 0:
        failed += 1
    tail = f", {skipped} skipped" if skipped else ""
    print(f"{passed} passed, {failed} failed{tail}")
    sys.exit(1 if failed else 0)


main()
