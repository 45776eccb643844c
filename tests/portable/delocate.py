"""Shared libraries of the system that R was built on, brought into R under names of their own.

Posit's portable R carries every library that is not on every Linux system: copied to lib/R/lib/.libs, with a part of
its hash in its name, so that it is never taken for the system's own, and found by run paths that begin at $ORIGIN.
"""

import hashlib
import os
import shutil
import struct
import subprocess

# Taken to be on every system with this glibc: not bundled. libGL belongs to the machine's graphics driver.
OF_EVERY_SYSTEM = (
    "ld-linux-x86-64.so ld-linux-aarch64.so libanl.so libatomic.so libc.so libdl.so libexpat.so libgcc_s.so libGL.so "
    "libm.so libmvec.so libnsl.so libpthread.so libresolv.so librt.so libstdc++.so libutil.so libz.so"
).split()
# R's own, found in lib/R/lib by LD_LIBRARY_PATH, which R's start script sets.
OF_R = ("libR.so", "libRblas.so", "libRlapack.so")


def patchelf(path, *arguments):
    command = ["patchelf", *arguments, str(path)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def needed(path):
    return patchelf(path, "--print-needed").split()


def elf_type(path):
    """2 for a program at a fixed address, 3 for what can be loaded anywhere, nothing for a file of another kind."""
    with open(path, "rb") as file:
        header = file.read(18)
    return struct.unpack_from("<H", header, 16)[0] if header.startswith(b"\x7fELF") else None


def elf_files(prefix):
    """What is linked in R: its modules, libraries, and bin/exec/R; not Rscript, which needs glibc alone."""
    return [
        path
        for path in sorted(prefix.rglob("*"))
        if (path.suffix == ".so" or ".so." in path.name or path.name == "R")
        and path.is_file()
        and not path.is_symlink()
        and elf_type(path)
    ]


def is_bundled(name):
    return not name.startswith((*OF_EVERY_SYSTEM, *OF_R))


class System:
    """The root file system that R was built in; its libraries are found without running anything."""

    def __init__(self, root, triplet):
        self.root = root
        self.folders = [root / folder for folder in (f"usr/lib/{triplet}", f"lib/{triplet}", "usr/lib", "lib")]

    def library(self, name):
        for folder in self.folders:
            if (folder / name).exists():
                return folder / name
        raise SystemExit(f"{name} is needed, and {self.root} has no such library")


def libraries_of(files, system):
    """Every library to bundle, by name: what the files need, and what that needs."""
    found = {}
    waiting = list(files)
    while waiting:
        for name in needed(waiting.pop()):
            if is_bundled(name) and name not in found:
                found[name] = system.library(name)
                waiting.append(found[name])
    return found


def name_with_hash(path):
    name, _, suffix = path.name.partition(".")
    return f"{name}-{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}.{suffix}"


def rename_needed(path, names):
    renames = [("--replace-needed", name, names[name]) for name in needed(path) if name in names]
    if renames:
        patchelf(path, *(word for rename in renames for word in rename))


def bundle(prefix, system):
    """Bundles the libraries of the R in `prefix`. Returns the file of the system that each was copied from, by its new name."""
    libs = prefix / "lib/R/lib/.libs"
    files = elf_files(prefix)
    found = libraries_of(files, system)
    names = {name: name_with_hash(path) for name, path in found.items()}
    libs.mkdir()
    for name, path in found.items():
        copy = libs / names[name]
        shutil.copyfile(path, copy)
        copy.chmod(0o755)
        patchelf(copy, "--set-soname", names[name])
        patchelf(copy, "--set-rpath", "$ORIGIN")
        rename_needed(copy, names)
    for path in files:
        # The run path of a program at a fixed address cannot grow. R's asks for libR.so only, and has none.
        if path.match("bin/exec/R"):
            assert not any(map(is_bundled, needed(path))), f"{path} asks for more than R's own libraries"
            continue
        # Whatever R loads reaches a bundled library: libR.so needs some.
        if any(is_bundled(name) or name in OF_R for name in needed(path)):
            rename_needed(path, names)
            patchelf(path, "--set-rpath", "$ORIGIN/" + os.path.relpath(libs, path.parent))
    check(prefix, set(names.values()))
    return {names[name]: path for name, path in found.items()}


def check(prefix, bundled):
    """Nothing asks for a library that is neither bundled nor on every system."""
    for path in elf_files(prefix):
        for name in filter(is_bundled, needed(path)):
            assert name in bundled, f"{path} asks for {name}, which is not bundled"
