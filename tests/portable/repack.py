"""Turns an R that was built for one system into what Posit calls portable R, in place.

usage: repack.py ROOT ARCHITECTURE VERSION PREFIX

ROOT          the root file system that R was built for
ARCHITECTURE  x86_64 or aarch64
VERSION       R's
PREFIX        the folder that has bin/ and lib/R/

It does what rstudio/r-builds does for manylinux_2_34, so that the result has the same form. Nothing of R is run.
"""

import re
import shutil
import sys
from pathlib import Path

import delocate
import launchers
import sbom


def use_openblas(prefix, system):
    """OpenBLAS takes the place of R's BLAS, and is its LAPACK too. (Debian's R asks for the libraries by their general names.)"""
    lib = prefix / "lib/R/lib"
    (lib / "libRlapack.so").unlink(missing_ok=True)
    (lib / "libRblas.so").unlink(missing_ok=True)
    shutil.copyfile(system.library("openblas-openmp/libopenblas.so.0"), lib / "libRblas.so")
    (lib / "libRblas.so").chmod(0o755)
    delocate.patchelf(lib / "libRblas.so", "--set-soname", "libRblas.so")
    general = dict.fromkeys(("libRlapack.so", "libblas.so.3", "liblapack.so.3"), "libRblas.so")
    for path in delocate.elf_files(prefix):
        delocate.rename_needed(path, general)
    makeconf = prefix / "lib/R/etc/Makeconf"
    text = re.sub(r"^LAPACK_LIBS = .*", "LAPACK_LIBS = ", makeconf.read_text(), flags=re.MULTILINE)
    makeconf.write_text(re.sub(r"^BLAS_LIBS = .*", "BLAS_LIBS = -lRblas", text, flags=re.MULTILINE))


def bring_tcl(prefix, root):
    for name in ("tcl8.6", "tk8.6"):
        shutil.copytree(root / "usr/share/tcltk" / name, prefix / "lib/R/share" / name)


def main(root, architecture, version, prefix):
    root, prefix = Path(root).resolve(), Path(prefix).resolve()
    system = delocate.System(root, f"{architecture}-linux-gnu")
    use_openblas(prefix, system)
    bundled = delocate.bundle(prefix, system)
    bring_tcl(prefix, root)
    launchers.extend_profile(prefix)
    launchers.make_relocatable(prefix)
    sbom.write(prefix, version, system, bundled)


if __name__ == "__main__":
    main(*sys.argv[1:])
