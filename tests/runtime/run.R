# Tests of the runtime. Usage: Rscript tests/runtime/run.R FOLDER [FILE...]
# FOLDER holds the runtime's R files; FILEs are test files, all of them by default. Needs R with
# jsonlite, and nothing else.

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1]))
here <- normalizePath(here)
arguments <- commandArgs(TRUE)
if (length(arguments) == 0L) {
    cat("usage: Rscript run.R FOLDER [FILE...]\n", file = stderr())
    quit(status = 2)
}

# The functions under test, and below them those that tests share.
runtime <- new.env(parent = baseenv())
runtime_folder <- normalizePath(arguments[1])
for (file in setdiff(list.files(runtime_folder, "[.]R$"), "main.R")) {
    sys.source(file.path(runtime_folder, file), runtime)
}
shared <- new.env(parent = runtime)
shared$runtime_folder <- runtime_folder
shared$functions_folder <- normalizePath(file.path(here, "..", "fixtures", "functions"))
sys.source(file.path(here, "stand_in.R"), shared)
sys.source(file.path(here, "server.R"), shared)
sys.source(file.path(here, "late_session.R"), shared)

passed <- 0L
failed <- 0L

# Runs one test: code that stops if something is not as it should be, in its own environment.
shared$test <- function(name, code) {
    code <- substitute(code)
    failure <- tryCatch(
        {
            eval(code, new.env(parent = shared))
            NULL
        },
        error = function(e) e
    )
    if (is.null(failure)) {
        passed <<- passed + 1L
    } else {
        failed <<- failed + 1L
        told <- conditionMessage(failure)
        cat("FAILED ", current_file, ": ", name, "\n    ", told, "\n", sep = "")
    }
}

# Like stopifnot(identical()), but shows both values.
shared$expect <- function(value, wanted) {
    expression <- paste(deparse(substitute(value)), collapse = " ")
    if (!identical(value, wanted)) {
        show <- function(x) paste(deparse(x), collapse = " ")
        stop(expression, "\n    is     ", show(value), "\n    wanted ", show(wanted))
    }
}

# The message of the error that code ends in.
shared$error_of <- function(code) {
    tryCatch(
        {
            code
            "no error"
        },
        error = conditionMessage
    )
}

# What code writes to stdout and stderr, as lines.
shared$output_of <- function(code) {
    path <- tempfile()
    file <- file(path, "w")
    sink(file)
    sink(file, type = "message")
    tryCatch(code, finally = {
        sink(type = "message")
        sink()
        close(file)
    })
    readLines(path)
}

# What the runtime's environment, below base, does not see.
shared$rnorm <- stats::rnorm
shared$runif <- stats::runif

files <- list.files(here, "^test-.*[.]R$")
if (length(arguments) > 1L) {
    files <- intersect(files, basename(arguments[-1]))
}
for (current_file in files) {
    broken <- tryCatch(
        {
            sys.source(file.path(here, current_file), shared)
            NULL
        },
        error = conditionMessage
    )
    if (!is.null(broken)) {
        failed <- failed + 1L
        cat("FAILED ", current_file, ": ", broken, "\n", sep = "")
    }
}

cat(passed, " passed, ", failed, " failed\n", sep = "")
quit(status = if (failed > 0L || passed == 0L) 1 else 0)
