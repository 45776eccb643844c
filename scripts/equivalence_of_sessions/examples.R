# Writes the examples of packages, one file a help page: PACKAGE/PAGE.R in the current folder.
# Usage: Rscript examples.R PACKAGE...

for (package in commandArgs(TRUE)) {
    dir.create(package)
    pages <- tools::Rd_db(package, lib.loc = .Library)
    for (page in names(pages)) {
        file <- file.path(package, sub("[.]Rd$", ".R", basename(page)))
        tools::Rd2ex(pages[[page]], file)
        if (file.exists(file)) {
            lines <- readLines(file, encoding = "UTF-8")
            writeLines(c(paste0("library(", package, ")"), lines), file, useBytes = TRUE)
        }
    }
}
