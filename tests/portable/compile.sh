#!/bin/sh
# Compiles R the way Posit configures its portable builds, into /opt/R/VERSION, without the recommended packages.
# Run by make-x86_64.sh in its build root.
#
#   usage: compile.sh VERSION SOURCE WORK
#
#   SOURCE   R's source, unpacked
#   WORK     an empty folder to build in
set -eu
umask 022
version=$1 source=$2 work=$3
export LC_ALL=C.UTF-8 TZ=UTC

# Red Hat's gcc, which Posit compiles with, makes bin/exec/R a program at a fixed address; Debian's is told to.
cd "$work"
AWK=/usr/bin/awk PERL=/usr/bin/perl R_PAPERSIZE=letter R_BROWSER=xdg-open R_PDFVIEWER=xdg-open R_PRINTCMD=/usr/bin/lpr \
    R_UNZIPCMD=/usr/bin/unzip R_ZIPCMD=/usr/bin/zip LIBnn=lib "$source/configure" --quiet --prefix="/opt/R/$version" \
    --enable-R-shlib --enable-memory-profiling --with-x --with-cairo --with-readline --with-ICU --with-internal-tzcode=no \
    --with-tcltk --with-tcl-config=/usr/lib/tcl8.6/tclConfig.sh --with-tk-config=/usr/lib/tk8.6/tkConfig.sh \
    --without-recommended-packages --disable-java MAIN_LDFLAGS=-no-pie
make -s -j"$(nproc)" R
make -s -j"$(nproc)" docs
make -s install
# R's makefiles and configure go on without what they do not find.
for made in modules/R_X11.so library/grDevices/libs/cairo.so library/tcltk/libs/tcltk.so modules/internet.so; do
    [ -f "/opt/R/$version/lib/R/$made" ] || {
        echo "R was compiled without $made" >&2
        exit 1
    }
done
