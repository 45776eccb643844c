"""Figures, their tables, and how they stand to the goals."""

import json
import math
import statistics
from collections import defaultdict

# Titles of figures that are counted in ms.
STARTS = {"first GET": "process start to first GET next", "first answer": "process start to first answer"}
LARGE = ("one string", "500,000 numbers", "20,000 records of 8 fields")
WARM = [
    f"{what}, {which}"
    for what in ("warm cycle", "warm answer")
    for which in ("median", "99th percentile", "longest")
]


class WrongResult(Exception):
    """A runtime that answers something else is not measured."""


def check(result, expected):
    try:
        value = json.loads(bytes(result))
    except ValueError as error:
        raise WrongResult(f"the result is not JSON: {bytes(result[:200])}") from error
    if value != expected:
        raise WrongResult(f"the result is {bytes(result[:200])}, and not {json.dumps(expected)[:200]}")


def quantile(ordered, part):
    """The smallest value that at least this part of the values does not exceed."""
    return ordered[max(1, math.ceil(len(ordered) * part)) - 1]


class Figures:
    def __init__(self):
        self.values = defaultdict(list)

    def add(self, figure, runtime, handler, value):
        self.values[figure, runtime.way, runtime.r, handler].append(value)

    def of(self, figure, way, r, handler):
        return self.values.get((figure, way, r, handler))

    def median(self, figure, way, r, handler):
        values = self.of(figure, way, r, handler)
        return statistics.median(values) if values else None


def row(label, *cells):
    print(f"  {label:<46}" + "".join(f"{cell:>11}" for cell in cells))


def number(value):
    """Three digits that count, or whole."""
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}" if value >= 1 else f"{value:.3f}"


def table(bench, title, figure, handler, ways):
    """Median, least and most of a figure, for each way and R."""
    rows = [
        (f"{way}, {r}", values)
        for r in bench.sandboxes
        for way in ways
        if (values := bench.figures.of(figure, way, r, handler))
    ]
    if rows:
        print(title)
        row("", "median", "least", "most")
        for label, values in rows:
            row(label, number(statistics.median(values)), number(min(values)), number(max(values)))


def tables(bench):
    arguments, ways = bench.arguments, list(dict.fromkeys(runtime.way for runtime in bench.runtimes))
    print(f"{arguments.rounds} rounds, one call of each large event and {arguments.calls:,} warm calls in each")
    print("The server answers a request in %.0f microseconds (median)." % bench.server_takes)
    for handler in ("tiny", "frame", "dplyr"):
        for figure, title in STARTS.items():
            table(bench, f"{title}, handler {handler}, ms", figure, handler, ways)
        table(bench, f"Rscript from start to end with one call, handler {handler}, ms", "to its end", handler, ["Rscript, one call"])
    table(bench, "Rscript -e 1 from start to end, ms", "to its end", "-e 1", ["Rscript -e 1"])
    for figure in WARM:
        what = "event handed out to next GET next" if "cycle" in figure else "event handed out to result"
        table(bench, f"{figure} of a round ({what}), ms", figure, "tiny", ways)
    for figure in LARGE:
        table(bench, f"5 MB in and out, {figure}, event handed out to result, ms", figure, "echo", ways)
    for figure in ("Rss", "Pss"):
        table(bench, f"{figure} of the idle process after its first answer, MB", figure, "tiny", ways)
    growth(bench)
    goals(bench)


def growth(bench):
    for r in bench.sandboxes:
        counts = dict.fromkeys((1, 1000, bench.arguments.invocations))
        found = [(count, bench.figures.median(f"Rss after {count:,} calls", "r-layer", r, "tiny")) for count in counts]
        print(f"Rss of r-layer, {r}: " + ", ".join(f"{number(mb)} MB after {count:,} calls" for count, mb in found))


def goals(bench):
    """r-layer's medians over the other's, next to what was asked for."""
    print()
    row("r-layer against lambdr, medians", "r-layer", "lambdr", "ratio", "goal", "")
    for r in bench.sandboxes:
        start = 0.2 if r.startswith("compiled") else 0.25
        for figure, title in STARTS.items():
            for handler in ("tiny", "frame", "dplyr"):
                against(bench, f"{title.removeprefix('process ')}, {handler}", figure, r, handler, start if handler == "tiny" else None)
        for figure in WARM:
            against(bench, figure, figure, r, "tiny", 0.08 if figure == "warm cycle, median" else None)
        for figure in LARGE:
            against(bench, f"5 MB, {figure}", figure, r, "echo", 0.7)
        against(bench, "Rss, idle", "Rss", r, "tiny", 0.5)
    print()
    row("r-layer against the plain way, medians", "r-layer", "plain", "ratio", "goal", "")
    for r in bench.sandboxes:
        for handler in ("tiny", "frame", "dplyr"):
            goal = 1.0 if handler == "dplyr" else None
            against(bench, f"start to first answer, {handler}", "first answer", r, handler, goal, "r-layer, the plain way")
    print()
    row("growth of r-layer's Rss, MB", "at first", "at last", "ratio", "goal", "")
    for r in bench.sandboxes:
        last = bench.figures.median(f"Rss after {bench.arguments.invocations:,} calls", "r-layer", r, "tiny")
        for count in (1, 1000):
            first = bench.figures.median(f"Rss after {count:,} calls", "r-layer", r, "tiny")
            compare(f"from call {count:,} to call {bench.arguments.invocations:,}", r, last, first, 1.05, (first, last))


def against(bench, label, figure, r, handler, goal, other="lambdr"):
    ours = bench.figures.median(figure, "r-layer", r, handler)
    theirs = bench.figures.median(figure, other, r, handler)
    compare(label, r, ours, theirs, goal, (ours, theirs))


def compare(label, r, ours, theirs, goal, cells):
    """A row of the closing table; what was not measured is no goal met."""
    label = f"{label} ({r.split()[0]})"
    ratio = ours / theirs if ours is not None and theirs is not None else None
    met = "" if goal is None else "not shown" if ratio is None else "met" if ratio <= goal else "not met"
    row(label, *map(number, cells), "-" if ratio is None else f"{ratio:.3f}", "" if goal is None else goal, met)
