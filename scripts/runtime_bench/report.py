"""Figures, their tables, and how they stand to the goals."""

import json
import math
import os
import statistics
from collections import defaultdict

# Titles of figures that are counted in ms.
STARTS = {"first GET": "process start to first GET next", "first answer": "process start to first answer"}
LARGE = ("one string", "500,000 numbers", "20,000 records of 8 fields")
WARM = {"warm cycle": "event handed out to next GET next", "warm answer": "event handed out to result"}
# What a promise about growth is about.
PROMISED_CALLS = 100_000


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


def table(bench, title, figure, handler, ways, others=()):
    """Median, least and most of a figure, for each way and R; then the medians of other figures, titles by name."""
    rows = [(way, r) for r in bench.sandboxes for way in ways if bench.figures.of(figure, way, r, handler)]
    if not rows:
        return
    print(title)
    row("", "median", "least", "most", *dict(others).values())
    for way, r in rows:
        values = bench.figures.of(figure, way, r, handler)
        more = [bench.figures.median(other, way, r, handler) for other in dict(others)]
        row(f"{way}, {r}", *map(number, (statistics.median(values), min(values), max(values), *more)))


def tables(bench):
    arguments, ways = bench.arguments, list(dict.fromkeys(runtime.way for runtime in bench.runtimes))
    print(f"{arguments.rounds} rounds; in each one call of each large event and {arguments.calls:,} warm calls")
    print(f"The server is at work for {bench.server_takes:.0f} microseconds per request (processor time, mean).")
    # Whoever works for long in one go suffers more from others on the machine: ratios of a loaded one are not to be trusted.
    print(f"Load of this machine's {os.cpu_count()} processors: {bench.load_before:.1f} before, {os.getloadavg()[0]:.1f} after.")
    for handler in ("tiny", "frame", "dplyr"):
        for figure, title in STARTS.items():
            table(bench, f"{title}, handler {handler}, ms", figure, handler, ways)
        title = f"Rscript from start to end with one call, handler {handler}, ms"
        table(bench, title, "to its end", handler, ["Rscript, one call"])
    table(bench, "Rscript -e 1 from start to end, ms", "to its end", "-e 1", ["Rscript -e 1"])
    for figure, what in WARM.items():
        others = {f"{figure}, 99th percentile": "99 %", f"{figure}, longest": "longest"}
        table(bench, f"{figure} ({what}) in a round, ms", f"{figure}, median", "tiny", ways, others)
    for figure in LARGE:
        table(bench, f"5 MB in and out, {figure}, event handed out to result, ms", figure, "echo", ways)
    for figure in ("Rss", "Pss"):
        table(bench, f"{figure} of the idle process tree after its first answer, MB", figure, "tiny", ways)
    growth(bench)
    goals(bench)


def growth(bench):
    for r in bench.sandboxes:
        counts = dict.fromkeys((1, 1000, bench.arguments.invocations))
        found = [(count, bench.figures.median(f"Rss after {count:,} calls", "r-layer", r, "tiny")) for count in counts]
        said = [f"{number(mb)} MB after call {count:,}" for count, mb in found if mb is not None]
        print(f"Rss of r-layer, {r}: {', '.join(said)}")


def goals(bench):
    """r-layer's medians over the other's, next to what was asked for."""
    print()
    row("r-layer against lambdr, medians", "r-layer", "lambdr", "ratio", "goal", "")
    for r in bench.sandboxes:
        start = 0.2 if r.startswith("compiled") else 0.25
        for figure, title in STARTS.items():
            for handler in ("tiny", "frame", "dplyr"):
                label = f"{title.removeprefix('process ')}, {handler}"
                against(bench, label, figure, r, handler, start if handler == "tiny" else None)
        for figure in WARM:
            against(bench, f"{figure}, median", f"{figure}, median", r, "tiny", 0.08 if figure == "warm cycle" else None)
            against(bench, f"{figure}, 99th percentile", f"{figure}, 99th percentile", r, "tiny", None)
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
    calls = bench.arguments.invocations
    for r in bench.sandboxes:
        last = bench.figures.median(f"Rss after {calls:,} calls", "r-layer", r, "tiny")
        for count in (1, 1000):
            first = bench.figures.median(f"Rss after {count:,} calls", "r-layer", r, "tiny")
            goal = 1.05 if calls >= PROMISED_CALLS else None
            compare(f"from call {count:,} to call {calls:,}", r, last, first, goal, (first, last))
    if calls < PROMISED_CALLS:
        print(f"  The goal of 1.05 is for {PROMISED_CALLS:,} calls: --invocations {PROMISED_CALLS}")
    if "prebuilt R" not in bench.sandboxes:
        print("\n  There is no prebuilt R here: its goals (0.25 for starts) are not shown.")


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
