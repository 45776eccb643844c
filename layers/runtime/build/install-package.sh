#!/bin/sh
# Compiles an R package from its source into $STAGE, without its help pages. Run by `r-layer` in its build
# root, against the R that the runtime layer holds.
#
#   SOURCES  folder with package/ (unpacked source)
#   WORK     an empty folder for temporary files
#   STAGE    the library that receives the package
#   LIBRARY  the library of the packages that it needs, with their headers
#   R_ROOT   R's home folder
#   JOBS     how many compilers run at once
set -eu
umask 022
export LC_ALL=C.UTF-8 TZ=UTC HOME="$WORK" TMPDIR="$WORK" MAKEFLAGS="-j$JOBS"
# No other libraries: what is needed is known, and nothing else is an input.
export R_LIBS="$LIBRARY" R_LIBS_USER=NULL R_LIBS_SITE=NULL

# R knows its home by the path that it was configured with. On a build host it stands elsewhere: then a
# copy of its folder of links, whose start script names the copy, stands in for it.
home=$(sed -n 's/^R_HOME_DIR=//p' "$R_ROOT/bin/R")
if [ "$home" != "$R_ROOT" ]; then
    mkdir -p "$WORK/R/bin"
    for entry in "$R_ROOT"/*; do
        [ "${entry##*/}" = bin ] || ln -s "$entry" "$WORK/R/"
    done
    cp -R "$R_ROOT/bin/." "$WORK/R/bin/"
    sed -e "s#^R_HOME_DIR=.*#R_HOME_DIR=$WORK/R#" -e "s#^\(R_[A-Z]*_DIR\)=$home/#\1=$WORK/R/#" \
        "$R_ROOT/bin/R" > "$WORK/R/bin/R"
    R_ROOT=$WORK/R
    export RHOME="$R_ROOT"
fi
# R compiles in the folder of the source, which cannot be written to.
cp -R "$SOURCES/package" "$WORK/package"
# The time that R writes into the package is that of its source, not of today.
stamp=$(sed -n 's/^Packaged: \([0-9-]* [0-9:]*\).*/\1 UTC/p' "$WORK/package/DESCRIPTION")
echo "==> compile the package"
"$R_ROOT/bin/R" --no-echo CMD INSTALL --no-docs --built-timestamp="${stamp:-1980-01-01 00:00:00 UTC}" \
    --library="$STAGE" "$WORK/package" 2>&1
