#!/usr/bin/env bash
# Makes the real repositories that tests and `scripts/bench packages` use: one laid out as CRAN, one as Posit Package
# Manager, with packages compiled against the R that r-layer compiled. They are in
# ~/.cache/r-layer-dev/real-repository/current, which is made once, and again when what makes it changes.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/setup.sh
. "$here/../../scripts/setup.sh"
repository=$cache/r-layer-dev/real-repository
recipes=("$here"/{install.sh,packages.txt,binaries.py,contrib.py,repositories.py,sources.py})
# What r-layer's own root for compiling has, and the libraries that the packages ask for.
development=bzip2,ca-certificates,file,g++,gcc,gfortran,libbz2-dev,libcurl4-openssl-dev,libicu-dev,liblzma-dev,libpcre2-dev,\
libpng-dev,libssl-dev,libtiff-dev,libudunits2-dev,libxml2-dev,make,perl,pkg-config,tzdata,unzip,xz-utils,zlib1g-dev
export PYTHONDONTWRITEBYTECODE=1

# Debian's source packages of a kind; see packages.txt.
listed() {
    awk -v kind="$1" '$1 == kind { print $2 }' "$here/packages.txt"
}

# Fetches those sources that are not there: what is there stays, whatever Debian has since. $1: folder, the rest: names.
need_debian_sources() {
    local into=$1 missing=() name
    shift
    for name in "$@"; do
        compgen -G "$into/${name}_*.orig.tar.*" >/dev/null || missing+=("$name")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    echo "fetching ${#missing[@]} of Debian's source packages"
    fetch_sources_from_debian "$into" "${missing[@]}" >"$repository/fetch.log" 2>&1 ||
        fail "Debian's source packages cannot be fetched; see $repository/fetch.log"
}

# The newest R that r-layer compiled.
find_compiled_r() {
    # shellcheck disable=SC2012 # r-layer names these folders itself
    r=$(ls -dt "$R_LAYER_CACHE"/compiled/R-4.5.*-x86_64-*/opt/R 2>/dev/null | head -n 1)
    [ -n "$r" ] || fail "There is no compiled R 4.5 in $R_LAYER_CACHE; type: r-layer build runtime --r-source cran"
}

# What debootstrap mounts ends with it, however it ends.
make_root() {
    echo "making a Debian root to compile in, once"
    bwrap --unshare-pid --die-with-parent --dev-bind / / --proc /proc --cap-add ALL -- \
        debootstrap --variant=minbase --include="$development" bullseye "$1" "$(debian_mirror)" >"$repository/root.log" 2>&1 ||
        fail "debootstrap failed; see $repository/root.log"
    rm -rf "$1"/var/cache/apt/archives/*.deb "$1"/var/lib/apt/lists/*
}

make_repositories() {
    python3 "$here/repositories.py" --list "$here/packages.txt" --sources "$repository/sources" \
        --older-sources "$repository/older-sources" --root "$repository/$root" --r "$r" --binaries "$repository/binaries" --into "$1"
}

# Makes a folder beside its place and renames it. $1: its name, the rest: a command, which gets an empty folder's path last.
keep() {
    local name=$1 unfinished
    shift
    [ -d "$repository/$name" ] && return
    unfinished=$(mktemp -d "$repository/.unfinished-XXXXXX")
    chmod 755 "$unfinished"
    "$@" "$unfinished"
    mv -T "$unfinished" "$repository/$name"
}

short_hash() {
    sha256sum | cut -c 1-16
}

mkdir -p "$repository"/{sources,older-sources}
exec 9>"$repository/lock"
flock 9
rm -rf "$repository"/.unfinished-*
# shellcheck disable=SC2046 # words
need_debian_sources "$repository/sources" $(listed binary) $(listed source)
# shellcheck disable=SC2046
debian_suite=bookworm need_debian_sources "$repository/older-sources" $(listed archived)
find_compiled_r
root=root-$(short_hash <<<"$development $(declare -f make_root)")
keep "$root" make_root
made=repositories-$(cat "${recipes[@]}" <(echo "$r $root" && ls "$repository"/{sources,older-sources}) | short_hash)
keep "$made" make_repositories
ln -sfn "$made" "$repository/.unfinished-link"
mv -T "$repository/.unfinished-link" "$repository/current"
