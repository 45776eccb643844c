# Errors, in the form in which Lambda wants them.

# An error of the runtime's own. lambda_type: its kind, in Lambda's terms; code: the status of the
# response, should the event have come over HTTP.
runtime_error <- function(..., lambda_type = NULL, code = NULL, call = NULL) {
    structure(
        class = c("simpleError", "error", "condition"),
        list(message = paste0(...), call = call, lambda_type = lambda_type, code = code)
    )
}

# The JSON that Lambda takes for a failure. init: the function could not start.
error_body <- function(failure, init = FALSE) {
    condition <- failure$condition
    hint <- if (init) package_hint(condition)
    text <- paste(c(message_of(condition), hint), collapse = "\n")
    write_json(list(
        errorMessage = text,
        errorType = error_type(condition),
        stackTrace = as.list(stack_trace(failure))
    ))
}

# The first class of a condition. For a missing argument newer versions of R have one class for
# compiled and another for interpreted code; callers know that error, as all of R's plain errors,
# as simpleError.
error_type <- function(condition) {
    if (inherits(condition, "missingArgError")) "simpleError" else class(condition)[1]
}

# A condition's own message, as one string of bounded length, even if its class tells no message.
message_of <- function(condition) {
    text <- tryCatch(
        paste(as.character(conditionMessage(condition)), collapse = "\n"),
        error = function(e) paste("a condition of class", class(condition)[1])
    )
    if (nchar(text, "bytes") > 1e5) substr(valid_text(text), 1L, 1e5) else text
}

# What helps against a missing package; NULL for any other error.
package_hint <- function(condition) {
    package <- condition$package
    if (inherits(condition, "packageNotFoundError") && is.character(package)) {
        paste0("Add a layer that holds it: r-layer add-packages ", paste(package, collapse = " "))
    }
}

# The value of Lambda-Runtime-Function-Error-Type: letters only, or Lambda calls it unknown.
# "rlang_error" becomes "Function.RlangError".
lambda_error_type <- function(condition) {
    if (is.character(condition$lambda_type)) {
        return(condition$lambda_type)
    }
    words <- strsplit(error_type(condition), "[^A-Za-z]+")[[1]]
    words <- words[nzchar(words)]
    name <- paste0(toupper(substring(words, 1L, 1L)), substring(words, 2L), collapse = "")
    paste0("Function.", if (nchar(name) < 2L) "Error" else name)
}

# The calls from the handler down to the error, each as one line, with file and line where known.
# A runaway recursion has thousands: its two ends are enough.
stack_trace <- function(failure) {
    calls <- failure$calls
    calls <- users_calls(calls[seq_along(calls) > failure$depth])
    n <- length(calls)
    if (n <= 50L) {
        return(vapply(calls, trace_line, ""))
    }
    c(
        vapply(calls[1:20], trace_line, ""),
        paste("...", n - 40L, "more calls"),
        vapply(calls[(n - 19L):n], trace_line, "")
    )
}

# Keeps the user's calls: those below the point where the runtime enters the handler or its file,
# less those by which R gets there and those by which it hands a condition to its handlers.
# calls: a list of calls. An error of the runtime's own leaves none.
users_calls <- function(calls) {
    names <- vapply(calls, called_name, "")
    first <- match(TRUE, names %in% entrances, length(calls)) + 1L
    while (first <= length(calls) && names[first] %in% ways_in) {
        first <- first + 1L
    }
    last <- length(calls)
    while (last >= first && names[last] %in% ways_out) {
        last <- last - 1L
    }
    calls[seq_along(calls) >= first & seq_along(calls) <= last]
}

entrances <- c("enter_handler", "enter_source", "enter_package", "enter_hook", "enter_stream")
ways_in <- c("do.call", "source", "withVisible", "eval")
ways_out <- c(".handleSimpleError", "h", "withRestarts", "withRestartList", "withOneRestart",
    "doWithOneRestart", "signalCondition", ".signalSimpleWarning", "handler_quit",
    "withCallingHandlers", "(function")

# The name of the function that a call calls; "(function" where it has none.
called_name <- function(call) {
    head <- if (is.call(call)) call[[1]] else call
    if (is.symbol(head)) as.character(head) else if (is.function(head)) "(function" else ""
}

trace_line <- function(call) {
    paste0(call_text(call), source_place(attr(call, "srcref")))
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

# " at script.R:3", or "" where R does not know.
source_place <- function(srcref) {
    file <- attr(srcref, "srcfile")$filename
    if (is.null(file) || !nzchar(file)) "" else paste0(" at ", file, ":", srcref[1])
}
