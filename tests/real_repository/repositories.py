"""Two repositories from Debian's source packages: one laid out as CRAN, one as Posit Package Manager.

    cran/src/contrib/{PACKAGES,PACKAGES.gz,NAME_VERSION.tar.gz,Archive/NAME/NAME_VERSION.tar.gz}
    p3m/cran/{latest,2025-06-01}/src/contrib/…
    p3m/cran/2025-06-01/bin/linux/manylinux_2_28-x86_64/4.5/src/contrib/…
    p3m/cran/2023-03-01/…             with the older versions

A source where a binary is asked for is a link to it, by which serve.py knows what it is.
"""

import argparse
import os

from binaries import Workshop
from contrib import Package, write_index
from sources import cran_package, original_of

BINARIES = "bin/linux/manylinux_2_28-x86_64/4.5/src/contrib"
TODAY, EARLY = "2025-06-01", "2023-03-01"


def listed(path):
    """What is done → names of Debian's source packages."""
    lists = {"binary": [], "source": [], "archived": []}
    with open(path, encoding="utf-8") as file:
        for line in file:
            words = line.split("#")[0].split()
            if words:
                lists[words[0]].append(words[1])
    return lists


def contrib_folder(path, packages, md5sum=True):
    """A folder with links to packages, and their index."""
    os.makedirs(path)
    for package in packages:
        link(package.path, os.path.join(path, package.file))
    write_index(path, packages, md5sum)


def link(target, path):
    os.symlink(os.path.relpath(target, os.path.dirname(path)), path)


def make_cran(into, lists, sources, older_sources):
    """CRAN: files, not links. Returns the packages by name, and the older ones."""
    contrib = os.path.join(into, "cran/src/contrib")
    os.makedirs(contrib)
    packages = [cran_package(original_of(sources, name), contrib) for name in lists["binary"] + lists["source"]]
    write_index(contrib, packages, md5sum=True)
    older = []
    for name in lists["archived"]:
        original = original_of(older_sources, name)
        archive = os.path.join(contrib, "Archive", Package(original).name)
        os.makedirs(archive)
        older.append(cran_package(original, archive))
    return {package.name: package for package in packages}, older


def make_package_manager(into, packages, older, compiled):
    base = os.path.join(into, "p3m/cran")
    contrib_folder(os.path.join(base, TODAY, "src/contrib"), packages.values())
    os.symlink(TODAY, os.path.join(base, "latest"))
    contrib_folder(os.path.join(base, EARLY, "src/contrib"), older)
    contrib_folder(os.path.join(base, EARLY, BINARIES), older, md5sum=False)
    folder = os.path.join(base, TODAY, BINARIES)
    os.makedirs(folder)
    for name, package in packages.items():
        path = os.path.join(folder, package.file)
        if name in compiled:
            # A name of its own, by which it stays when the cache's is removed.
            os.link(compiled[name], path)
        else:
            link(package.path, path)
    write_index(folder, packages.values(), md5sum=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for option in ("list", "sources", "older-sources", "root", "r", "binaries", "into"):
        parser.add_argument(f"--{option}", required=True)
    arguments = parser.parse_args()
    lists = listed(arguments.list)
    packages, older = make_cran(arguments.into, lists, arguments.sources, arguments.older_sources)
    only_sources = {Package(original_of(arguments.sources, name)).name for name in lists["source"]}
    to_compile = {name: package for name, package in packages.items() if name not in only_sources}
    compiled = Workshop(arguments.root, arguments.r, arguments.binaries).compile(to_compile)
    make_package_manager(arguments.into, packages, older, compiled)


main()
