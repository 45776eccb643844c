# Runs code that is not ours so that, whatever it does, the session goes on.

# Evaluates an expression. Returns list(value) or list(failure): see conditions.R.
# Warnings are logged. Errors, interrupts, quit() and jumps to top level are failures.
guard <- function(expr) {
    session$depth <- sys.nframe()
    outcome <- outcome_of(expr)
    keep_room_for_calls()
    # An interrupt that comes while the handler is left takes its on.exit() away. With the compiler on,
    # what looks at interrupts would be compiled, and be interrupted in that, again and again.
    pause_jit()
    if (!is.null(outcome$failure)) {
        outcome$failure <- described(name_timeout(outcome$failure))
    }
    outcome
}

outcome_of <- function(expr) {
    calls <- NULL
    left <- catch_restart("r_layer_leave", {
        catch_restart("abort", {
            condition <- catch_errors_and_interrupts(return(withCallingHandlers(
                list(value = expr),
                warning = muffle_logged,
                message = muffle_collected,
                interrupt = function(e) calls <<- sys.calls(),
                # Deep in a runaway recursion R skips this handler; the next one is still reached.
                error = function(e) calls <<- sys.calls()
            )))
            if (inherits(condition, "interrupt")) {
                condition <- interrupt_error()
            }
            return(failed_by(condition, calls))
        })
        return(failed_by(jump_error(), NULL))
    })
    failed_by(left[[1L]], left[[2L]])
}

failed_by <- function(condition, calls) {
    list(failure = list(condition = condition, calls = calls, depth = session$depth))
}

# A handler that set options(expressions = 25) would leave the runtime too few calls to live on.
keep_room_for_calls <- function() {
    if (getOption("expressions") < 1000L) {
        options(expressions = 5000L)
    }
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

# A message becomes a record where the log is JSON; else R writes it itself.
muffle_collected <- function(condition) {
    if (logs_json()) {
        log_handler_message(condition)
        tryInvokeRestart("muffleMessage")
    }
}

quit_error <- function(status) {
    told <- protected(format(status), otherwise = "unknown")
    runtime_error("quit() was called, with status ", paste(told, collapse = " "),
        ": the session goes on, so a function ends by returning, or by stop()", class = "quitError")
}

jump_error <- function() {
    runtime_error("the handler jumped to the top level", class = "jumpError")
}

interrupt_error <- function() {
    runtime_error("the handler was interrupted", class = "interruptError")
}
