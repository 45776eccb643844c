# shellcheck shell=bash
# shellcheck disable=SC2154 # what setup.sh sets
# The R packages that `scripts/bench runtime` compares with, compiled against the R that r-layer compiled; sourced by
# scripts/bench. They are in ~/.cache/r-layer-dev/runtime-bench, in folders whose names end with the hash of what makes them.

runtime_bench=$cache/r-layer-dev/runtime-bench
recipes=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# What lambdr and the loop need, then dplyr; each after those it needs. jsonlite is the layer's own.
bench_packages=(r6 sys askpass mime curl openssl httr logger
    generics glue magrittr rlang cli lifecycle pkgconfig fansi utf8 vctrs pillar tibble withr tidyselect dplyr)

# The hash of what stdin says.
short_hash() {
    sha256sum | cut -c 1-16
}

# The newest of the paths; nothing when there is none.
newest() {
    # shellcheck disable=SC2012 # r-layer names these folders itself
    ls -dt "$@" 2>/dev/null | head -n 1
}

# Sets compiled_r and build_root: the R that r-layer compiled, and the root file system it did that in.
find_build_root() {
    compiled_r=$(newest "$R_LAYER_CACHE"/compiled/R-*-x86_64-*/opt/R)
    build_root=$(newest "$R_LAYER_CACHE"/roots/debian-*-x86_64-*/usr/bin/g++)
    build_root=${build_root%/usr/bin/g++}
    { [ -n "$compiled_r" ] && [ -n "$build_root" ]; } ||
        fail "There is no compiled R in $R_LAYER_CACHE, or not the root it was compiled in; type: r-layer build runtime --r-source cran"
}

# Fetches those sources that are not there. The versions that are there stay, whatever Debian has since.
need_package_sources() {
    local missing=() package
    compgen -G "$runtime_bench/sources/curl_*.orig.tar.*" >/dev/null || missing+=(curl)
    for package in "${bench_packages[@]}"; do
        compgen -G "$runtime_bench/sources/r-cran-${package}_*.orig.tar.*" >/dev/null || missing+=("r-cran-$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    echo "fetching ${#missing[@]} of Debian's source packages" >&2
    fetch_sources_from_debian "$runtime_bench/sources" "${missing[@]}" >&2
}

# Runs a command in the build root, with the compiled R at /opt/R; mounts are given as bwrap's options, then --, then the command.
in_build_root() {
    bwrap --unshare-pid --unshare-ipc --unshare-net --die-with-parent --new-session --clearenv --ro-bind "$build_root" / \
        --proc /proc --dev /dev --tmpfs /tmp --tmpfs /srv --ro-bind "${compiled_r%/R}" /opt --ro-bind "$recipes" /srv/recipes \
        --setenv HOME /tmp --setenv PATH /opt/R/bin:/usr/local/bin:/usr/bin:/bin "$@"
}

# Makes a folder of the cache beside its place, and renames it. $1: its name, the rest: a command, which gets the path of
# an empty folder as its last argument.
keep() {
    local name=$1 unfinished
    shift
    [ -d "$runtime_bench/$name" ] && return
    unfinished=$(mktemp -d "$runtime_bench/.unfinished-XXXXXX")
    chmod 755 "$unfinished"
    "$@" "$unfinished"
    mv -T "$unfinished" "$runtime_bench/$name"
}

compile_packages() {
    local made=$1
    echo "compiling libcurl and ${#bench_packages[@]} R packages, once: some minutes; the log is $runtime_bench/packages.log" >&2
    in_build_root --bind "$made" /mnt --ro-bind "$runtime_bench/sources" /srv/sources --ro-bind "$jsonlite" /srv/jsonlite/jsonlite \
        -- /bin/sh /srv/recipes/compile-packages.sh "${bench_packages[@]}" 2>&1 | tee "$runtime_bench/packages.log" |
        sed -u -n 's/^==> /  /p' >&2 || fail "the packages cannot be compiled; see $runtime_bench/packages.log"
}

install_lambdr() {
    local tree=$1 made=$2
    in_build_root --bind "$made" /mnt --ro-bind "$runtime_bench/$packages" /srv/packages --ro-bind "$jsonlite" /srv/jsonlite/jsonlite \
        --ro-bind "$tree" /srv/lambdr --setenv R_LIBS /srv/packages/library:/srv/jsonlite \
        -- R --no-echo CMD INSTALL --no-docs --library=/mnt /srv/lambdr >"$runtime_bench/lambdr.log" 2>&1 ||
        fail "lambdr cannot be installed; see $runtime_bench/lambdr.log"
}

# Sets packages, and lambdr where its tree is given: names of folders in the cache. $1: the layer's jsonlite, $2: lambdr's tree.
need_packages() {
    jsonlite=$1
    local tree=$2 made_of
    mkdir -p "$runtime_bench/sources"
    exec 9>"$runtime_bench/lock"
    flock 9
    rm -rf "$runtime_bench"/.unfinished-*
    find_build_root
    need_package_sources
    made_of=$(echo "$compiled_r $build_root ${bench_packages[*]}" && ls "$runtime_bench/sources" &&
        cat "$recipes/compile-packages.sh" "$jsonlite/DESCRIPTION")
    packages=packages-$(short_hash <<<"$made_of")
    keep "$packages" compile_packages
    lambdr=
    if [ -n "$tree" ]; then
        made_of=$(echo "$packages" && cd "$tree" && cat DESCRIPTION NAMESPACE R/*.R)
        lambdr=lambdr-$(short_hash <<<"$made_of")
        keep "$lambdr" install_lambdr "$tree"
    fi
    flock -u 9
}
