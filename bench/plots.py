# SPDX-License-Identifier: GPL-2.0-only
"""The report's plots, by matplotlib."""

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "designs"
from matplotlib import pyplot  # noqa: E402  (the backend comes first)


def _grid(results, loads, path, draw, label):
    """One plot for each of the loads, with a line for each design: draw(axis, design's results)."""
    columns = 3
    lines = -(-len(loads) // columns)
    figure, axes = pyplot.subplots(lines, columns, figsize=(15, 3.6 * lines), squeeze=False)
    for axis, key in zip(axes.flat, loads):
        here = [r for r in results if (r["load"], r["server_us"], r["openers"]) == key]
        for design in sorted({r["design"] for r in here}):
            draw(axis, design, sorted((r for r in here if r["design"] == design),
                                      key=lambda r: r["threads"]))
        load, server, openers = key
        axis.set_title(f"{load}, server {server} us, {openers}/16 opens")
        axis.set_xscale("log", base=2)
        axis.set_xlabel("threads")
        axis.set_ylabel(label)
        axis.set_yscale("log")
        axis.legend(fontsize="x-small")
    for axis in list(axes.flat)[len(loads):]:
        axis.axis("off")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def costs(results, path):
    """What an operation costs, of every load, with the spread of the repetitions."""
    def draw(axis, design, here):
        threads = [r["threads"] for r in here]
        ns = [r["ns"] for r in here]
        axis.plot(threads, ns, marker="o", label=design)
        spread = [r for r in here if r.get("ratio")]
        axis.fill_between([r["threads"] for r in spread],
                          [r["ns"] * r["ratio_low"] / r["ratio"] for r in spread],
                          [r["ns"] * r["ratio_high"] / r["ratio"] for r in spread], alpha=0.15)

    loads = sorted({(r["load"], r["server_us"], r["openers"]) for r in results})
    _grid(results, loads, path, draw, "ns by operation")


def waits(results, path):
    """How long cached opens take in the mixed loads: p50 dotted, p99 drawn. False: none ran."""
    def draw(axis, design, here):
        threads = [r["threads"] for r in here]
        line, = axis.plot(threads, [r["open_p99"] for r in here], marker="o", label=design)
        axis.plot(threads, [r["open_p50"] for r in here], ":", color=line.get_color())

    opens = [r for r in results if "open_p99" in r]
    loads = sorted({(r["load"], r["server_us"], r["openers"]) for r in opens})
    if not loads:
        return False
    _grid(opens, loads, path, draw, "ns by cached open, p50 and p99")
    return True
