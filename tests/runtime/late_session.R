# Runs code in sessions as bootstrap starts them: late, with the default packages attached by
# promise, and plain.

# What comes before the code of a session.
beginning <- quote(local({
    runtime <- new.env(parent = baseenv())
    for (file in list.files(FOLDER, "[.]R$", full.names = TRUE)) {
        if (basename(file) != "main.R") sys.source(file, runtime)
    }
    runtime$become_plain()
    Sys.unsetenv("R_LAYER_EAGER")
    assign(".runtime", runtime, globalenv())
    # Tests provoke errors, and go on.
    options(error = expression(NULL), warn = 1)
}))

# What code prints, output and messages, in a session of its own that bootstrap starts: "late" or
# "plain". code: a call, of `{` if there are several.
printed_by <- function(code, kind) {
    home <- tempfile()
    dir.create(file.path(home, "r-layer"), recursive = TRUE)
    file.copy(file.path(dirname(runtime_folder), "bootstrap"), home)
    begin <- do.call(substitute, list(beginning, list(FOLDER = runtime_folder)))
    block <- is.call(code) && identical(code[[1L]], quote(`{`))
    lines <- unlist(lapply(c(begin, if (block) as.list(code)[-1L] else code), deparse))
    writeLines(enc2utf8(lines), file.path(home, "r-layer", "main.R"), useBytes = TRUE)
    said <- file.path(home, "said")
    # Rscript's own settings would be taken over.
    command <- paste("cd", home, "&& env -u R_DEFAULT_PACKAGES -u R_LIBS -u R_TESTS",
        paste0("R_LAYER_EAGER=", if (kind == "plain") 1), "./bootstrap >", said, "2>&1")
    status <- system(command)
    lines <- gsub("<(environment|bytecode|pointer): 0x[0-9a-f]+>", "<\\1>", readLines(said))
    c(grep("^<bytecode>$", lines, value = TRUE, invert = TRUE), paste("exit status", status))
}

# Code prints the same in both, and something at that.
expect_same <- function(code) {
    code <- substitute(code)
    plain <- printed_by(code, "plain")
    late <- printed_by(code, "late")
    stopifnot(length(plain) > 1L)
    if (!identical(late, plain)) {
        stop(paste(c("plain:", setdiff(plain, late), "late:", setdiff(late, plain)),
            collapse = "\n"))
    }
}

# What the last expressions of code print in a late session.
late <- function(code) {
    lines <- printed_by(substitute(code), "late")
    expect(lines[length(lines)], "exit status 0")
    lines[-length(lines)]
}

# Which default packages are loaded ahead for a handler's functions.
ahead_for <- function(functions) {
    code <- do.call(substitute, list(quote({
        FUNCTIONS
        .runtime$load_ahead()
        cat("ahead:", setdiff(.runtime$default_packages, setdiff(.runtime$default_packages,
            loadedNamespaces())), "\n")
    }), list(FUNCTIONS = substitute(functions))))
    lines <- printed_by(code, "late")
    trimws(sub("^ahead:", "", grep("^ahead:", lines, value = TRUE)))
}
