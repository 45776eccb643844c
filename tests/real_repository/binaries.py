"""Source packages compiled into binary ones, as Posit's: each against those it needs, once, two or more at a time.

Each is in a folder of its own in the cache, NAME-KEY: its key is made of all that makes it, so that another version of one
package has only those compiled again that need it.
"""

import concurrent.futures
import glob
import hashlib
import os
import shutil
import subprocess
import tempfile
import time

from contrib import closure

HERE = os.path.dirname(os.path.abspath(__file__))


class Workshop:
    """Where packages are compiled: a root file system with compilers, and the R that is compiled against."""

    def __init__(self, root, r, kept):
        self.root, self.r, self.kept = root, r, kept
        os.makedirs(kept, exist_ok=True)
        for unfinished in glob.glob(os.path.join(kept, ".unfinished-*")):
            shutil.rmtree(unfinished)

    def keys(self, packages):
        """Name → key."""
        keys = {}

        def key(name):
            if name not in keys:
                with open(packages[name].path, "rb") as file, open(os.path.join(HERE, "install.sh"), "rb") as recipe:
                    parts = [file.read(), recipe.read(), self.root.encode(), self.r.encode()]
                parts += [key(needed).encode() for needed in sorted(packages[name].needs())]
                keys[name] = hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()[:16]
            return keys[name]

        return {name: key(name) for name in packages}

    def compile(self, packages):
        """Compiles those that are not there. Returns name → tarball of the binary package."""
        keys = self.keys(packages)
        folders = {name: os.path.join(self.kept, f"{name}-{keys[name]}") for name in packages}
        missing = {name for name in packages if not os.path.isdir(folders[name])}
        if missing:
            print(f"compiling {len(missing)} R packages, once", flush=True)
            start = time.monotonic()
            self.compile_in_order(packages, folders, missing)
            print(f"{len(missing)} R packages compiled in {time.monotonic() - start:.0f} s", flush=True)
        return {name: glob.glob(os.path.join(glob.escape(folder), "*.tar.gz"))[0] for name, folder in folders.items()}

    def compile_in_order(self, packages, folders, missing):
        waiting, running, done = set(missing), {}, set(packages) - missing
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            while waiting or running:
                for name in sorted(name for name in waiting if packages[name].needs() <= done):
                    waiting.remove(name)
                    running[pool.submit(self.install, packages, folders, name)] = name
                if not running:
                    raise SystemExit(f"these packages need each other: {', '.join(sorted(waiting))}")
                finished, _ = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
                for future in finished:
                    name = running.pop(future)
                    try:
                        print(f"  {name}: {future.result():.1f} s", flush=True)
                    except subprocess.CalledProcessError as error:
                        pool.shutdown(cancel_futures=True)
                        raise SystemExit(f"{name} cannot be compiled; the end of {self.log(name)}:\n{self.tail(name)}") from error
                    done.add(name)

    def install(self, packages, folders, name):
        """Compiles one package; returns the seconds it took."""
        start = time.monotonic()
        made = tempfile.mkdtemp(prefix=".unfinished-", dir=self.kept)
        os.chmod(made, 0o755)
        needed = sorted(closure(packages, packages[name].needs()))
        libraries = {one: f"/srv/{os.path.basename(folders[one])}/library" for one in needed}
        command = ["bwrap", "--unshare-pid", "--unshare-ipc", "--unshare-net", "--die-with-parent", "--new-session", "--clearenv"]
        command += ["--ro-bind", self.root, "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", "/srv"]
        command += ["--ro-bind", os.path.dirname(self.r), "/opt", "--bind", made, "/mnt"]
        command += ["--ro-bind", os.path.join(HERE, "install.sh"), "/srv/install.sh"]
        command += ["--ro-bind", packages[name].path, f"/srv/{packages[name].file}"]
        for one in needed:
            command += ["--ro-bind", os.path.join(folders[one], "library"), libraries[one]]
        command += ["--setenv", "HOME", "/tmp", "--setenv", "PATH", "/usr/local/bin:/usr/bin:/bin"]
        command += ["--setenv", "R_LIBS", ":".join(libraries.values())]
        with open(self.log(name), "wb") as log:
            subprocess.run(command + ["--", "/bin/sh", "/srv/install.sh", f"/srv/{packages[name].file}"],
                           stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=True)  # fmt: skip
        os.rename(made, folders[name])
        return time.monotonic() - start

    def log(self, name):
        return os.path.join(self.kept, f"{name}.log")

    def tail(self, name):
        with open(self.log(name), encoding="utf-8", errors="replace") as log:
            return "".join(log.readlines()[-20:])
