# Errors over HTTP: a response too, so that the caller learns what was wrong.

# Is an error a response? over_http: the handler's results are. A handler of whole events speaks for
# itself, and its errors fail the invocation; but stop_http() says that it means a response.
is_answer_over_http <- function(event, over_http, condition) {
    over_http || identical(event$kind, "http") && inherits(condition, "lambda_http_error")
}

# The text of the response for an error: its message in JSON, unless its headers say otherwise.
# arguments: those that the handler got.
http_error_text <- function(handler, event, condition, arguments) {
    status <- error_status(handler, condition, arguments)
    headers <- c(own_headers(condition), list("x-amzn-ErrorType" = error_type(condition)))
    type <- header_values(headers, "content-type")
    body <- message_of(condition)
    if (is.null(type) || grepl("json", type[1L], fixed = TRUE)) {
        deliberate <- inherits(condition, "lambda_http_error")
        json <- if (deliberate) condition$body else write_json(list(message = body))
        body <- structure(json, class = "json")
    }
    write_json(response_for(event, http_response(body, status, headers)))
}

# The condition's own status if it has one; 400 when the caller left out an argument; else 500.
error_status <- function(handler, condition, arguments) {
    code <- tryCatch(condition$code, error = function(e) NULL)
    if (is_status(code)) {
        as.integer(code)
    } else if (is_missing_argument(handler, condition, arguments)) {
        400L
    } else {
        500L
    }
}

# stop_http() takes headers; the errors of lambdr's stop_html() are plain text.
own_headers <- function(condition) {
    if (inherits(condition, "lambda_http_error")) {
        condition$headers
    } else if (inherits(condition, "html_error")) {
        list("Content-Type" = "text/plain")
    }
}

# Did the caller leave out an argument of the handler's? R finds out only when it is used.
is_missing_argument <- function(handler, condition, arguments) {
    without_default <- vapply(handler$defaults[handler$parameters], identical, NA, quote(expr = ))
    missing <- setdiff(handler$parameters[without_default], names(arguments))
    message_of(condition) %in%
        sprintf("argument \"%s\" is missing, with no default", missing)
}
