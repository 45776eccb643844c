# The functions by which a handler's file takes over reading events and writing results.

# Calls a function of the settings by the setting's name, so that stack traces show that.
enter_setting <- function(name, value) {
    place <- new.env(parent = globalenv())
    assign(name, settings[[name]], place)
    enter_handler(name, list(value), place)
}

# An event that the deserialiser will read. `text` is for that; `value` is only read to know
# whether the answer goes over HTTP, and may be no JSON at all.
unread_event <- function(text) {
    value <- if (grepl("requestContext", text, fixed = TRUE)) {
        tryCatch(read_json(text, tables = FALSE), error = function(e) NULL)
    }
    kind <- if (is.list(value) && is_http(value)) "http" else "value"
    list(kind = kind, value = value, text = text)
}

# What the deserialiser makes of an event, as the handler's arguments.
deserialised_arguments <- function(handler, text) {
    value <- enter_setting("deserialiser", text)
    if (handler$whole) {
        whole_event(handler, list(kind = "value", value = value))
    } else if (is.null(value)) {
        list()
    } else if (is_arguments(handler, value)) {
        name_by_position(handler, as.list(value))
    } else {
        first_argument(handler, list(), value)
    }
}

# Is a value a list of arguments? An object made of a list, such as a data frame, is one value,
# unless the handler has a parameter for each of its parts.
is_arguments <- function(handler, value) {
    is.list(value) && (!is.object(value) || all(names(value) %in% handler$parameters))
}

# Names arguments without a name by the parameters that are free, as a call of R's would.
name_by_position <- function(handler, arguments) {
    names <- argument_names(arguments)
    before_dots <- if (handler$dots > 0L) handler$dots - 1L else length(handler$order)
    free <- setdiff(handler$order[seq_len(before_dots)], c(names, "context"))
    open <- which(names == "")
    n <- min(length(open), length(free))
    names[open[seq_len(n)]] <- free[seq_len(n)]
    names(arguments) <- names
    arguments
}

# A result as text: JSON, or what the serialiser makes of it.
result_text <- function(result) {
    if (is.null(settings$serialiser)) write_result(result) else serialised(result)
}

serialised <- function(result) {
    text <- enter_setting("serialiser", result)
    if (!is.null(text) && !is.atomic(text)) {
        stop(runtime_error("The serialiser returned a value of class ", class(text)[1],
            ", not text", lambda_type = "Runtime.MarshalError"))
    }
    text <- if (is.raw(text)) rawToChar(text) else as.character(text)
    valid_text(paste(text, collapse = "\n"))
}
