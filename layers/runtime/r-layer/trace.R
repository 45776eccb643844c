# Stack traces: the user's calls, from the handler down to the error.

# The calls of a failure, each as list(text, name, path, line); path and line are NULL where R does
# not know them. A runaway recursion has thousands: its two ends are enough.
user_frames <- function(failure) {
    calls <- failure$calls
    calls <- users_calls(calls[seq_along(calls) > failure$depth])
    n <- length(calls)
    if (n <= 50L) {
        return(lapply(calls, describe_call))
    }
    c(
        lapply(calls[1:20], describe_call),
        list(list(text = paste("...", n - 40L, "more calls"), name = "...")),
        lapply(calls[(n - 19L):n], describe_call)
    )
}

# The trace as lines of text.
stack_trace <- function(failure) {
    described(failure)$trace
}

describe_call <- function(call) {
    c(list(text = call_text(call), name = called_name(call)), source_place(attr(call, "srcref")))
}

frame_text <- function(frame) {
    place <- if (!is.null(frame$path)) paste0(" at ", frame$path, ":", frame$line)
    paste0(frame$text, place)
}

# Keeps the user's calls. calls: a list of calls. An error of the runtime's own leaves none.
users_calls <- function(calls) {
    range <- users_range(calls)
    calls[seq_along(calls) >= range[1] & seq_along(calls) <= range[2]]
}

# The first and the last of the user's calls: those below the point where the runtime enters the
# handler or its file, less those by which R gets there and those by which it hands a condition to
# its handlers.
users_range <- function(calls) {
    names <- vapply(calls, called_name, "")
    first <- match(TRUE, names %in% entrances, length(calls)) + 1L
    # Two at most are the runtime's; the user's own source() or do.call() may be the next.
    for (i in 1:2) {
        if (first <= length(calls) && names[first] %in% ways_in) {
            first <- first + 1L
        }
    }
    # The runtime's own way of raising the time limit's error is not the user's.
    last <- match("raise_time_limit", names, length(calls) + 1L) - 1L
    while (last >= first && names[last] %in% ways_out) {
        last <- last - 1L
    }
    c(first, last)
}

entrances <- c("enter_handler", "enter_source", "enter_package", "enter_hook", "enter_stream")
ways_in <- c("do.call", "eval")
ways_out <- c(".handleSimpleError", "h", "withRestarts", "withRestartList", "withOneRestart",
    "doWithOneRestart", "signalCondition", ".signalSimpleWarning", "handler_quit",
    "withCallingHandlers", "(function")

# The name of the function that a call calls; "(function" where it has none.
called_name <- function(call) {
    head <- if (is.call(call)) call[[1]] else call
    if (is.symbol(head)) as.character(head) else if (is.function(head)) "(function" else ""
}

# A call in one line of bounded length: its arguments may hold all the data of an event.
call_text <- function(call) {
    text <- trimws(deparse(call, width.cutoff = 100L, nlines = 2L))
    if (length(text) == 1L && nchar(text) <= 120L) {
        text
    } else {
        paste0(substr(text[1], 1L, 120L), "...")
    }
}

# list(path, line), or NULL where R does not know. Files below the task root are told from there.
source_place <- function(srcref) {
    source <- attr(srcref, "srcfile")
    path <- source$filename
    if (is.null(path) || !nzchar(path)) {
        return(NULL)
    }
    whole <- if (startsWith(path, "/") || is.null(source$wd)) path else file.path(source$wd, path)
    root <- paste0(sub("/$", "", Sys.getenv("LAMBDA_TASK_ROOT")), "/")
    if (root != "/" && startsWith(whole, root)) {
        path <- substring(whole, nchar(root) + 1L)
    }
    list(path = path, line = srcref[1])
}
