"""R's start scripts, made to find R where they lie, and what R runs first, made to find what the machine offers."""

import re

# From the folder of a script's bin to R's home: the scripts are in R's home, and beside its lib.
HOMES = {"lib/R/bin": "", "bin": "/lib/R"}

HERE = '"$(dirname "$(dirname "$(readlink -f "$0")")")%s"'

RSCRIPT = """#!/bin/sh
# Rscript knows R's home by the path it was built for; RHOME has the last word.
RHOME=%s
export RHOME
exec "$(dirname "$(readlink -f "$0")")/Rscript.bin" "$@"
"""

RPROFILE = """## Package repositories tell systems apart by the user agent
local({
    system <- "manylinux_2_34"
    if (file.exists("/etc/os-release")) {
        lines <- readLines("/etc/os-release")
        value <- function(key) {
            line <- grep(paste0("^", key, "="), lines, value = TRUE)
            if (length(line)) gsub('"', "", sub("^[A-Z_]*=", "", line[1L])) else NULL
        }
        if (length(value("ID"))) system <- paste(c(value("ID"), value("VERSION_ID")), collapse = "-")
    }
    about <- paste(getRversion(), R.version$platform, R.version$arch, R.version$os)
    options(HTTPUserAgent = sprintf("R/%s (%s) R (%s)", getRversion(), system, about))
})

## The bundled libcurl has no certificates of its own
local({
    if (!nzchar(Sys.getenv("CURL_CA_BUNDLE"))) {
        files <- c("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                   "/etc/ssl/ca-bundle.pem", "/var/lib/ca-certificates/ca-bundle.pem")
        there <- files[file.exists(files)]
        if (length(there)) Sys.setenv(CURL_CA_BUNDLE = there[1L])
    }
})

## The bundled Tcl and Tk have their scripts beside R's
local({
    for (name in c("tcl", "tk")) {
        variable <- paste0(toupper(name), "_LIBRARY")
        folder <- file.path(Sys.getenv("R_HOME", R.home()), "share", paste0(name, "8.6"))
        if (!nzchar(Sys.getenv(variable)) && file.exists(folder))
            do.call(Sys.setenv, structure(list(folder), names = variable))
    }
})
"""


def make_relocatable(prefix):
    for folder, home in HOMES.items():
        relocate_r(prefix / folder / "R", HERE % home)
        rscript = prefix / folder / "Rscript"
        rscript.rename(rscript.with_name("Rscript.bin"))
        rscript.write_text(RSCRIPT % (HERE % home))
        rscript.chmod(0o755)


def relocate_r(script, home):
    """The lines that name the path R was built for stay; programs read them. What comes after them has the last word."""
    text = script.read_text()
    text, places = re.subn(
        r"^R_HOME_DIR=.*?^fi$",
        lambda match: f"{match[0]}\n# R's home is where this script is\nR_HOME_DIR={home}",
        text,
        count=1,
        flags=re.MULTILINE | re.DOTALL,
    )
    assert places == 1, f"{script} does not set R's home the way it used to"
    for name in ("share", "include", "doc"):
        text = re.sub(rf"^R_{name.upper()}_DIR=.*", f"R_{name.upper()}_DIR=${{R_HOME}}/{name}", text, flags=re.MULTILINE)
    script.write_text(text)


def extend_profile(prefix):
    with open(prefix / "lib/R/library/base/R/Rprofile", "a") as profile:
        profile.write(RPROFILE)
