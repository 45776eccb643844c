#!/bin/sh
# Compiles R, as a Lambda layer needs it, into $STAGE/opt/R. Run by `r-layer build runtime` in its build
# root; every line that begins with "==>" names the step that begins.
#
#   SOURCES  folder with R/, curl/ (unpacked source) and recipe/ (the folder of this script)
#   WORK     an empty folder to build in
#   STAGE    the folder that receives opt/R
#   JOBS     how many compilers run at once
#   BLAS     reference (R's own) or openblas (the build root's)
set -eu
umask 022
export LC_ALL=C.UTF-8 TZ=UTC
recipe=$SOURCES/recipe
flags="-O2"
rhome=/opt/R

step() { echo "==> $*"; }

# A libcurl with what R can use of it: HTTP, HTTPS and FTP. The distribution's brings LDAP, Kerberos, SSH,
# RTMP and their libraries, 14 MB in all. It is linked into R's module, so that no libcurl.so.4 of ours
# can be taken for Lambda's. HTTPS is checked against the certificates that Lambda has.
step "configure libcurl"
mkdir -p "$WORK/curl-build" && cd "$WORK/curl-build"
"$SOURCES/curl/configure" --prefix="$WORK/curl" --disable-shared --enable-static --with-pic --quiet \
    --with-openssl --with-zlib --with-ca-bundle=/etc/pki/tls/certs/ca-bundle.crt \
    --without-brotli --without-libidn2 --without-libpsl --without-librtmp --without-libssh2 \
    --without-nghttp2 --without-zstd --disable-dict --disable-docs --disable-gopher --disable-imap \
    --disable-ldap --disable-ldaps --disable-manual --disable-mqtt --disable-pop3 --disable-rtsp \
    --disable-smb --disable-smtp --disable-telnet --disable-tftp CFLAGS="$flags"
step "compile libcurl"
make -s -j"$JOBS"
make -s install
PATH=$WORK/curl/bin:$PATH

# What R is compiled without: X11, Tcl/Tk and Java (no display), message translations (no locales), ICU
# (27 MB of data). With: its own time-zone code and data, which Lambda lacks, and cairo and its image
# formats, a module that goes into the graphics layer. R_HOME is /opt/R from here on, so that no path
# has to be rewritten.
step "configure R"
case $BLAS in
    reference) blas="" ;;
    openblas) blas="--with-blas=-lopenblas --with-lapack" ;;
    *) echo "unknown BLAS: $BLAS" >&2; exit 2 ;;
esac
mkdir -p "$WORK/R" && cd "$WORK/R"
# shellcheck disable=SC2086
"$SOURCES/R/configure" --quiet --prefix=/opt --libdir=/opt --enable-R-shlib $blas \
    --with-internal-tzcode --with-recommended-packages --with-x=no --with-readline=no \
    --disable-java --disable-nls --without-ICU --without-tcltk --with-cairo --with-jpeglib --with-libpng \
    --with-libtiff \
    CFLAGS="$flags" CXXFLAGS="$flags" FFLAGS="$flags" FCFLAGS="$flags" LDFLAGS="-Wl,-O1,--as-needed" \
    CURL_CPPFLAGS="$(curl-config --cflags)" CURL_LIBS="$(curl-config --static-libs)"
# R's configure script goes on without what it does not find.
for found in WORKING_CAIRO PANGOCAIRO PNG JPEG TIFF; do
    if ! grep -q "^#define HAVE_$found 1" src/include/config.h; then
        echo "R's configure script did not find $found: are the headers of cairo, pango, libpng, libjpeg and libtiff there?" >&2
        exit 1
    fi
done
step "compile R"
make -s -j"$JOBS" R
step "compile the recommended packages"
make -s -j"$JOBS" stamp-recommended
step "install R"
make -s install DESTDIR="$STAGE"
# R's makefiles go on when they cannot unpack their time zones.
if ! [ -f "$STAGE$rhome/share/zoneinfo/Europe/Berlin" ]; then
    echo "R's time zones were not installed: is unzip there?" >&2
    exit 1
fi

# What gzip compressed carries the time when it was; without it the same sources give the same files.
find "$STAGE$rhome" -name '*.gz' -exec sh -c 'for file; do gunzip "$file" && gzip -n9 "${file%.gz}"; done' sh {} +
# R's packages carry the time when they were built; this one is the source's own.
stamp=$(sed -n 's/^Last Changed Date: *//p' "$SOURCES/R/SVN-REVISION")
"$WORK/R/bin/Rscript" --vanilla "$recipe/set_built.R" "$STAGE$rhome/library" "${stamp:-1980-01-01} 00:00:00 UTC"

step "link the internet module without libcurl"
cd "$WORK/R/src/modules/internet"
compile() {
    cc $flags -fPIC -fvisibility=hidden -I"$WORK/R/include" -I"$WORK/R/src/include" -I"$recipe" \
        -c "$recipe/$1.c" -o "$1.o"
}
link="cc -shared -Wl,-O1,--as-needed,-z,defs,--gc-sections"
libr="-L$STAGE$rhome/lib -lR"
compile internet_without_curl
compile curl_module
without_curl=
for object in *.o; do
    case $object in
        libcurl.o | curl_module.o) ;;
        *) without_curl="$without_curl $object" ;;
    esac
done
# shellcheck disable=SC2086
$link -o "$STAGE$rhome/modules/internet.so" $without_curl $libr -lm -lpthread -ldl
# shellcheck disable=SC2046,SC2086
$link -o "$STAGE$rhome/modules/curl.so" libcurl.o curl_module.o $(curl-config --static-libs) $libr
mkdir -p "$STAGE$rhome/share/licenses"
cp "$SOURCES/curl/COPYING" "$STAGE$rhome/share/licenses/curl"
