"""Upstream tarballs, as Debian has them, made into source packages as CRAN has them."""

import glob
import gzip
import os
import shutil
import tarfile

from contrib import Package


def cran_package(original, folder):
    """NAME_VERSION.tar.gz in the folder, from NAME_VERSION.orig.tar.*: the same bytes where upstream's tarball is as CRAN's is."""
    found = Package(original)
    path = os.path.join(folder, found.file)
    if found.top == found.name and original.endswith(".gz"):
        shutil.copyfile(original, path)
    else:
        repack(original, path, found)
    return Package(path)


def below_top(name):
    """A path in a tarball without the folder that all of it is in."""
    return name.removeprefix("./").partition("/")[2]


def repack(original, path, package):
    """Another folder at the top, another compression. Nothing of this machine or the time gets into it."""
    with tarfile.open(original) as old, open(path, "wb") as file:
        with gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as compressed:
            with tarfile.open(fileobj=compressed, mode="w", format=tarfile.GNU_FORMAT) as new:
                for member in old:
                    below = below_top(member.name)
                    # Debian's own files are no part of the package.
                    if below == "" or below.split("/")[0] == "debian":
                        continue
                    member.name = f"{package.name}/{below}"
                    if member.islnk():
                        member.linkname = f"{package.name}/{below_top(member.linkname)}"
                    member.uid = member.gid = 0
                    member.uname = member.gname = ""
                    new.addfile(member, old.extractfile(member) if member.isfile() else None)


def original_of(folder, source):
    """The tarball of Debian's source package in a folder."""
    found = glob.glob(os.path.join(glob.escape(folder), f"{source}_*.orig.tar.*"))
    if len(found) != 1:
        raise SystemExit(f"{folder} should have one {source}_*.orig.tar.*, and has {len(found)}")
    return found[0]
