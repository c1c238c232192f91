#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The report's regression check and its arithmetic, on committed and on doctored figures."""

import copy
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path.cwd()
COMMITTED = ROOT / "docs/performance/designs.json"
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "bench"))
import results as figures  # noqa: E402


def check(earlier, results=COMMITTED):
    """(exit code, stdout) of the report over two files, or over doctored figures."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "earlier.json"
        path.write_text(json.dumps(earlier))
        run = subprocess.run([ROOT / "bench/report", "--results", results, "--check", path],
                             capture_output=True, text=True)
    return run.returncode, run.stdout + run.stderr


class CheckTest(unittest.TestCase):
    def setUp(self):
        self.committed = json.loads(COMMITTED.read_text())

    def ratios(self):
        return [r for r in self.committed["rows"] if "ratio" in r and r["design"] != figures.BASE]

    def test_figures_are_no_worse_than_themselves(self):
        code, output = check(self.committed)
        self.assertEqual(code, 0, output)
        self.assertIn(f"{len(self.ratios())} ratios compared, 0 worse", output)

    def test_a_better_earlier_ratio_fails_and_is_named(self):
        doctored = copy.deepcopy(self.committed)
        row = next(r for r in doctored["rows"]
                   if r["load"] == "start_end" and r["design"] == "atomic word")
        for key in ("ratio", "ratio_low", "ratio_high"):
            row[key] /= 3
        code, output = check(doctored)
        self.assertEqual(code, 1, output)
        self.assertIn(f"worse: start_end on atomic word, {row['threads']} threads", output)
        self.assertIn("1 worse", output)

    def test_what_is_within_the_spread_passes(self):
        doctored = copy.deepcopy(self.committed)
        for row in doctored["rows"]:
            for key in ("ratio", "ratio_low", "ratio_high"):
                if key in row:
                    row[key] *= 0.95
        self.assertEqual(check(doctored)[0], 0)

    def test_nothing_to_compare_is_no_pass(self):
        doctored = self.committed | {"rows": []}
        code, output = check(doctored)
        self.assertEqual(code, 1, output)
        self.assertIn("0 ratios compared", output)

    def test_ratios_without_a_counterpart_are_counted(self):
        doctored = copy.deepcopy(self.committed)
        doctored["rows"].append(self.ratios()[0] | {"threads": 1000})
        self.assertIn("1 of the earlier ones were not measured now", check(doctored)[1])


def entry(design, repetition, cpu_ns, load="start_end"):
    return {
        "name": f"{load}/{design}/1/0/0/iterations:1/manual_time", "run_type": "iteration",
        "real_time": 2 * cpu_ns, "cpu_ns": cpu_ns, "p50": cpu_ns, "repetition_index": repetition
    }


class FiguresTest(unittest.TestCase):
    def rows(self, **designs):
        names = {"lock": figures.BASE, "kernel": figures.KERNEL, "floor": figures.FLOOR}
        return figures.by_row([{
            "benchmarks": [entry(names[d], i, ns) for d, times in designs.items()
                           for i, ns in enumerate(times)]
        }])

    def test_a_ratio_is_of_medians_and_has_the_extremes(self):
        rows = self.rows(lock=[10, 20, 30], kernel=[10, 10, 40])
        kernel = next(r for r in figures.summaries(rows) if r["design"] == figures.KERNEL)
        self.assertEqual([kernel[k] for k in ("ratio", "ratio_low", "ratio_high")], [0.5, 0.5, 2])
        self.assertEqual(kernel["per_second"], 50_000_000)

    def test_designs_stand_side_by_side(self):
        columns, lines = figures.side_by_side(figures.summaries(self.rows(lock=[20], floor=[10])))
        self.assertEqual(dict(zip(columns, lines[0])), {
            "load": "start_end", "opens": "0/16", "server": "0 us", "threads": "1",
            "lock, ns": "20", figures.KERNEL: "", figures.FLOOR: "0.50 (0.50-0.50)"
        })

    def test_goals_are_met_and_missed(self):
        goals = figures.goals(self.rows(lock=[21], kernel=[20], floor=[16]))
        self.assertEqual([(g["design"], g["over"], g["met"]) for g in goals],
                         [(figures.BASE, figures.KERNEL, True),
                          (figures.BASE, figures.FLOOR, False),
                          (figures.KERNEL, figures.FLOOR, True)])
        goals = figures.goals(self.rows(lock=[22], kernel=[20], floor=[16]))
        self.assertEqual([g["met"] for g in goals], [False, False, True])

    def test_without_the_kernel_no_goal_of_it_is_claimed(self):
        goals = figures.goals(self.rows(lock=[21], floor=[16]))
        self.assertEqual([(g["design"], g["over"]) for g in goals], [(figures.BASE, figures.FLOOR)])


if __name__ == "__main__":
    unittest.main(verbosity=2)
