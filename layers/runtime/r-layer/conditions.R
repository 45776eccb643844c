# Errors, in the form in which Lambda wants them. A failure is list(condition, calls, depth): what
# guard() caught, the calls on the stack then, and how many of these were there before.

# An error of the runtime's own. lambda_type: its kind, in Lambda's terms; code: the status of the
# response, should the event have come over HTTP; class: more specific classes.
runtime_error <- function(..., lambda_type = NULL, code = NULL, call = NULL, class = NULL) {
    structure(
        class = c(class, if (is.null(class)) "simpleError", "error", "condition"),
        list(message = paste0(...), call = call, lambda_type = lambda_type, code = code)
    )
}

# Adds to a failure, once, what is told about it: message, type, kind, frames and trace. A condition
# is an object of the user's, whose methods may do anything; what they spoil is left out.
described <- function(failure) {
    if (!is.null(failure$type)) {
        return(failure)
    }
    failure$type <- protected(error_type(failure$condition), otherwise = "error")
    failure$frames <- protected(user_frames(failure), otherwise = list())
    failure$trace <- vapply(failure$frames, frame_text, "")
    failure$message <- protected(failure_message(failure), otherwise = {
        protected(message_of(failure$condition),
            otherwise = paste("a condition of class", failure$type))
    })
    failure$kind <- protected(lambda_error_type(failure$condition), otherwise = "Function.Error")
    failure
}

# Evaluates an expression. Where that ends in an error, an interrupt or a jump, `otherwise` counts.
protected <- function(expr, otherwise) {
    withRestarts(
        tryCatch(expr, error = function(e) otherwise, interrupt = function(e) otherwise),
        abort = function(...) otherwise,
        r_layer_leave = function(...) otherwise
    )
}

# The JSON that Lambda takes for a failure. init: the function could not start.
error_body <- function(failure, init = FALSE) {
    failure <- described(failure)
    hint <- if (init) package_hint(failure$condition)
    write_json(list(
        errorMessage = paste(c(failure$message, hint), collapse = "\n"),
        errorType = failure$type,
        stackTrace = as.list(failure$trace)
    ))
}

# The first class of a condition. For a missing argument newer versions of R have one class for
# compiled and another for interpreted code; callers know that error, as all of R's plain errors,
# as simpleError.
error_type <- function(condition) {
    type <- if (inherits(condition, "missingArgError")) "simpleError" else class(condition)[1]
    if (is.na(type) || !nzchar(type)) "error" else valid_text(type)
}

# A condition's own message, as one string of bounded length, even if its class tells no message.
message_of <- function(condition) {
    text <- whole_message(condition)
    if (nchar(text, "bytes") > 1e5) substr(valid_text(text), 1L, 1e5) else text
}

whole_message <- function(condition) {
    text <- protected(
        paste(as.character(generic(conditionMessage, condition)), collapse = "\n"),
        otherwise = NULL
    )
    if (is.null(text)) paste("a condition of class", class(condition)[1]) else text
}

# Calls a generic function where methods are found that the user's code defines: the runtime's own
# environment does not see them.
generic <- function(fun, x) {
    do.call(fun, list(x), quote = TRUE, envir = globalenv())
}

# The message with the call that R would show, unless that is one of the runtime's, and with what
# caused the error. The condition's own message comes first, as it is: programs know it.
failure_message <- function(failure) {
    text <- with_causes(message_of(failure$condition), failure$condition)
    text <- paste(c(text, wrong_line(failure$condition, text)), collapse = "\n")
    if (!nzchar(text)) {
        text <- "an error without a message"
    }
    call <- users_call(failure)
    if (is.null(call)) {
        return(text)
    }
    between <- if (grepl("\n", text, fixed = TRUE)) "\n" else " "
    paste0(text, between, "(in ", call_text(call), ")")
}

# The line of a file that is no R, with a mark below the place; NULL where the message shows it
# already, as it does in most cases, or it is not known.
wrong_line <- function(condition, text) {
    if (!inherits(condition, "parseError") || grepl("\n", text, fixed = TRUE)) {
        return(NULL)
    }
    line <- readLines(condition$filename, condition$lineno, warn = FALSE)[condition$lineno]
    c(line, paste0(strrep(" ", max(0, condition$colno - 1L)), "^"))
}

# Adds the messages of a condition's parents, as rlang chains them, that are not in the text yet.
with_causes <- function(text, condition) {
    for (i in 1:10) {
        condition <- if (is.list(condition)) unclass(condition)$parent
        if (!inherits(condition, "condition")) {
            break
        }
        cause <- message_of(condition)
        if (!grepl(cause, text, fixed = TRUE)) {
            text <- paste0(text, "\nCaused by ", error_type(condition), ": ", cause)
        }
    }
    text
}

# The call of a failure's condition, NULL if it has none, or one by which the runtime evaluates
# the user's code.
users_call <- function(failure) {
    call <- generic(conditionCall, failure$condition)
    calls <- failure$calls
    ours <- calls[seq_along(calls) < users_range(calls)[1]]
    if (is.call(call) && !is_among(call, ours)) call
}

# Is this call one of these? Where they stand in a file does not count.
is_among <- function(call, calls) {
    attributes(call) <- NULL
    for (other in calls) {
        attributes(other) <- NULL
        if (identical(other, call)) {
            return(TRUE)
        }
    }
    FALSE
}

# What helps against a missing package; NULL for any other error.
package_hint <- function(condition) {
    if (!inherits(condition, "packageNotFoundError")) {
        return(NULL)
    }
    package <- protected(condition$package, otherwise = NULL)
    if (is.character(package)) {
        paste0("Add a layer that holds it: r-layer add-packages ", paste(package, collapse = " "))
    }
}

# The value of Lambda-Runtime-Function-Error-Type: letters only, or Lambda calls it unknown.
# "rlang_error" becomes "Function.RlangError".
lambda_error_type <- function(condition) {
    told <- if (is.list(condition)) unclass(condition)$lambda_type
    if (is.character(told) && length(told) == 1L) {
        return(told)
    }
    known <- known_kind(condition)
    if (!is.null(known)) {
        return(known)
    }
    words <- strsplit(error_type(condition), "[^A-Za-z]+")[[1]]
    words <- words[nzchar(words)]
    name <- paste0(toupper(substring(words, 1L, 1L)), substring(words, 2L), collapse = "")
    paste0("Function.", if (nchar(name) < 2L) "Error" else name)
}

# Kinds of errors of R's own that say no more than "simpleError", or in some versions another class.
known_kind <- function(condition) {
    message <- message_of(condition)
    call <- generic(conditionCall, condition)
    reader <- is.call(call) && called_name(call) %in% c("parse", "source", "str2lang")
    if (grepl("^cannot allocate|^could not allocate|^vector memory|bad_alloc|^memory exhausted",
        message)) {
        "Runtime.OutOfMemory"
    } else if (inherits(condition, "stackOverflowError") ||
        grepl("infinite recursion|^C stack usage|stack overflow", message)) {
        "Function.StackOverflow"
    } else if (inherits(condition, "parseError") ||
        reader && grepl("^[^\n]*[0-9]+:[0-9]+: ", message)) {
        "Function.SyntaxError"
    }
}
