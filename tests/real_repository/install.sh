#!/bin/sh
# Compiles a package from its source against the R in /opt/R, and makes it a binary package as R does. Run by binaries.py
# in the build root.
#
#   usage: install.sh SOURCE
#
#   /mnt  receives library/NAME, and NAME_VERSION_R_PLATFORM.tar.gz
set -eu
umask 022
MAKEFLAGS=-j$(nproc)
export MAKEFLAGS LC_ALL=C.UTF-8 TZ=UTC
mkdir /mnt/library
cd /mnt
exec /opt/R/bin/R --no-echo CMD INSTALL --build --library=/mnt/library "$1"
