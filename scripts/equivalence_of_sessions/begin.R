local({
    kind <- if (isNamespaceLoaded("stats")) "plain" else "late"
    runtime <- new.env(parent = baseenv())
    files <- list.files("/mnt/runtime", "[.]R$", full.names = TRUE)
    for (file in setdiff(files, "/mnt/runtime/main.R")) {
        sys.source(file, runtime)
    }
    runtime$become_plain()
    # As before any handler's file is run. One test holds lines that it reads itself, and is no R code.
    if (kind == "late") {
        file <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
        code <- suppressWarnings(tryCatch(parse(file), error = function(e) expression()))
        suppressWarnings(runtime$load_methods_for(code))
    }
    Sys.unsetenv("R_LAYER_EAGER")
    set.seed(1)
    cat("begun:", kind, "\n")
    # Go on after errors, as after those that tests provoke; warnings as they come.
    options(error = expression(NULL), warn = 1, echo = TRUE)
})
