"""A root file system like Lambda's, in which processes are started, measured and ended."""

import os
import shlex
import signal
import subprocess
import time
from pathlib import Path


class Sandbox:
    """One bubblewrap with a shell in it, which starts what it is told on its stdin: bubblewrap's own start is not measured.

    The processes see this machine's network and process numbers. /tmp is the folder `work`.
    """

    def __init__(self, root, layer, task, work, mounts):
        self.work = Path(work)
        self.work.mkdir()
        command = ["bwrap", "--die-with-parent", "--new-session", "--clearenv", "--ro-bind", root, "/"]
        command += ["--dev", "/dev", "--ro-bind", "/proc", "/proc", "--bind", str(self.work), "/tmp"]
        command += ["--ro-bind", layer, "/opt", "--ro-bind", task, "/var/task", "--chdir", "/var/task"]
        for source, target in mounts.items():
            command += ["--ro-bind", source, target]
        self.shell = subprocess.Popen(
            [*command, "/bin/sh"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, cwd="/"
        )
        # From here on the shell is silent about the processes that are ended.
        self.ask("exec 2>/dev/null; echo ready")
        self.process = None

    def tell(self, line):
        self.shell.stdin.write(line.encode() + b"\n")

    def ask(self, line):
        self.tell(line)
        return self.shell.stdout.readline().decode().strip()

    def line(self, command, environment):
        words = [f"{name}={shlex.quote(value)}" for name, value in environment.items()]
        return " ".join([*words, shlex.join(command), "</dev/null >/tmp/log 2>&1"])

    def start(self, command, environment):
        """Starts a process; returns the time just before."""
        line = self.line(command, environment) + " & echo $!"
        began = time.perf_counter_ns()
        self.tell(line)
        self.process = int(self.shell.stdout.readline())
        return began

    def run(self, command, environment):
        """Runs a command to its end; returns how long it took, and its exit status."""
        began = time.perf_counter_ns()
        status = self.ask(self.line(command, environment) + "; echo $?")
        return time.perf_counter_ns() - began, int(status)

    def is_running(self):
        """A process that ended is a zombie until the shell takes notice."""
        try:
            return Path(f"/proc/{self.process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
        except FileNotFoundError:
            return False

    def memory(self):
        """Rss and Pss in bytes, of the process and all below it."""
        sums = {"Rss": 0, "Pss": 0}
        for pid in descendants(self.process):
            for entry in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                name, _, value = entry.partition(":")
                if name in sums:
                    sums[name] += int(value.split()[0]) * 1024
        return sums

    def stop(self):
        """Ends the process and all below it."""
        if self.process is None:
            return
        for pid in reversed(descendants(self.process)):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.ask("wait; echo ended")
        self.process = None

    def log(self):
        return (self.work / "log").read_text(errors="replace")

    def close(self):
        self.stop()
        self.shell.stdin.close()
        self.shell.wait()


def descendants(pid):
    """A process and all below it, parents first."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        return [pid]
    return [pid, *(p for child in children for p in descendants(int(child)))]
