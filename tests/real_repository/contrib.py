"""A folder of packages laid out as CRAN's `src/contrib`: what is in a tarball, and the index of a folder."""

import gzip
import hashlib
import os
import re
import tarfile

# The fields of CRAN's PACKAGES, in its order.
INDEXED = (
    "Package", "Version", "Priority", "Depends", "Imports", "LinkingTo", "Suggests", "Enhances", "License", "OS_type",
    "MD5sum", "NeedsCompilation",
)  # fmt: skip
HARD = ("Depends", "Imports", "LinkingTo")
# What every R has, and the recommended packages, which r-layer's R has too.
OF_R = set(
    "R base compiler datasets grDevices graphics grid methods parallel splines stats stats4 tcltk tools utils KernSmooth MASS"
    " Matrix boot class cluster codetools foreign lattice mgcv nlme nnet rpart spatial survival".split()
)


def fields_of(description):
    """The fields of a DESCRIPTION; continued lines are joined."""
    fields, name = {}, None
    for line in description.splitlines():
        if line[:1].isspace() and name:
            fields[name] += " " + line.strip()
        elif ":" in line:
            name, value = line.split(":", 1)
            fields[name] = value.strip()
    return fields


class Package:
    """A tarball of a package, source or binary."""

    def __init__(self, path):
        self.path = path
        with tarfile.open(path) as archive:
            # What is compiled comes after DESCRIPTION in some, before it in others.
            names = [member.name.removeprefix("./") for member in archive]
            [described] = [name for name in names if re.fullmatch(r"[^/]+/DESCRIPTION", name)]
            self.top = described.split("/")[0]
            self.fields = fields_of(archive.extractfile(described).read().decode("utf-8", "replace"))
        self.name, self.version = self.fields["Package"], self.fields["Version"]
        # Those that upstream has not built with `R CMD build` do not say.
        compiles = any(name.startswith(f"{self.top}/src/") for name in names)
        self.fields.setdefault("NeedsCompilation", "yes" if compiles else "no")

    @property
    def file(self):
        return f"{self.name}_{self.version}.tar.gz"

    def needs(self):
        """The packages that it cannot do without, R's own aside."""
        listed = ",".join(self.fields.get(field, "") for field in HARD)
        names = {re.split(r"[\s(]", name.strip(), maxsplit=1)[0] for name in listed.split(",")}
        return names - OF_R - {""}

    def record(self, md5sum):
        """Its record in PACKAGES. Posit Package Manager's binaries have no hash there."""
        fields = dict(self.fields)
        fields.pop("MD5sum", None)
        if md5sum:
            with open(self.path, "rb") as file:
                fields["MD5sum"] = hashlib.md5(file.read()).hexdigest()
        return "".join(f"{field}: {fields[field]}\n" for field in INDEXED if field in fields)


def closure(packages, names):
    """All that the named packages need, and they themselves. `packages`: name → Package."""
    found, left = set(), list(names)
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left.extend(packages[name].needs())
    return found


def write_index(folder, packages, md5sum):
    """PACKAGES and PACKAGES.gz of the packages in a folder."""
    records = [package.record(md5sum) for package in sorted(packages, key=lambda package: package.name)]
    text = "\n".join(records).encode()
    with open(os.path.join(folder, "PACKAGES"), "wb") as file:
        file.write(text)
    with open(os.path.join(folder, "PACKAGES.gz"), "wb") as file:
        file.write(gzip.compress(text, mtime=0))
