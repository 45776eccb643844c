"""Measures `r-layer publish` against a loop of the AWS command line's own calls, at one server, in one run. `scripts/bench
publish` prepares what it needs and starts it.

The server is moto behind the tests' proxy, which answers every request 300 ms later, and gives moto a few bytes in place of
each zip: moto would need four times a zip's size in memory for each region anew.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "runtime_bench"))
from report import number, row

LATENCY = 300
REGIONS = 34
NAMES = ("models", "reports", "tables")
LARGE = 49_000_000
DESCRIPTION = "Package: {0}\nVersion: 1.0\nLicense: MIT\nBuilt: R 4.5.0; ; 2025-04-01; unix\n"


class Failed(Exception):
    """A way that does not do what it should is not measured."""


def make_layer(folder, name, size):
    """A layer of one package, of about that many bytes that no compression makes fewer."""
    path = folder / "dist" / f"r-{name}-4.5-al2023-x86_64.zip"
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as layer:
        for file, content in (("DESCRIPTION", DESCRIPTION.format(name)), ("data", random.Random(name).randbytes(size))):
            entry = zipfile.ZipInfo(f"R/library/{name}/{file}")
            entry.external_attr = 0o100644 << 16
            layer.writestr(entry, content)
    return path


class Server:
    """The server of `tests/integration/aws/served.rs`: a line of JSON for each line that it gets."""

    def __init__(self, command):
        environment = {**os.environ, "R_LAYER_TEST_LATENCY": str(LATENCY)}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        self.settings = self.read()

    def read(self):
        for line in self.process.stdout:
            if (start := line.find("{")) >= 0:
                return json.loads(line[start:])
        raise Failed("the server has ended")

    def counts(self):
        """What was asked since the last time."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.read()

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def run(command, folder, environment):
    """Runs a command that must succeed. Returns its seconds, and its most memory in MB."""
    with open(folder / "said", "w+b") as said:
        start = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd=folder, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        took = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            said.seek(0)
            raise Failed(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{said.read()[-3000:].decode()}")
    return took, usage.ru_maxrss * 1024 / 1e6


def expect(what, is_so, counts):
    if not is_so:
        raise Failed(f"{what}: {counts}")


class Bench:
    def __init__(self, arguments, server, folder):
        self.arguments, self.server, self.folder = arguments, server, folder
        (folder / "home").mkdir()
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(folder / "home"), "NO_PROXY": "127.0.0.1",
            "R_LAYER_CACHE": str(folder / "cache"), "AWS_ENDPOINT_URL": server.settings["AWS_ENDPOINT_URL"],
            "AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing", "AWS_EC2_METADATA_DISABLED": "true",
            "PYTHONPATH": arguments.aws_clients, "AWS_COMMAND": f"{arguments.aws_clients}/bin/aws",
        }  # fmt: skip

    def publish(self, folder):
        took, memory = run([self.arguments.r_layer, "publish", "--all-regions", "--public"], folder, self.environment)
        return took, memory, self.server.counts()

    def layers(self):
        """Three layers to all regions, a second time, and the loop. Returns rows and whether the goals are met."""
        size = int(self.arguments.megabytes * 1e6)
        first, rounds = [], self.arguments.rounds
        for number_of in range(rounds):
            folder = self.folder / f"layers{number_of}"
            zips = [make_layer(folder, f"{name}{number_of}", size) for name in NAMES]
            took, memory, counts = self.publish(folder)
            expect("not everything was published", counts["operations"].get("PublishLayerVersion") == REGIONS * len(NAMES), counts)
            expect("something failed", counts["failed"] == 0, counts)
            first.append((took, memory, counts))
            again = self.publish(folder)
        loop = self.loop(zips)
        return first, again, loop

    def loop(self, zips):
        """The loop for some regions: each of them takes the same."""
        regions = ["eu-central-1", "us-east-1", "ap-south-1", "sa-east-1"][: self.arguments.loop_regions]
        script = Path(__file__).parent / "loop.sh"
        took, _ = run([script, " ".join(regions), *zips], self.folder, self.environment)
        counts = self.server.counts()
        calls = 2 * len(zips) * len(regions)
        expect("the loop has asked for something else", counts["requests"] == calls and counts["failed"] == 0, counts)
        return took, len(regions)

    def large(self):
        folder = self.folder / "large"
        path = make_layer(folder, "large", LARGE)
        took, memory, counts = self.publish(folder)
        expect("not everything was published", counts["operations"].get("PublishLayerVersion") == REGIONS, counts)
        return took, memory, counts, path.stat().st_size


def met(is_met):
    return "met" if is_met else "not met"


def report(bench):
    arguments = bench.arguments
    first, (again_took, again_memory, again), (loop_took, loop_regions) = bench.layers()
    large_took, large_memory, large, large_size = bench.large()
    layer_regions = REGIONS * len(NAMES)
    took = statistics.median(took for took, _, _ in first)
    requests = max(counts["requests"] for _, _, counts in first)
    memory = max(memory for _, memory, _ in first)
    whole_loop = loop_took / loop_regions * REGIONS
    print(f"{len(NAMES)} layers of {arguments.megabytes:g} MB to {REGIONS} regions, each request answered {LATENCY} ms later")
    row("", "seconds", "requests", "MB RSS", "MB sent")
    sent = max(counts["bytes"] for _, _, counts in first) / 1e6
    row(f"r-layer publish --public (median of {arguments.rounds})", number(took), requests, number(memory), number(sent))
    row("the same again", number(again_took), again["requests"], number(again_memory), number(again["bytes"] / 1e6))
    row(f"loop of aws calls, {loop_regions} of {REGIONS} regions", number(loop_took), 2 * len(NAMES) * loop_regions, "", "")
    row(f"loop of aws calls, scaled to {REGIONS} regions", number(whole_loop), 2 * layer_regions, "", "")
    title = f"a zip of {large_size / 1e6:.1f} MB to {REGIONS} regions"
    row(title, number(large_took), large["requests"], number(large_memory), number(large["bytes"] / 1e6))
    fastest = max(counts["most_in_a_second_and_region"] for counts in [*(counts for _, _, counts in first), again, large])
    print()
    row("goals", "is", "goal", "")
    row("loop / r-layer", number(whole_loop / took), "10", met(whole_loop / took >= 10))
    row("most memory of the large zip, MB", number(large_memory), "600", met(large_memory < 600))
    # One more request tells who we are.
    per_layer = (again["requests"] - 1) / layer_regions
    reads = again["changes"] == 0 and per_layer <= 2
    row("requests a layer and region, again, all reads", number(per_layer), "2", met(reads))
    row("most requests to a region within a second", fastest, "15", met(fastest <= 15))


def main():
    parser = argparse.ArgumentParser()
    for option in ("r-layer", "aws-clients"):
        parser.add_argument(f"--{option}", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--loop-regions", type=int, default=2)
    parser.add_argument("--megabytes", type=float, default=1)
    parser.add_argument("server", nargs="+", help="the command that serves, after --")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(arguments.server)
        try:
            report(Bench(arguments, server, Path(folder)))
        except Failed as failure:
            sys.exit(str(failure))
        finally:
            server.end()


if __name__ == "__main__":
    main()
