# SPDX-License-Identifier: GPL-2.0-only
"""What the benchmarks' numbers say: medians, ratios with their spread, goals, and what became
worse. Pure functions over the JSON of Google Benchmark and of bench/report; times in ns.

A Row is one load on one design. Its summary holds the medians of its repetitions, and its ratio to
BASE, the kernel's lock in the model, on the same load.
"""

import collections
import statistics

BASE = "lock"
KERNEL = "kernel's C"
FLOOR = "floor"
COUNTERS = ("cpu_ns", "p50", "p99", "p999", "fairness", "open_p50", "open_p99", "open_p999",
            "refused")
# What a ratio may grow by beyond the spread of both runs.
LEAST_TOLERANCE = 0.10
# How much more than the second the first may cost, uncontended.
GOALS = ((BASE, KERNEL, 1.05), (BASE, FLOOR, 1.3), (KERNEL, FLOOR, 1.3))

Row = collections.namedtuple("Row", "load design threads server_us openers")


def row_of(result):
    return Row(**{field: result[field] for field in Row._fields})


def by_row(raws):
    """Row -> its repetitions, in their order, from some runs of designs_bench."""
    rows = collections.defaultdict(list)
    for raw in raws:
        for entry in raw["benchmarks"]:
            if entry["run_type"] != "iteration":
                continue
            load, design, threads, server, openers = entry["name"].split("/")[:5]
            rows[Row(load, design, int(threads), int(server), int(openers))].append(entry)
    return rows


def cost(row, entry):
    """What an operation costs: of processor time where the server takes none."""
    return entry["real_time"] if row.server_us else entry["cpu_ns"]


def ratio_of(row, entries, base_entries):
    """Median, lowest and highest repetition over the median of the other."""
    at_base = statistics.median(cost(row, e) for e in base_entries)
    ratios = sorted(cost(row, e) / at_base for e in entries)
    return [round(r, 3) for r in (statistics.median(ratios), ratios[0], ratios[-1])]


def summary(row, entries, base):
    """Medians of one row, and its ratio to `base`, the same load's repetitions on the lock."""
    result = {
        "repetitions": len(entries),
        "ns": round(statistics.median(cost(row, e) for e in entries), 1),
        "per_second": round(1e9 / statistics.median(e["real_time"] for e in entries)),
    }
    for counter in COUNTERS:
        if counter in entries[0]:
            result[counter] = round(statistics.median(e[counter] for e in entries), 3)
    if base:
        keys = ("ratio", "ratio_low", "ratio_high")
        result.update(zip(keys, ratio_of(row, entries, base)))
    return result


def summaries(rows):
    results = []
    for row, entries in sorted(rows.items()):
        base = rows.get(row._replace(design=BASE))
        results.append(row._asdict() | summary(row, entries, base))
    order = ("load", "openers", "server_us", "threads", "design")
    return sorted(results, key=lambda r: [r[key] for key in order])


def goals(rows):
    """What the yardstick says: of each uncontended load, GOALS with the ratio and its spread."""
    results = []
    for row in sorted(rows):
        if row.design != BASE or row.threads != 1 or row.server_us or row.openers:
            continue
        for one, other, most in GOALS:
            ours = rows.get(row._replace(design=one))
            theirs = rows.get(row._replace(design=other))
            if not ours or not theirs:
                continue
            ratio, low, high = ratio_of(row, ours, theirs)
            results.append({
                "load": row.load, "design": one, "over": other, "most": most, "ratio": ratio,
                "low": low, "high": high, "met": ratio <= most
            })
    return results


def suite(raw):
    """Another suite's benchmarks: name -> medians of its time and counters."""
    entries = collections.defaultdict(list)
    for entry in raw["benchmarks"]:
        if entry["run_type"] == "iteration":
            entries[entry["run_name"]].append(entry)
    results = []
    in_order = sorted(entries, key=lambda name: (name.split(":")[0], len(name), name))
    for name in in_order:
        repetitions = entries[name]
        result = {"name": name, "unit": repetitions[0]["time_unit"]}
        for key in ("real_time", "cpu_time", "items_per_second", "states", "states_per_second",
                    "transitions_per_second"):
            if key in repetitions[0]:
                result[key] = round(statistics.median(e[key] for e in repetitions), 3)
        results.append(result)
    return results


def worse(results, earlier):
    """What became worse than its spread, a line each; how many ratios were compared; and how many
    of the earlier ones have nothing to be compared with."""
    now = {row_of(r): r for r in results if "ratio" in r}
    before = {row_of(r): r for r in earlier if "ratio" in r and r["design"] != BASE}
    lines = []
    for row in sorted(before.keys() & now.keys()):
        r, old = now[row], before[row]
        width = old["ratio_high"] - old["ratio_low"]
        bound = old["ratio_high"] + max(width, LEAST_TOLERANCE * old["ratio"])
        if r["ratio_low"] > bound:
            lines.append(f"worse: {r['load']} on {r['design']}, {r['threads']} threads, server "
                         f"{r['server_us']} us, {r['openers']}/16 opens: ratio {r['ratio']}, at "
                         f"least {r['ratio_low']}; was {old['ratio']}, up to {bound:.3f} is spread")
    return lines, len(before.keys() & now.keys()), len(before.keys() - now.keys())


# --- Tables ---

COLUMNS = ("load", "threads", "server", "opens", "design", "ns/op", "ops/s", "ratio", "low-high",
           "p50", "p99", "p99.9", "fair", "open p50", "open p99", "open p99.9", "refused")


def cells(result):
    """A result as the texts of COLUMNS."""
    def number(key, form=",.0f"):
        return format(result[key], form) if key in result else ""

    spread = f"{result['ratio_low']:.2f}-{result['ratio_high']:.2f}" if "ratio" in result else ""
    return (result["load"], str(result["threads"]), f"{result['server_us']} us",
            f"{result['openers']}/16", result["design"], number("ns", ",.1f"), number("per_second"),
            number("ratio", ".2f"), spread, number("p50"), number("p99"), number("p999"),
            number("fairness", ".2f"), number("open_p50"), number("open_p99"), number("open_p999"),
            number("refused", ".3f"))


def side_by_side(results):
    """Columns and lines with a load a line, and the designs' ratios to the lock beside it."""
    designs = [BASE, KERNEL, FLOOR]
    designs += sorted({r["design"] for r in results} - set(designs))
    by_load = collections.defaultdict(dict)
    for r in results:
        by_load[r["load"], r["openers"], r["server_us"], r["threads"]][r["design"]] = r
    lines = []
    for (load, openers, server, threads), row in sorted(by_load.items()):
        line = [load, f"{openers}/16", f"{server} us", str(threads)]
        line.append(f"{row[BASE]['ns']:,.0f}" if BASE in row else "")
        for design in designs[1:]:
            r = row.get(design, {})
            line.append(f"{r['ratio']:.2f} ({r['ratio_low']:.2f}-{r['ratio_high']:.2f})"
                        if "ratio" in r else "")
        lines.append(line)
    return ("load", "opens", "server", "threads", "lock, ns", *designs[1:]), lines


def plain_table(columns, lines):
    """Text with aligned columns: names to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(columns, *lines)]
    names = {"load", "design", "suite"}
    return "\n".join(
        "  ".join(text.ljust(width) if column in names else text.rjust(width)
                  for text, width, column in zip(line, widths, columns)).rstrip()
        for line in (columns, *lines))


def markdown_table(columns, lines):
    rule = "|".join(["---"] * len(columns))
    return "\n".join(["| " + " | ".join(columns) + " |", "|" + rule + "|"] +
                     ["| " + " | ".join(line) + " |" for line in lines])


def goal_lines(results):
    return [f"{g['load']}: {g['design']} costs {g['ratio']:.2f} ({g['low']:.2f}-{g['high']:.2f}) "
            f"of {g['over']}; goal at most {g['most']}: {'met' if g['met'] else 'missed'}"
            for g in results]
