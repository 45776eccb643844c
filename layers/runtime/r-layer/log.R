# Lines for the function's log. Lambda takes whatever is written to stdout and stderr.

log_levels <- c(DEBUG = 1L, INFO = 2L, WARNING = 3L, WARN = 3L, ERROR = 4L)

# Is a line of this level wanted, by the environment variable LOGLEVEL?
log_wanted <- function(level) {
    threshold <- log_levels[toupper(Sys.getenv("LOGLEVEL", "INFO"))]
    is.na(threshold) || log_levels[[level]] >= threshold
}

# Writes one entry to stdout, past any sink() of the handler's: time, level, logger, text.
log_line <- function(level, ...) {
    if (log_wanted(level)) {
        time <- format(Sys.time(), "%Y-%m-%d %H:%M:%S")
        write_past_sinks(paste0(time, " ", level, ":runtime:", ...))
    }
}

log_debug <- function(...) log_line("DEBUG", ...)
log_warning <- function(...) log_line("WARNING", ...)
log_error <- function(...) log_line("ERROR", ...)

# Writes a line to stdout, or to stderr while a sink() of the handler's diverts stdout.
write_past_sinks <- function(text) {
    cat(text, "\n", sep = "", file = if (sink.number() > 0L) stderr() else stdout())
}

# A value as R prints it: for the debug lines only.
printed <- function(value) {
    paste(utils::capture.output(print(value)), collapse = "\n")
}

# Writes a warning of the handler's the way R would, at once and in one entry.
log_handler_warning <- function(condition) {
    call <- conditionCall(condition)
    place <- if (is.null(call)) "" else paste0(" in ", call_text(call), " ")
    cat("Warning", place, ": ", message_of(condition), "\n", sep = "", file = stderr())
}

# Writes an error with its stack trace.
log_failure <- function(failure) {
    condition <- failure$condition
    trace <- stack_trace(failure)
    places <- if (length(trace) > 0L) paste0("    at ", trace)
    headline <- paste0(error_type(condition), ": ", message_of(condition))
    log_error(paste(c(headline, places), collapse = "\n"))
}

# Where output goes now: the number of sinks, and the connection that messages go to.
sink_state <- function() {
    c(output = sink.number(), message = sink.number(type = "message"))
}

# Closes the sinks that an invocation opened and left: they would swallow the next one's output.
# before: the state to go back to.
restore_sinks <- function(before) {
    left <- sink.number() - before[["output"]]
    for (i in seq_len(max(left, 0L))) {
        sink()
    }
    if (sink.number(type = "message") != before[["message"]]) {
        sink(type = "message")
    }
    if (left > 0L) {
        log_warning("the handler left ", left, " sink() open; closed")
    }
}
