# From an event to the handler's arguments. The handler's own parameters decide.

# Keys of events: a handler that names one of them, and has room for all, wants the event's keys.
event_keys <- c("headers", "body", "queryStringParameters", "pathParameters", "requestContext",
    "Records", "detail")

# Takes a handler, an event and the context, which is not evaluated unless the handler wants it. Returns
# the list of arguments for do.call().
arguments_for <- function(handler, event, context) {
    arguments <- if (!is.null(event$text)) {
        deserialised_arguments(handler, event$text)
    } else if (handler$whole) {
        whole_event(handler, event)
    } else {
        switch(event$kind,
            none = list(),
            value = first_argument(handler, list(), event$value),
            direct = object_arguments(event$value),
            if (wants_keys(handler, event$value)) {
                with_absent_keys(handler, event$value)
            } else {
                unpack(handler, event)
            }
        )
    }
    match_exactly(handler, add_context(handler, arguments, context, event$kind))
}

# The arguments of a handler of whole events. An absent event is an empty one.
whole_event <- function(handler, event) {
    value <- if (event$kind == "none") read_json("{}") else event$value
    if ("event" %in% handler$parameters) {
        list(event = value)
    } else {
        first_argument(handler, list(), value)
    }
}

# The keys of a JSON object as arguments; always a list, also when the object is empty.
object_arguments <- function(value) {
    as.list(value)
}

# Does the handler take this event's own keys as arguments?
wants_keys <- function(handler, event) {
    any(handler$parameters %in% event_keys) &&
        (handler$dots > 0L || all(names(event) %in% handler$parameters))
}

# The event's keys, and NULL for those that the handler wants but this event lacks: HTTP APIs leave
# out the body of a request that has none.
with_absent_keys <- function(handler, event) {
    wanted <- intersect(handler$parameters, event_keys)
    needed <- vapply(handler$defaults[wanted], identical, NA, quote(expr = ))
    event[setdiff(wanted[needed], names(event))] <- list(NULL)
    event
}

# The convenient arguments of an event that is not direct.
unpack <- function(handler, event) {
    switch(event$kind,
        http = http_arguments(handler, event$value),
        sns = content_arguments(handler, list(), only_record(event$value)$Sns$Message),
        eventbridge = detail_arguments(handler, event$value$detail)
    )
}

detail_arguments <- function(handler, detail) {
    if (is_text(detail)) content_arguments(handler, list(), detail) else object_arguments(detail)
}

# Adds a body's or a message's text to the arguments. Text that is no JSON is the first argument,
# unless it says that it is JSON.
content_arguments <- function(handler, arguments, text, must_be_json = FALSE) {
    read <- function() read_json(text, wants_tables(TRUE), wants_vectors(), what = "body")
    value <- tryCatch(list(read()), error = function(e) {
        if (must_be_json) stop(e) else list(text)
    })
    add_value(handler, arguments, value[[1L]], grepl("^[ \t\r\n]*[{]", text))
}

# Adds a value that came as JSON: the fields of an object by name, anything else as the first
# argument.
add_value <- function(handler, arguments, value, is_object = !is.null(names(value))) {
    if (is_object && is.list(value)) {
        fields <- object_arguments(value)
        c(arguments, fields[!names(fields) %in% names(arguments)])
    } else {
        first_argument(handler, arguments, value)
    }
}

# Adds a value as the first argument that is still free; `context` is not meant for it.
first_argument <- function(handler, arguments, value) {
    taken <- c(names(arguments), "context")
    free <- setdiff(handler$order, taken)
    added <- list(value)
    if (length(free) > 0L && free[1] != "...") {
        names(added) <- free[1]
    }
    c(arguments, added)
}

# Gives the context to a parameter of that name. A key of a direct event goes first, because the
# function's owner sends it; a query or a message must not pass itself off as the context.
add_context <- function(handler, arguments, context, kind) {
    if (!"context" %in% handler$parameters) {
        return(arguments)
    }
    if ("context" %in% names(arguments)) {
        if (kind == "direct") {
            log_warning("the event has a key \"context\": the handler gets that, ",
                "not Lambda's context")
            return(arguments)
        }
        log_warning("the event's \"context\" is left out: the handler gets Lambda's context")
        arguments <- arguments[names(arguments) != "context"]
    }
    c(arguments, list(context = context))
}

# Makes sure that R matches arguments by their exact names. By itself it would let {"n": 5} fill a
# parameter `number`, and {"": 5} the first one that is free.
match_exactly <- function(handler, arguments) {
    names <- argument_names(arguments)
    unknown <- !names %in% handler$parameters
    # The value of first_argument() for a handler that begins with dots has no name, by intention.
    if (!any(unknown)) {
        return(arguments)
    }
    if (handler$dots == 0L) {
        stop(unused_argument_error(arguments[unknown]))
    }
    # Only parameters before the dots match partly, or by position. Saying that they are missing
    # takes them out of the search by name; nothing takes them out of that by position.
    open <- setdiff(handler$order[seq_len(handler$dots - 1L)], names)
    if (length(open) == 0L) {
        return(arguments)
    }
    if ("" %in% names) {
        stop(unused_argument_error(arguments[names == ""]))
    }
    c(arguments, sapply(open, function(name) quote(expr = ), simplify = FALSE))
}

argument_names <- function(arguments) {
    names <- names(arguments)
    if (is.null(names)) rep("", length(arguments)) else names
}

# R's own error for arguments that a function does not have. It shows their first 8,000 bytes, but
# would write down all of them for that.
unused_argument_error <- function(arguments) {
    shown <- lapply(arguments, function(value) {
        if (is_text(value)) {
            substr(value, 1L, 9000L)
        } else if (is.atomic(value) && length(value) > 5000L) {
            as.vector(value)[1:5000]
        } else {
            value
        }
    })
    text <- tryCatch(do.call(function() NULL, shown), error = conditionMessage)
    runtime_error(text, code = 400L)
}
