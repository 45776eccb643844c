# Rscript set_built.R LIBRARY STAMP: sets the time in the Built field of every package of a library, which
# R takes from the clock. The same sources then give the same files.
arguments <- commandArgs(TRUE)
library_folder <- arguments[1]
stamp <- arguments[2]

set_built <- function(package) {
    description <- file.path(package, "DESCRIPTION")
    lines <- readLines(description)
    # Built: R 4.5.0; x86_64-pc-linux-gnu; 2025-04-11 12:00:00 UTC; unix
    time <- "[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8} [A-Z]+"
    built <- grep("^Built:", lines)
    lines[built] <- sub(time, stamp, lines[built])
    writeLines(lines, description)

    meta <- file.path(package, "Meta", "package.rds")
    if (!file.exists(meta)) return(invisible())
    contents <- readRDS(meta)
    contents$DESCRIPTION["Built"] <- sub(time, stamp, contents$DESCRIPTION["Built"])
    contents$Built$Date <- stamp
    saveRDS(contents, meta)
}

for (package in list.dirs(library_folder, recursive = FALSE)) {
    if (file.exists(file.path(package, "DESCRIPTION"))) set_built(package)
}
