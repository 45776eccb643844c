"""Measures a layer of binary packages against R's own installation of them, from one server, in one run. `scripts/bench
packages` prepares what it needs and starts it.

Every round does each once, in turn, so that what else this machine does meets all alike.
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from server import Server

sys.path.append(str(Path(__file__).parent.parent / "runtime_bench"))
from report import number, row

# What is asked for. All that these need, they included, is more than 30 packages; none of them needs a library that Lambda
# or the runtime layer lacks.
REQUEST = (
    "ggplot2", "dplyr", "purrr", "data.table", "Rcpp", "quadprog", "rappdirs", "mime", "openssl", "cpp11",
)
PLATFORM = "bin/linux/manylinux_2_28-x86_64/4.5"
# Of the cache, what `build runtime` needs to be quick; of packages there is nothing in it.
SHARED = ("compiled", "roots")


def r_layer_command(arguments, repository):
    """The layer, with what is asked for, from the server's latest snapshot."""
    command = [arguments.r_layer, "add-packages", *REQUEST, "--layer", "bench", "--repo", f"p3m={repository}"]
    return command + ["--package-type", "binary", "--no-check", "--verbose", *arguments.build]


def r_command(arguments, repository, library):
    """R's own way with Posit's binaries on Linux: its processes download and unpack them."""
    request = ", ".join(f'"{name}"' for name in REQUEST)
    code = f'options(repos = c(CRAN = "{repository}/{PLATFORM}")); install.packages(c({request}), lib = "/mnt", Ncpus = 2)'
    command = ["bwrap", "--unshare-pid", "--unshare-ipc", "--die-with-parent", "--new-session", "--clearenv"]
    command += ["--ro-bind", arguments.root, "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
    command += ["--ro-bind", os.path.dirname(arguments.r), "/opt", "--bind", str(library), "/mnt", "--setenv", "HOME", "/tmp"]
    command += ["--setenv", "PATH", "/usr/local/bin:/usr/bin:/bin", "--setenv", "LC_ALL", "C.UTF-8"]
    return command + ["--", "/opt/R/bin/R", "--vanilla", "--no-echo", "-e", code]


class Failed(Exception):
    """A way that does not do what it should is not measured."""


def run(command, **options):
    """Runs a command that must succeed. Returns its seconds and what it said on stderr."""
    start = time.monotonic()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, **options)
    took = time.monotonic() - start
    if done.returncode != 0:
        said = (done.stdout + done.stderr).decode(errors="replace")[-3000:]
        raise Failed(f"{' '.join(command)}\nended with {done.returncode}:\n{said}")
    return took, done.stderr.decode(errors="replace")


def packages_in(zips):
    """The packages in layers' zips."""
    names = [name for path in zips for name in zipfile.ZipFile(path).namelist()]
    return {match[1] for name in names if (match := re.fullmatch(r"R/library/([^/]+)/DESCRIPTION", name))}


class Bench:
    def __init__(self, arguments, folder, repository):
        self.arguments, self.folder, self.repository = arguments, folder, repository
        self.seconds, self.bytes, self.packages = {}, {}, {}
        self.prepare()

    def add(self, what, seconds):
        self.seconds.setdefault(what, []).append(seconds)

    def median(self, what):
        return statistics.median(self.seconds[what])

    def prepare(self):
        """A project and a cache as they are after `build runtime`, of which every round gets a copy."""
        self.shared = Path(os.environ["R_LAYER_CACHE"])
        project, cache = self.folder / "prepared/project", self.folder / "prepared/cache"
        project.mkdir(parents=True)
        cache.mkdir()
        for kind in SHARED:
            (cache / kind).symlink_to(self.shared / kind)
        run([self.arguments.r_layer, "build", "runtime", *self.arguments.build], cwd=project, env=self.environment(cache))

    def environment(self, cache):
        return {**os.environ, "R_LAYER_CACHE": str(cache), "NO_PROXY": "127.0.0.1"}

    def copy(self, what, into):
        path = self.folder / "round" / into
        shutil.copytree(self.folder / "prepared" / what, path, symlinks=True)
        return path

    def round(self):
        (self.folder / "round").mkdir()
        try:
            self.r()
            self.r_layer()
        finally:
            shutil.rmtree(self.folder / "round")

    def r(self):
        library = self.folder / "round/library"
        library.mkdir()
        took, _ = run(r_command(self.arguments, self.repository, library))
        # R ends well, whatever it could not install.
        self.packages["R"] = {path.parent.name for path in library.glob("*/DESCRIPTION")}
        if missing := set(REQUEST) - self.packages["R"]:
            raise Failed(f"R has not installed {', '.join(sorted(missing))}")
        self.add("install.packages", took)
        zipped = self.folder / "round/library.zip"
        zipping, _ = run(["zip", "-9", "-q", "-r", "-X", str(zipped), "."], cwd=library)
        self.add("install.packages and zip", took + zipping)
        self.bytes["R"] = zipped.stat().st_size

    def r_layer(self):
        cache = self.copy("cache", "cache")
        self.layer("r-layer", self.copy("project", "first"), cache)
        self.layer("r-layer, cached", self.copy("project", "second"), cache)

    def layer(self, what, project, cache):
        before = set(project.glob("dist/*.zip"))
        command = r_layer_command(self.arguments, self.repository)
        took, said = run(command, cwd=project, env=self.environment(cache))
        zips = set(project.glob("dist/*.zip")) - before
        if not zips:
            raise Failed(f"{' '.join(command)}\nhas made no zip:\n{said}")
        self.packages["r-layer"] = packages_in(zips)
        if missing := self.packages["R"] - self.packages["r-layer"] - packages_in(before):
            raise Failed(f"{' '.join(command)}\nhas packed no {', '.join(sorted(missing))}:\n{said}")
        zipping = sum(float(step) for step in re.findall(r"^step: ([\d.]+) ms compressed", said, re.MULTILINE)) / 1000
        self.add(what, took)
        self.add(f"{what}, without zipping", took - zipping)
        self.bytes["r-layer"] = sum(path.stat().st_size for path in zips)


def report(bench, load_before):
    print(f"{bench.arguments.rounds} rounds of {' '.join(REQUEST)} and what they need")
    counts = len(bench.packages["R"]), len(bench.packages["r-layer"])
    print(f"R installs {counts[0]} packages. r-layer packs {counts[1]}: not those of the runtime layer, and recommended ones too.")
    # Whoever works for long in one go suffers more from others on the machine: ratios of a loaded one are not to be trusted.
    print(f"Load of this machine's {os.cpu_count()} processors: {load_before:.1f} before, {os.getloadavg()[0]:.1f} after.")
    print(f"Zipped: {bench.bytes['R'] / 1e6:.1f} MB of R's library, {bench.bytes['r-layer'] / 1e6:.1f} MB of r-layer's layer.")
    row("seconds", "median", "least", "most")
    for what, values in bench.seconds.items():
        row(what, *map(number, (statistics.median(values), min(values), max(values))))
    print()
    row("r-layer against R, medians", "r-layer", "R", "ratio", "goal", "")
    for title, other in (("fetch, unpack, pack / install.packages", "install.packages"),
                         ("fetch, unpack, pack / the same and zip -9", "install.packages and zip")):  # fmt: skip
        ratio = bench.median("r-layer") / bench.median(other)
        row(title, number(bench.median("r-layer")), number(bench.median(other)), f"{ratio:.3f}", 0.2, met(ratio <= 0.2))
    cached = bench.median("r-layer, cached, without zipping")
    row("all of it cached, without zipping, s", number(cached), "", "", 0.3, met(cached <= 0.3))


def met(is_met):
    return "met" if is_met else "not met"


def main():
    parser = argparse.ArgumentParser()
    for option in ("repositories", "root", "r", "r-layer"):
        parser.add_argument(f"--{option}", required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("build", nargs="*", help="options of `r-layer build runtime`, after --")
    arguments = parser.parse_args()
    load_before = os.getloadavg()[0]
    with Server(arguments.repositories) as url, tempfile.TemporaryDirectory() as folder:
        try:
            bench = Bench(arguments, Path(folder), f"{url}/p3m/cran/latest")
            # Once unmeasured, so that everybody's files are in the kernel's memory.
            bench.round()
            bench.seconds.clear()
            for count in range(arguments.rounds):
                print(f"round {count + 1} of {arguments.rounds}", file=sys.stderr)
                bench.round()
        except Failed as failure:
            sys.exit(str(failure))
    report(bench, load_before)


if __name__ == "__main__":
    main()
