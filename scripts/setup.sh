# shellcheck shell=bash
# shellcheck disable=SC2034 # what is set here is used by those who source it
# What quickstart, test and bench share; sourced by all of them. Everything that takes long is kept outside the checkout,
# so that a second clone on the same machine starts where the first ended.

cache=${XDG_CACHE_HOME:-$HOME/.cache}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$cache/r-layer-dev/target}
export R_LAYER_CACHE=${R_LAYER_CACHE:-$cache/r-layer}
# The tarballs that R is made of, where CRAN cannot be reached.
sources=$cache/r-layer-dev/sources
r_layer=$CARGO_TARGET_DIR/release/r-layer

fail() {
    echo "$*" >&2
    exit 1
}

# Runs a command as a step: its name, and how long it took.
step() {
    local name=$1 start=$SECONDS
    shift
    echo "== $name"
    "$@"
    echo "== $name: $((SECONDS - start)) s"
}

# Installs those of the Debian packages that are not there.
install_packages() {
    local missing=()
    for package in "$@"; do
        dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep -q '^installed$' ||
            missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null || fail "This installs Debian packages, and there is no apt-get. Needed: ${missing[*]}"
    [ "$(id -u)" = 0 ] || fail "This installs Debian packages; run it as root, or first: apt-get install ${missing[*]}"
    apt-get update -q
    DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}"
}

# Rust, in the version that Cargo.toml asks for; Debian 12's own is too old.
need_rust() {
    [ -d "$HOME/.cargo/bin" ] && PATH=$HOME/.cargo/bin:$PATH
    if ! command -v cargo >/dev/null; then
        echo "installing Rust with rustup"
        curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal -c clippy -c rustfmt ||
            fail "Rust cannot be fetched. Install it (https://rustup.rs), then run this again."
        PATH=$HOME/.cargo/bin:$PATH
    fi
}

build_r_layer() {
    cargo build --release --locked --bin r-layer
}

cran_is_reachable() {
    curl -fsIL --max-time 10 -o /dev/null https://cran.r-project.org/src/base/R-4/R-4.5.0.tar.gz &&
        curl -fsIL --max-time 10 -o /dev/null https://curl.se/download/curl-8.14.1.tar.gz
}

# The Debian mirror that this machine's own apt uses.
debian_mirror() {
    local mirror
    # shellcheck disable=SC2016 # apt fills these in
    mirror=$(apt-get indextargets --format '$(ORIGIN) $(LABEL) $(SITE)' 'Created-By: Packages' |
        sed -n 's/^Debian Debian //p' | head -n 1)
    [ -n "$mirror" ] || fail "This machine's apt has no Debian mirror, from which the parts of R come that are fetched here."
    echo "$mirror"
}

# Debian's source packages carry the same tarballs as CRAN and curl.se. Their list is read into a folder of our own, so
# that the machine's apt stays as it is. $1: the folder that receives the tarballs, the rest: names of source packages.
# debian_suite: the release whose versions are meant, trixie unless it is set.
fetch_sources_from_debian() {
    local into=$1 suite=${debian_suite:-trixie} mirror apt
    shift
    mirror=$(debian_mirror)
    apt=$cache/r-layer-dev/apt/$suite
    mkdir -p "$apt/lists/partial" "$into"
    echo "deb-src $mirror $suite main" >"$apt/sources.list"
    local options=(-o "Dir::Etc::SourceList=$apt/sources.list" -o Dir::Etc::SourceParts=- -o "Dir::State::Lists=$apt/lists")
    # apt waits for no other apt that reads the same list.
    flock "$apt/sources.list" apt-get -q "${options[@]}" update
    (cd "$into" && apt-get -q "${options[@]}" source --download-only --tar-only "$@")
}

# The sources of R, curl and jsonlite in the folder that is kept.
need_sources() {
    if ! compgen -G "$sources/r-base_4.5.0.orig.tar.gz" >/dev/null || ! compgen -G "$sources/curl_8.14.1.orig.tar.gz" >/dev/null ||
        ! compgen -G "$sources/r-cran-jsonlite_*.orig.tar.*" >/dev/null; then
        echo "fetching R's sources from Debian's source packages"
        fetch_sources_from_debian "$sources" r-base curl r-cran-jsonlite
    fi
}

# The sources of R packages that the tests compile, in a folder of their own: a user's `--sources` has no such closure.
package_sources=$cache/r-layer-dev/package-sources
need_package_sources() {
    local debian missing=()
    for debian in "$@"; do
        compgen -G "$package_sources/${debian}_*.orig.tar.*" >/dev/null || missing+=("$debian")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    echo "fetching sources of R packages from Debian's source packages: ${missing[*]}"
    fetch_sources_from_debian "$package_sources" "${missing[@]}"
}

# From PyPI: the AWS SDK for Python and the AWS command line, which invoke a function that r-layer serves.
fetch_aws_clients() {
    local folder=$cache/r-layer-dev/aws-clients
    [ -d "$folder" ] && return
    rm -rf "$folder.part"
    python3 -m pip install -q --root-user-action=ignore --target "$folder.part" boto3==1.44.8 awscli==1.46.3
    mv "$folder.part" "$folder"
}

# From PyPI: moto, which plays AWS for what publishes and attaches layers.
fetch_moto() {
    local folder=$cache/r-layer-dev/moto
    [ -d "$folder" ] && return
    rm -rf "$folder.part"
    python3 -m pip install -q --root-user-action=ignore --target "$folder.part" 'moto[server]==5.2.5'
    mv "$folder.part" "$folder"
}

# Sets r_options: Posit's portable R, as r-layer takes it by itself, or else R compiled from its source.
find_r() {
    r_options=()
    if curl -fsL --max-time 10 -o /dev/null https://cdn.posit.co/r/versions.json &&
        curl -fsIL --max-time 10 -o /dev/null https://p3m.dev/cran/latest/src/contrib/PACKAGES; then
        return
    fi
    echo "Posit's servers cannot be reached: compiling R from its source"
    find_sources
    r_options=(--r-source cran "${source_options[@]}")
}

# Sets source_options: how r-layer gets R's sources on this machine. Where CRAN cannot be reached, Debian has the same tarballs.
find_sources() {
    source_options=()
    if cran_is_reachable; then
        return
    fi
    need_sources
    source_options=(--sources "$sources")
}
