# Entries of the function's log. Lambda takes whatever is written to stdout and stderr: as lines of
# text or, where the function's log format is JSON, as one JSON object a line (log_json.R).

log_levels <- c(TRACE = 1L, DEBUG = 2L, INFO = 3L, WARN = 4L, WARNING = 4L, ERROR = 5L, FATAL = 6L)

# `threshold` and `json`: read from the environment once, NULL until then. `output`: the connection
# that takes what handlers print, in JSON. `live`: this is the function's process, not a test.
log_state <- new.env(parent = emptyenv())

# The level, as a number, from which on entries are wanted. lambda_config() goes before Lambda's own
# setting, that before the predecessor's, that before ours.
log_threshold <- function() {
    if (!is.null(settings$log_level) && !is.null(chosen <- level_number(settings$log_level))) {
        return(chosen)
    }
    if (is.null(log_state$threshold)) {
        levels <- Sys.getenv(c("AWS_LAMBDA_LOG_LEVEL", "LOGLEVEL", "R_LAYER_LOG_LEVEL"))
        known <- unlist(lapply(levels, level_number), use.names = FALSE)
        log_state$threshold <- c(known, log_levels[["INFO"]])[1]
    }
    log_state$threshold
}

# The number of a level's name, in any case; NULL for what names no level.
level_number <- function(name) {
    if (is.character(name) && length(name) == 1L) {
        number <- log_levels[toupper(name)]
        if (!is.na(number)) number[[1]]
    }
}

log_wanted <- function(level) log_levels[[level]] >= log_threshold()

# Is the log to be JSON?
logs_json <- function() {
    if (is.null(log_state$json)) {
        log_state$json <- identical(toupper(Sys.getenv("AWS_LAMBDA_LOG_FORMAT")), "JSON")
    }
    log_state$json
}

# The runtime's own entries. Their parts are pasted together, if the entry is wanted.
log_debug <- function(...) log_runtime("DEBUG", ...)
log_warning <- function(...) log_runtime("WARN", ...)
log_error <- function(...) log_runtime("ERROR", ...)

log_runtime <- function(level, ...) {
    if (log_wanted(level)) {
        write_entry(level, "runtime", paste0(...))
    }
}

# Writes one entry, wanted or not. fields: a named list, for JSON only.
write_entry <- function(level, logger, text, fields = NULL) {
    if (logs_json()) {
        flush_output()
        write_past_sinks(json_records(level, logger, text, fields))
    } else {
        write_past_sinks(text_entry(level, logger, text))
    }
}

# Time, level, logger and text, as the predecessor wrote them.
text_entry <- function(level, logger, text) {
    label <- if (level == "WARN") "WARNING" else level
    time <- format(Sys.time(), "%Y-%m-%d %H:%M:%S")
    paste0(time, " ", label, ":", logger, ":", valid_text(text))
}

# Writes lines to stdout, or to stderr while a sink() diverts stdout; messages that a handler
# diverts are led back meanwhile.
write_past_sinks <- function(lines) {
    if (length(lines) == 0L) {
        return(invisible())
    }
    text <- paste0(lines, "\n", collapse = "")
    if (output_sinks() == 0L) {
        return(cat(text))
    }
    diverted <- message_sink()
    if (diverted != 2L && isTRUE(log_state$live)) {
        connection <- getConnection(diverted)
        sink(type = "message")
        on.exit(sink(connection, type = "message"))
    }
    cat(text, file = stderr())
}

# Sees to it that all that was written, or waits to be, is in the log. Called after each invocation.
end_log <- function() {
    log_deferred_warnings()
    if (logs_json()) {
        flush_output()
        collect_output()
    }
    flush(stdout())
}

# A value as R prints it: for the debug lines only.
printed <- function(value) {
    paste(utils::capture.output(print(value)), collapse = "\n")
}

# Logs a warning of the handler's, at once and in one entry: as R would, or as JSON.
log_handler_warning <- function(condition) {
    call <- protected(warnings_call(condition), otherwise = NULL)
    text <- message_of(condition)
    if (!logs_json()) {
        place <- if (is.null(call)) "" else paste0(" in ", call, " ")
        cat("Warning", place, ": ", valid_text(text), "\n", sep = "", file = stderr())
    } else if (log_wanted("WARN")) {
        write_entry("WARN", "warning", text, list(call = call))
    }
}

# The text of a warning's call, NULL if it has none or one of the runtime's. These are the first on
# the stack; the rest, which may be thousands, is not looked at.
warnings_call <- function(condition) {
    call <- generic(conditionCall, condition)
    if (!is.call(call)) {
        return(NULL)
    }
    first <- lapply(seq_len(min(sys.nframe(), session$depth + 30L)), sys.call)
    names <- vapply(first, called_name, "")
    entered <- names %in% entrances
    guarding <- vapply(first, function(one) identical(one$warning, quote(muffle_logged)), NA)
    ours <- if (any(entered)) seq_along(first) < users_range(first)[1] else guarding
    if (!is_among(call, first[ours])) call_text(call)
}

# Warnings that no handler of ours could see, such as those of finalizers, wait until R is back at
# its top level; which it never is. R writes them to stderr, as it would there.
log_deferred_warnings <- function() {
    .Internal(printDeferredWarnings())
}

# Logs an error with its stack trace.
log_failure <- function(failure) {
    failure <- described(failure)
    if (!log_wanted("ERROR")) {
        return(invisible())
    }
    if (logs_json()) {
        write_entry("ERROR", "runtime", paste0(failure$type, ": ", failure$message), list(
            errorType = failure$type, errorMessage = failure$message,
            stackTrace = as.list(failure$trace)
        ))
    } else {
        places <- if (length(failure$trace) > 0L) paste0("    at ", failure$trace)
        headline <- paste0(failure$type, ": ", failure$message)
        write_entry("ERROR", "runtime", paste(c(headline, places), collapse = "\n"))
    }
}
