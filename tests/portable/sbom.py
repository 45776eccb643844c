"""lib/R/sbom.cdx.json, as Posit writes it: the packages of the build system that the bundled libraries are of."""

import json
import uuid
from datetime import datetime, timezone
from urllib.parse import quote


def on_merged_usr(path):
    """The path of a file where /lib is a link to /usr/lib; dpkg knows some files by their old path."""
    return f"/usr{path}" if path.startswith("/lib/") else path


def owners(root):
    """The package of each file, by dpkg's lists."""
    lists = (root / "var/lib/dpkg/info").glob("*.list")
    return {on_merged_usr(file): lst.stem.split(":")[0] for lst in lists for file in lst.read_text().splitlines()}


def installed(root):
    """The fields of each package, by dpkg's status."""
    packages = {}
    for record in (root / "var/lib/dpkg/status").read_text().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in record.splitlines() if ": " in line and not line.startswith(" "))
        if fields:
            packages[fields["Package"]] = fields
    return packages


def component(package, files):
    name, version = package["Package"], package["Version"]
    return {
        "type": "library",
        "name": name,
        "version": version,
        "purl": f"pkg:deb/debian/{quote(name)}@{quote(version)}?arch={package['Architecture']}",
        "properties": [{"name": "posit:bundled-files", "value": ", ".join(sorted(files))}],
    }


def write(prefix, version, system, bundled):
    """`bundled` has the file of the system that each bundled library was copied from."""
    owner, packages, files = owners(system.root), installed(system.root), {}
    for name, path in bundled.items():
        package = owner[on_merged_usr(f"/{path.relative_to(system.root)}")]
        files.setdefault(package, []).append(name)
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid4()}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {
                "type": "application",
                "name": "Posit R",
                "version": version,
                "description": "Portable R build (manylinux_2_34)",
            },
            "properties": [
                {"name": "posit:os-identifier", "value": "manylinux_2_34"},
                {"name": "posit:base-image", "value": "Debian GNU/Linux 11 (bullseye)"},
            ],
        },
        "components": [component(packages[name], files[name]) for name in sorted(files)],
    }
    (prefix / "lib/R/sbom.cdx.json").write_text(json.dumps(document, indent=2) + "\n")
