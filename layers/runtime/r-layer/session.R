# One R session answers all invocations. This file starts it, keeps what lasts from one invocation
# to the next, and gives handlers their two functions.

# What lasts: `event`, how the handler wants its event; `context`, of the current invocation;
# `depth`, the number of calls on the stack above the handler's own.
session <- new.env(parent = emptyenv())
session$event <- "auto"
session$context <- NULL
session$depth <- 0L

# Starts the runtime: loads the handler, then answers invocations for ever.
start <- function() {
    options(keep.source = TRUE)
    mask_quit()
    attach_public_functions()
    api <- runtime_api(Sys.getenv("AWS_LAMBDA_RUNTIME_API"))
    loaded <- guard(initialise())
    if (!is.null(loaded$failure)) {
        fail_initialisation(api, loaded$failure)
    }
    repeat serve(api, loaded$value)
}

# Does what is best done once, before the first event. Returns the handler.
initialise <- function() {
    setwd(Sys.getenv("LAMBDA_TASK_ROOT", "."))
    attach_packages(Sys.getenv("R_LAYER_ATTACH"))
    prepare_json()
    load_handler(Sys.getenv("_HANDLER"))
}

# Tells Lambda why the function can't start, and ends the process, as Lambda demands.
fail_initialisation <- function(api, failure) {
    log_failure(failure)
    post_init_error(api, error_body(failure, init = TRUE), failure)
    real_quit("no", 1, FALSE)
}

# Attaches the packages of a comma-separated list, as `library()` would.
attach_packages <- function(names) {
    for (name in trimws(strsplit(names, ",", fixed = TRUE)[[1]])) {
        if (nzchar(name)) {
            library(name, character.only = TRUE)
        }
    }
}

# Puts the functions for handlers on the search path, below the global environment.
attach_public_functions <- function() {
    attach(list(lambda_context = lambda_context, lambda_config = lambda_config), name = "r-layer")
}

# For handlers: the context of the current invocation, wherever it is asked for.
lambda_context <- function() {
    session$context
}

# For handlers, in their file: `event = "raw"` hands over whole events, `event = "arguments"` hands
# over the keys of an event as arguments, whatever the handler's arguments are called.
lambda_config <- function(event = c("auto", "raw", "arguments")) {
    session$event <- match.arg(event)
    invisible(session$event)
}
