#!/bin/sh
# Compiles R packages from their sources against the R in /opt/R, and libcurl, which one of them needs. Run in r-layer's
# build root; every line that begins with "==>" names what begins.
#
#   usage: compile-packages.sh PACKAGE...
#
#   /srv/sources   Debian's source packages: r-cran-PACKAGE_VERSION.orig.tar.*, curl_VERSION.orig.tar.*
#   /srv/jsonlite  a library that holds jsonlite
#   /mnt           receives library/
set -eu
umask 022
MAKEFLAGS=-j$(nproc)
export MAKEFLAGS LC_ALL=C.UTF-8 TZ=UTC R_LIBS=/mnt/library:/srv/jsonlite

unpack() {
    mkdir -p "$2"
    tar -xf "$1" -C "$2" --strip-components=1
}

# As small as the one that r-layer links into R: what a distribution's brings besides would only make the others' start
# longer. And into the package, as R may have another libcurl.so.4 open.
echo "==> libcurl"
unpack /srv/sources/curl_*.orig.tar.* /tmp/curl
mkdir /tmp/curl-build /mnt/library
cd /tmp/curl-build
/tmp/curl/configure --quiet --prefix=/tmp/libcurl --disable-shared --enable-static --with-pic --with-openssl --with-zlib \
    --with-ca-bundle=/etc/pki/tls/certs/ca-bundle.crt --without-brotli --without-libidn2 --without-libpsl --without-librtmp \
    --without-libssh2 --without-nghttp2 --without-zstd --disable-dict --disable-docs --disable-gopher --disable-imap \
    --disable-ldap --disable-ldaps --disable-manual --disable-mqtt --disable-pop3 --disable-rtsp --disable-smb --disable-smtp \
    --disable-telnet --disable-tftp CFLAGS=-O2
make -s
make -s install
# What R's curl links by -lcurl: the linker reads here what that is made of.
echo "INPUT(/tmp/libcurl/lib/libcurl.a $(/tmp/libcurl/bin/curl-config --static-libs | tr ' ' '\n' | grep '^-l' | tr '\n' ' '))" \
    >/tmp/libcurl/lib/libcurl.so
export INCLUDE_DIR=/tmp/libcurl/include LIB_DIR=/tmp/libcurl/lib

for package in "$@"; do
    echo "==> $package"
    unpack /srv/sources/r-cran-"$package"_*.orig.tar.* "/tmp/packages/$package"
    R --no-echo CMD INSTALL --no-docs --library=/mnt/library "/tmp/packages/$package"
done
