# The function's time limit. Lambda kills the process at the deadline, without a word about where it
# was. So a handler is stopped shortly before, by R's own time limit: an error, raised where R looks
# for interrupts. Code in C that does not look is not stopped.

# How long before the deadline, in seconds, for a given time until then: enough to unwind and to
# post the error. R looks at the clock every 50 ms only, and the first error is slow on a function
# with a small share of a processor. Never more than half of what is there.
deadline_margin <- function(remaining) {
    min(max(0.25, remaining / 10), 1, remaining / 2)
}

# Evaluates an expression that ends in an error shortly before the deadline, in milliseconds since 1970.
# In `session`, `time_limit` is when (in seconds), and `limited` whether the expression is running.
within_deadline <- function(deadline_ms, expr) {
    session$time_limit <- NULL
    now <- as.numeric(Sys.time())
    remaining <- deadline_ms / 1000 - now
    if (!isTRUE(remaining > 0)) {
        return(expr)
    }
    seconds <- remaining - deadline_margin(remaining)
    # Evaluated also when the expression fails, and while errors are still caught.
    on.exit({
        setTimeLimit(cpu = Inf, elapsed = Inf, transient = FALSE)
        session$limited <- FALSE
    })
    session$time_limit <- now + seconds
    session$limited <- TRUE
    session$limit_raised <- FALSE
    setTimeLimit(cpu = Inf, elapsed = seconds, transient = FALSE)
    expr
}

# Is this condition the end of the time limit, or caused by it? R's error has no class of its own;
# a handler may have one of its own making, at another time.
is_timeout <- function(condition) {
    limit <- session$time_limit
    if (is.null(limit) || as.numeric(Sys.time()) < limit - 0.02) {
        return(FALSE)
    }
    text <- with_causes(message_of(condition), condition)
    grepl(time_limit_text(), text, fixed = TRUE)
}

# R's own words, in the session's language.
time_limit_text <- function() gettext("reached elapsed time limit", domain = "R")

# A failure with the error that tells of the timeout, if that is what it is.
name_timeout <- function(failure) {
    if (!protected(is_timeout(failure$condition), otherwise = FALSE)) {
        return(failure)
    }
    left <- max(0, session$deadline_ms - 1000 * as.numeric(Sys.time()))
    failure$condition <- runtime_error("The function ran into its timeout: the handler was ",
        "stopped ", format_count(left), " ms before Lambda would have ended it",
        lambda_type = "Function.Timeout", code = 504L, class = "timeoutError",
        call = protected(generic(conditionCall, failure$condition), otherwise = NULL))
    failure
}

# Stands in for base::Sys.sleep, which sleeps on past R's time limits: this one wakes up at the
# limit and raises the error. A handler that takes it for something to recover from, and sleeps
# again, is left by a restart, which no tryCatch(error = ) holds up.
handler_sleep <- function(time) {
    if (isTRUE(session$limited)) {
        left <- session$time_limit - as.numeric(Sys.time())
        if (is.numeric(time) && isTRUE(time[1] > left)) {
            .Internal(Sys.sleep(max(0, left)))
            raise_time_limit(sys.call())
        }
    }
    invisible(.Internal(Sys.sleep(time)))
}

raise_time_limit <- function(call) {
    condition <- simpleError(time_limit_text(), call)
    if (session$limit_raised) {
        tryInvokeRestart("r_layer_leave", condition, sys.calls())
    }
    session$limit_raised <- TRUE
    stop(condition)
}
