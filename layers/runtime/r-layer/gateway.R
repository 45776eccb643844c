# Events over HTTP: API Gateway, function URLs, load balancers.

# The arguments of a handler: path parameters, then the body's fields, then query parameters; the
# first to name an argument wins.
http_arguments <- function(handler, event) {
    arguments <- typed(handler, text_parameters(event, "pathParameters"))
    body <- http_body(event)
    if (is.raw(body)) {
        arguments <- first_argument(handler, arguments, body)
    } else if (has_type(event, "application/x-www-form-urlencoded")) {
        fields <- typed(handler, form_fields(body))
        arguments <- c(arguments, fields[!names(fields) %in% names(arguments)])
    } else if (!is.null(body)) {
        must_be_json <- has_type(event, "application/json")
        arguments <- content_arguments(handler, arguments, body, must_be_json)
    }
    query <- query_parameters(event)
    query <- query[!names(query) %in% names(arguments)]
    c(arguments, typed(handler, query))
}

# A field of the event that maps names to text, as a list; empty when it is absent or null.
text_parameters <- function(event, field) {
    value <- event[[field]]
    if (is.list(value)) value else list()
}

# Query parameters as a list of character vectors. HTTP APIs and function URLs join the values of
# a repeated parameter with commas; load balancers pass everything on as it was encoded.
query_parameters <- function(event) {
    query <- text_parameters(event, "queryStringParameters")
    if (length(query) == 0L) {
        query <- text_parameters(event, "multiValueQueryStringParameters")
    }
    if (identical(event[["version"]], "2.0")) {
        query <- lapply(query, split_at_commas)
    }
    if (is_load_balancer(event)) {
        names(query) <- url_decoded(names(query))
        query <- lapply(query, url_decoded)
    }
    query
}

split_at_commas <- function(text) {
    if (is_text(text) && grepl(",", text, fixed = TRUE)) {
        strsplit(text, ",", fixed = TRUE)[[1]]
    } else {
        text
    }
}

# The body as text, as raw bytes if it is none, NULL when the request has no body.
http_body <- function(event) {
    body <- event[["body"]]
    if (!is_text(body) || !nzchar(body)) {
        return(NULL)
    }
    if (isTRUE(event[["isBase64Encoded"]])) {
        bytes <- base64_decoded(body)
        body <- tryCatch(bytes_to_text(bytes), error = function(e) bytes)
    }
    body
}

# Does the request have a body of this content type?
has_type <- function(event, type) {
    headers <- event[["headers"]]
    told <- headers[tolower(names(headers)) == "content-type"]
    is_text(event[["body"]]) && length(told) > 0L && is_text(told[[1]]) &&
        startsWith(tolower(told[[1]]), type)
}

# The fields of a form: a list of character vectors, a repeated field with all its values.
form_fields <- function(body) {
    pairs <- strsplit(body, "&", fixed = TRUE)[[1]]
    pairs <- pairs[nzchar(pairs)]
    names <- url_decoded(sub("=.*$", "", pairs))
    values <- url_decoded(ifelse(grepl("=", pairs, fixed = TRUE), sub("^[^=]*=", "", pairs), ""))
    lapply(split(values, factor(names, unique(names))), as.character)
}

# Text with %XX and + resolved; text that is not properly encoded stays as it is.
url_decoded <- function(texts) {
    decode <- function(text) {
        plain <- gsub("+", " ", text, fixed = TRUE)
        if (grepl("%(?![0-9A-Fa-f]{2})|%00", plain, perl = TRUE)) {
            return(text)
        }
        valid_text(utils::URLdecode(plain))
    }
    vapply(texts, decode, "", USE.NAMES = FALSE)
}

# Converts texts to the types of the parameters' defaults: `n = 10` says that n is a number.
typed <- function(handler, texts) {
    for (name in intersect(names(texts), handler$parameters)) {
        if (is.character(texts[[name]])) {
            texts[[name]] <- convert_text(texts[[name]], name, default_value(handler, name))
        }
    }
    texts
}

# The default of a parameter if it is a plain constant, such as 10, -1L, TRUE or c("a", "b"). Any
# other expression is not evaluated here. NULL when there is none.
default_value <- function(handler, name) {
    default <- handler$defaults[name]
    if (all(all.names(default[[1]]) %in% c("c", "-", "+", "T", "F")) &&
        !identical(default[[1]], quote(expr = ))) {
        tryCatch(eval(default[[1]], baseenv()), error = function(e) NULL)
    }
}

# Converts text to the type of `like`; text that is no such thing is the caller's mistake.
convert_text <- function(text, name, like) {
    wanted <- if (is.factor(like)) "" else typeof(like)
    value <- switch(wanted,
        double = suppressWarnings(as.numeric(text)),
        integer = whole_number(text),
        logical = if (anyNA(like)) text else truth(text),
        text
    )
    if (anyNA(value) && !anyNA(text)) {
        kind <- switch(wanted, integer = "whole number", logical = "truth value", "number")
        stop(runtime_error("argument \"", name, "\" is not a ", kind, ": ",
            encodeString(text[is.na(value)][1], quote = "\""), code = 400L))
    }
    value
}

whole_number <- function(text) {
    value <- suppressWarnings(as.numeric(text))
    value[is.na(value) | value != trunc(value) | abs(value) > .Machine$integer.max] <- NA
    as.integer(value)
}

truth <- function(text) {
    truths <- c(true = TRUE, t = TRUE, "1" = TRUE, yes = TRUE, false = FALSE, f = FALSE,
        "0" = FALSE, no = FALSE)
    unname(truths[tolower(text)])
}

# What the caller gets for a result. A response that the handler made is sent as it is.
http_response <- function(event, result) {
    if (is_response(result)) {
        return(write_result(result))
    }
    response <- list(isBase64Encoded = FALSE, statusCode = 200L, body = write_result(result))
    write_json(with_headers(event, response, "application/json"))
}

# Is this a plain list with a status code, as API Gateway takes it?
is_response <- function(result) {
    is.list(result) && !is.object(result) && is_status(result[["statusCode"]]) &&
        sum(names(result) == "statusCode") == 1L
}

is_status <- function(code) {
    is.numeric(code) && length(code) == 1L && isTRUE(code >= 100 && code <= 599)
}

# What the caller gets for an error: a response too, its status from the condition's `code`.
http_error <- function(handler, condition, arguments) {
    code <- if (is_status(condition$code)) {
        condition$code
    } else if (is_missing_argument(handler, condition, arguments)) {
        400L
    } else {
        500L
    }
    write_json(list(
        statusCode = code,
        headers = list("Content-Type" = "text/plain", "x-amzn-ErrorType" = error_type(condition)),
        isBase64Encoded = FALSE,
        body = message_of(condition)
    ))
}

# Did the caller leave out an argument of the handler's? R finds out only when it is used.
is_missing_argument <- function(handler, condition, arguments) {
    without_default <- vapply(handler$defaults[handler$parameters], identical, NA, quote(expr = ))
    missing <- setdiff(handler$parameters[without_default], names(arguments))
    message_of(condition) %in%
        sprintf("argument \"%s\" is missing, with no default", missing)
}

# Load balancers refuse a response without headers.
with_headers <- function(event, response, type) {
    if (is_load_balancer(event)) {
        response$headers <- list("Content-Type" = type)
    }
    response
}
