# One R session answers all invocations. This file starts it, keeps what lasts from one invocation
# to the next, and gives handlers their functions.

# What lasts: `context` and `deadline_ms`, of the current invocation; `depth`, the number of calls on
# the stack above the handler's own; `current`, the invocation that is being answered, and `stream`,
# its answer's stream if it has one.
session <- new.env(parent = emptyenv())
session$context <- NULL
session$deadline_ms <- NA_real_
session$depth <- 0L
session$current <- NULL
session$stream <- NULL

# Starts the runtime: loads the handler, then answers invocations for ever.
start <- function() {
    options(keep.source = TRUE)
    become_plain()
    mask_base()
    log_state$live <- TRUE
    collect_output()
    register_print_methods()
    attach_public_functions()
    api <- runtime_api(Sys.getenv("AWS_LAMBDA_RUNTIME_API"))
    loaded <- guard(initialise())
    end_log()
    if (!is.null(loaded$failure)) {
        fail_initialisation(api, loaded$failure)
    }
    register_for_shutdown(api)
    uninterrupted(repeat serve(api, loaded$value))
}

# Makes a plain session of what bootstrap has started with less: what is missing comes when it is
# wanted. R_LAYER_LATE says what is missing: "packages" or "packages,jit".
become_plain <- function() {
    late <- Sys.getenv("R_LAYER_LATE")
    Sys.unsetenv("R_LAYER_LATE")
    if (nzchar(late)) {
        attach_default_packages()
    }
    if (late == "packages,jit") {
        take_over_jit()
    }
}

# Does what is best done once, before the first event. Returns the handler.
initialise <- function() {
    setwd(Sys.getenv("LAMBDA_TASK_ROOT", "."))
    read_settings()
    attach_packages(Sys.getenv("R_LAYER_ATTACH"))
    prepare_json()
    handler <- load_handler(Sys.getenv("_HANDLER"))
    run_init_hooks()
    load_ahead()
    handler
}

# Tells Lambda why the function can't start, and ends the process, as Lambda demands.
fail_initialisation <- function(api, failure) {
    log_failure(failure)
    end_log()
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

# For handlers: the context of the current invocation, wherever it is asked for.
lambda_context <- function() {
    session$context
}
