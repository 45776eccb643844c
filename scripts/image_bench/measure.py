"""Measures `r-layer image` against podman's build of the Dockerfile that r-layer prints, on the same inputs, from warm caches,
in one run; then its memory with an image of 2 GB. `scripts/bench image` prepares what it needs and starts it.

Every round changes the function's code, and lets each make the image of it and push it.
"""

import argparse
import gzip
import hashlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from pathlib import Path


ENTRYPOINT = """#!/bin/sh
export _HANDLER="$1"
exec /var/runtime/bootstrap
"""
APPLETS = ("sh", "unzip", "mkdir", "seq", "printf", "chmod")
LARGE = 2_000_000_000


def run(command, **options):
    """Runs a command that must succeed. Returns its seconds and its most memory, in MB.

    That is told by time(1): a process begins with the most memory that its parent had, and this one is large.
    """
    with tempfile.NamedTemporaryFile("r") as peak:
        start = time.monotonic()
        done = subprocess.run(
            ["/usr/bin/time", "--quiet", "--format", "%M", "--output", peak.name, *command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **options,
        )
        took = time.monotonic() - start
        if done.returncode != 0:
            sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stdout.decode(errors='replace')}")
        return took, int(peak.read()) * 1024 / 1e6


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def registry(folder, port):
    """Debian's docker-registry. It is ended by the caller."""
    settings = folder / "registry.yml"
    settings.write_text(
        f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {folder}/registry}}}}\n"
        f'http: {{addr: "127.0.0.1:{port}"}}\n'
    )
    process = subprocess.Popen(
        ["docker-registry", "serve", settings], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "OTEL_TRACES_EXPORTER": "none"},
    )
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return process
        except OSError:
            time.sleep(0.05)


def base(folder, root):
    """A layout of the root like Lambda's, with an entry point as AWS's image has it."""
    layout = folder / "base"
    blobs = layout / "blobs/sha256"
    blobs.mkdir(parents=True)

    def add(kind, content):
        digest = hashlib.sha256(content).hexdigest()
        (blobs / digest).write_bytes(content)
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}", "size": len(content)}

    tarball = folder / "base.tar"
    (folder / "entrypoint").write_text(ENTRYPOINT)
    (folder / "entrypoint").chmod(0o755)
    with tarfile.open(tarball, "w") as archive:
        archive.add(root, ".")
        archive.add(folder / "entrypoint", "./lambda-entrypoint.sh")
    content = tarball.read_bytes()
    config = {
        "architecture": "amd64", "os": "linux", "history": [{"created_by": "base"}],
        "config": {"Entrypoint": ["/lambda-entrypoint.sh"], "WorkingDir": "/var/task", "Env": ["PATH=/usr/bin:/bin"]},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(content).hexdigest()]},
    }
    manifest = {
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": add("config.v1+json", json.dumps(config).encode()),
        "layers": [add("layer.v1.tar+gzip", gzip.compress(content, 1, mtime=0))],
    }
    only = add("manifest.v1+json", json.dumps(manifest).encode())
    only["annotations"] = {"org.opencontainers.image.ref.name": "base"}
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [only]}))
    (layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return layout


def podman_settings(folder, port):
    """podman with images of its own, wherever it runs."""
    (folder / "containers.conf").write_text(
        f'[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\ntmp_dir = "{folder}/podman/tmp"\n'
        '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n'
    )
    (folder / "storage.conf").write_text(
        f'[storage]\ndriver = "overlay"\ngraphroot = "{folder}/podman/graph"\nrunroot = "{folder}/podman/run"\n'
    )
    (folder / "registries.conf").write_text(f'[[registry]]\nlocation = "localhost:{port}"\ninsecure = true\n')
    names = {
        "CONTAINERS_CONF": "containers.conf", "CONTAINERS_STORAGE_CONF": "storage.conf",
        "CONTAINERS_REGISTRIES_CONF": "registries.conf",
    }
    return {**os.environ, **{name: str(folder / file) for name, file in names.items()}}


def busybox(folder, environment):
    """The image that has unzip."""
    root = folder / "busybox"
    (root / "bin").mkdir(parents=True)
    run(["cp", "/bin/busybox", root / "bin/busybox"])
    for applet in APPLETS:
        (root / "bin" / applet).symlink_to("busybox")
    run(["tar", "-cf", folder / "busybox.tar", "-C", root, "."])
    run(["podman", "import", folder / "busybox.tar", "localhost/busybox:1"], env=environment)


def large_zip(path):
    """2 GB that cannot be compressed, as models are."""
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(20):
            archive.writestr(f"share/model-{number}.bin", os.urandom(LARGE // 20))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--r-layer", required=True)
    parser.add_argument("--root", required=True, help="a root file system like Lambda's")
    parser.add_argument("--zip", type=Path, action="append", required=True, help="a layer's zip")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="r-layer-image-bench-"))
    port = free_port()
    process = registry(folder, port)
    environment = podman_settings(folder, port)
    try:
        measure(arguments, folder, f"localhost:{port}", environment)
    finally:
        process.terminate()
        subprocess.run(["podman", "rm", "--all", "--force"], env=environment, check=False, capture_output=True)
        subprocess.run(["umount", folder / "podman/graph/overlay"], check=False, capture_output=True)
        subprocess.run(["rm", "-rf", folder], check=False)


def measure(arguments, folder, host, environment):
    project = folder / "project"
    (project / "fn").mkdir(parents=True)
    code = project / "fn/script.R"
    code.write_text("f <- function() 0\n")
    (project / "dist").mkdir()
    layers = []
    for path in arguments.zip:
        for file in (path, path.with_suffix(".json")):
            (project / "dist" / file.name).write_bytes(file.read_bytes())
        layers += ["--layer", f"dist/{path.name}"]
    place = f"docker://{host}/lambda/provided:al2023"
    layout = base(folder, arguments.root)
    run(["skopeo", "--insecure-policy", "copy", "--dest-tls-verify=false", f"oci:{layout}:base", place])
    busybox(folder, environment)
    command = [
        arguments.r_layer, "image", "build", "--code", "fn", "--handler", "script.f", "--base", f"{host}/lambda/provided:al2023",
    ]
    options = {"cwd": project, "env": {**os.environ, "R_LAYER_CACHE": str(folder / "cache")}}
    (folder / "cache").mkdir()
    first, _ = run([*command, *layers], **options)
    dockerfile = subprocess.run([*command, *layers, "--dockerfile"], check=True, capture_output=True, **options)
    (project / "Dockerfile").write_bytes(dockerfile.stdout)
    docked = f"{host}/docked:1"
    build = ["podman", "build", "--isolation=chroot", "--network=host", "--build-arg", "UNZIP=localhost/busybox:1"]
    build += ["--tag", docked, "."]
    first_of_podman, _ = run(build, cwd=project, env=environment)
    run(["podman", "push", docked], env=environment)
    times = {name: [] for name in ("r-layer built", "r-layer pushed", "podman built", "podman pushed")}
    memory = []
    for number in range(arguments.rounds):
        code.write_text(f"f <- function() {number + 1}\n")
        built, _ = run([*command, *layers], **options)
        pushed, most = run([*command, *layers, "--push", f"{host}/fn:1"], **options)
        times["r-layer built"].append(built)
        times["r-layer pushed"].append(pushed)
        memory.append(most)
        built, _ = run(build, cwd=project, env=environment)
        pushed, _ = run(["podman", "push", docked], env=environment)
        times["podman built"].append(built)
        times["podman pushed"].append(built + pushed)
    median = {name: statistics.median(values) for name, values in times.items()}
    print(f"an image of changed code, from warm caches: {arguments.rounds} rounds on {os.cpu_count()} cores, medians")
    print(f"  {first:8.2f} s  r-layer image build, the first time")
    print(f"  {first_of_podman:8.2f} s  podman build of its Dockerfile, the first time")
    for name, values in times.items():
        print(f"  {median[name]:8.2f} s  {name} (least {min(values):.2f}, most {max(values):.2f})")
    for what in ("built", "pushed"):
        print(f"  {median[f'podman {what}'] / median[f'r-layer {what}']:8.1f}    times as long with podman: {what}")
    print(f"  {max(memory):8.1f} MB most memory of r-layer")
    large_zip(project / "large.zip")
    both = [*command, *layers, "--layer", "large.zip"]
    built, of_build = run([*both, "-o", "large"], **options)
    pushed, of_push = run([arguments.r_layer, "image", "push", f"{host}/large:1", "--from", "large"], **options)
    print(f"an image of {LARGE / 1e9:.0f} GB")
    print(f"  {built:8.1f} s  built, {of_build:.1f} MB most memory")
    print(f"  {pushed:8.1f} s  pushed, {of_push:.1f} MB most memory")


main()
