# Runs code that is not ours so that, whatever it does, the session goes on.

# Evaluates an expression. Returns list(value) or list(failure), failure: list(condition, calls).
# Warnings are logged. Errors, interrupts, quit() and jumps to top level are failures.
guard <- function(expr) {
    calls <- NULL
    fail <- function(condition, calls) {
        list(failure = list(condition = condition, calls = calls, depth = session$depth))
    }
    session$depth <- sys.nframe()
    withRestarts(
        tryCatch(
            withCallingHandlers(
                list(value = expr),
                warning = muffle_logged,
                # Deep in a runaway recursion R skips this handler; the next one is still reached.
                error = function(e) calls <<- sys.calls()
            ),
            error = function(e) fail(e, calls),
            interrupt = function(e) fail(simpleError("the handler was interrupted"), NULL)
        ),
        abort = function(...) fail(simpleError("the handler jumped to the top level"), NULL),
        r_layer_quit = function(status, calls) fail(quit_error(status), calls)
    )
}

# Logs a warning and goes on, unless options(warn) wants warnings dropped, or made errors.
muffle_logged <- function(condition) {
    level <- getOption("warn")
    if (!is.numeric(level) || length(level) != 1L || is.na(level) || level < 2) {
        if (!isTRUE(level < 0)) {
            log_handler_warning(condition)
        }
        tryInvokeRestart("muffleWarning")
    }
}

quit_error <- function(status) {
    text <- paste0("quit() was called, with status ", format(status),
        ": the session goes on, so a function ends by returning, or by stop()")
    structure(class = c("quitError", "error", "condition"), list(message = text, call = NULL))
}
