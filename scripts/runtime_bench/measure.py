"""Measures runtimes for R on Lambda side by side, in one run. `scripts/bench runtime` prepares what it needs and starts it.

Every round starts every runtime once with every handler, in turn, so that what else this machine does meets all alike.
"""

import argparse
import gc
import os
import sys
import tempfile
import time
from pathlib import Path

import events
import report
from api import ApiError, RuntimeApi, cost_of_a_request
from runtimes import plain_r, runtimes_of
from sandbox import Sandbox

HANDLERS = ("tiny", "frame", "dplyr")


def milliseconds(began, ended):
    return (ended - began) / 1e6


class Bench:
    def __init__(self, arguments, folder):
        self.arguments = arguments
        self.server_takes = cost_of_a_request()
        self.api = RuntimeApi()
        self.figures = report.Figures()
        self.large = events.large()
        # What these events are made of is never garbage, and long to look through in the middle of a measurement.
        gc.freeze()
        gc.disable()
        self.failed = set()
        self.load_before = os.getloadavg()[0]
        mounts = {arguments.packages: "/tmp/packages"}
        if arguments.lambdr:
            mounts[arguments.lambdr] = "/tmp/lambdr"
        handlers = str(Path(__file__).parent / "handlers")
        self.sandboxes, self.runtimes = {}, []
        for name, layer in arguments.layers:
            self.sandboxes[name] = Sandbox(arguments.root, layer, handlers, folder / name.split()[0], mounts)
            self.runtimes += runtimes_of(name, arguments.lambdr is not None)

    def close(self):
        for sandbox in self.sandboxes.values():
            sandbox.close()

    def call(self, event, expected):
        """One call of a runtime that waits for it; returns when the event went out, the result and the next request came."""
        began = self.api.hand_out(event)
        posted, result = self.api.result()
        following = self.api.next_request()
        report.check(result, expected)
        return began, posted, following

    def session(self, runtime, handler, work):
        """Starts a runtime, lets `work` use it, ends it. One that fails is told, and not tried with that handler again."""
        if (runtime.label, handler) in self.failed:
            return
        sandbox = self.sandboxes[runtime.r]
        self.api.alive = sandbox.is_running
        try:
            started = sandbox.start(runtime.command, runtime.environment(handler, self.api.address))
            work(sandbox, started, self.api.next_request())
        except (ApiError, report.WrongResult, OSError) as error:
            self.failed.add((runtime.label, handler))
            log = "".join(f"    {line}\n" for line in sandbox.log().splitlines()[-10:])
            print(f"{runtime.label} failed with the handler {handler}: {error}\n{log}", file=sys.stderr)
        finally:
            sandbox.stop()
            self.api.reset()

    def cold(self, runtime, handler, is_measured=True):
        """Process start to the first request and to the first answer; then memory and warm calls, where the handler is tiny."""

        def work(sandbox, started, asked):
            _, posted, _ = self.call(events.SMALL, events.EXPECTED[handler])
            if not is_measured:
                return
            self.figures.add("first GET", runtime, handler, milliseconds(started, asked))
            self.figures.add("first answer", runtime, handler, milliseconds(started, posted))
            if handler == "tiny" and runtime.is_compared:
                time.sleep(0.05)
                for kind, value in sandbox.memory().items():
                    self.figures.add(kind, runtime, handler, value / 1e6)
                self.warm(runtime)

        self.session(runtime, handler, work)

    def warm(self, runtime):
        """The calls from the second on; medians and percentiles are those of this session."""
        expected = events.EXPECTED["tiny"]
        calls = [self.call(events.SMALL, expected) for _ in range(self.arguments.calls)]
        cycles = sorted(milliseconds(began, following) for began, _, following in calls)
        answers = sorted(milliseconds(began, posted) for began, posted, _ in calls)
        for name, times in (("warm cycle", cycles), ("warm answer", answers)):
            self.figures.add(f"{name}, median", runtime, "tiny", report.quantile(times, 0.5))
            self.figures.add(f"{name}, 99th percentile", runtime, "tiny", report.quantile(times, 0.99))
            self.figures.add(f"{name}, longest", runtime, "tiny", times[-1])

    def large_events(self, runtime):
        def work(_sandbox, _started, _asked):
            self.call(events.SMALL, 41)
            for name, value, event in self.large:
                began, posted, following = self.call(event, value)
                self.figures.add(name, runtime, "echo", milliseconds(began, posted))

        self.session(runtime, "echo", work)

    def plain(self, r):
        """Rscript by itself, from its start to its end: with nothing to do, and with one call of each handler."""
        for name, runtime in plain_r(r):
            took, status = self.sandboxes[r].run(runtime.command, runtime.environment(name, ""))
            if status != 0:
                self.failed.add((runtime.label, name))
                print(f"{runtime.label} failed with {name}: {self.sandboxes[r].log()}", file=sys.stderr)
                continue
            self.figures.add("to its end", runtime, name, took / 1e6)

    def growth(self, runtime):
        """Memory after the first answer, after 1,000 calls, and at the end of them all."""

        def work(sandbox, _started, _asked):
            expected = events.EXPECTED["tiny"]
            for count in range(1, self.arguments.invocations + 1):
                self.call(events.SMALL, expected)
                if count in (1, 1000, self.arguments.invocations):
                    time.sleep(0.05)
                    self.figures.add(f"Rss after {count:,} calls", runtime, "tiny", sandbox.memory()["Rss"] / 1e6)

        self.session(runtime, "tiny", work)

    def run(self):
        # Once unmeasured, so that everybody's files are in the kernel's memory.
        for handler in HANDLERS:
            for runtime in self.runtimes:
                self.cold(runtime, handler, is_measured=False)
        for number in range(self.arguments.rounds):
            print(f"round {number + 1} of {self.arguments.rounds}", file=sys.stderr)
            order = self.runtimes if number % 2 == 0 else self.runtimes[::-1]
            for handler in HANDLERS:
                for runtime in order:
                    self.cold(runtime, handler)
            for runtime in order:
                if runtime.is_compared:
                    self.large_events(runtime)
            for r in self.sandboxes:
                self.plain(r)
        for runtime in self.runtimes:
            if runtime.is_ours and runtime.is_compared:
                print(f"{self.arguments.invocations:,} calls: {runtime.label}", file=sys.stderr)
                self.growth(runtime)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", required=True)
    parser.add_argument("--layer", dest="layers", action="append", nargs=2, required=True)
    parser.add_argument("--packages", required=True)
    parser.add_argument("--lambdr")
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--calls", type=int, required=True)
    parser.add_argument("--invocations", type=int, required=True)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(arguments, Path(folder))
        try:
            bench.run()
        finally:
            bench.close()
    report.tables(bench)
    if not arguments.lambdr:
        print("lambdr was not measured: --lambdr DIR says where its source tree is", file=sys.stderr)
    sys.exit(1 if bench.failed or not arguments.lambdr else 0)


if __name__ == "__main__":
    main()
