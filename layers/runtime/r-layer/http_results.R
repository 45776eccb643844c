# Responses over HTTP: what handlers make them with, and the form that each kind of event wants.

# For handlers: ends the request with a status and a message. More unnamed arguments are more of the
# message, as in stop(); named ones are more fields of the JSON body.
#     stop_http(404, "there is no user ", id)
#     stop_http(429, "slow down", seconds = 3, headers = list("Retry-After" = 3))
# The body is {"message": ...}; with a Content-Type of text/..., it is the message itself.
stop_http <- function(status, message = NULL, ..., headers = list()) {
    check_status(status)
    more <- list(...)
    named <- nzchar(argument_names(more))
    if (inherits(message, "condition")) {
        message <- message_of(message)
    }
    text <- paste0(unlist(lapply(c(list(message), more[!named]), as.character)), collapse = "")
    if (!nzchar(text)) {
        text <- status_text(status)
    }
    condition <- structure(class = c("lambda_http_error", "error", "condition"), list(
        message = text, call = sys.call(-1L), code = as.integer(status),
        headers = response_headers(headers),
        body = write_result(c(list(message = text), more[named]))
    ))
    stop(condition)
}

# For handlers: a response with more than a body. It fits every kind of event that comes over HTTP.
# body: one text is sent as it is, raw bytes are sent as bytes, anything else as JSON.
# headers: a named list or vector; several values for one name are several headers, or cookies.
# content_type: by itself it follows the body; TRUE for base64 says that the text is base64 already.
#     http_response("<p>Hello</p>", content_type = "text/html")
#     http_response(readBin("plot.pdf", "raw", 1e6), content_type = "application/pdf")
#     http_response(list(id = 5), 201, list(Location = "/users/5"))
http_response <- function(body = NULL, status = 200L, headers = list(), content_type = NULL,
                          base64 = FALSE) {
    check_status(status)
    headers <- response_headers(headers)
    if (!is.null(content_type)) {
        headers <- headers[tolower(names(headers)) != "content-type"]
        headers <- c(response_headers(c("Content-Type" = content_type)), headers)
    }
    type <- header_values(headers, "content-type")
    written <- written_body(body, type, isTRUE(base64))
    if (is.null(type) && !is.null(written$type)) {
        headers <- c(list("Content-Type" = written$type), headers)
    }
    structure(class = "http_response", list(statusCode = as.integer(status), headers = headers,
        isBase64Encoded = is.raw(body) || isTRUE(base64), body = written$text))
}

# A body as text, and the content type that it has by itself. type: the one that was asked for.
written_body <- function(body, type, base64) {
    if (is.raw(body)) {
        list(text = base64_text(body), type = "application/octet-stream")
    } else if (base64) {
        if (!is_text(body)) {
            stop("base64 = TRUE says that the body is one text in base64", call. = FALSE)
        }
        list(text = valid_text(as.vector(body)), type = "application/octet-stream")
    } else if (is.null(body)) {
        list(text = "")
    } else if (inherits(body, "json")) {
        list(text = verbatim_json(body), type = "application/json")
    } else if (is_plain_body(body, type)) {
        text <- paste(valid_text(body[!is.na(body)]), collapse = "\n")
        list(text = text, type = "text/plain; charset=utf-8")
    } else {
        list(text = write_result(body), type = "application/json")
    }
}

# Is the body sent as the text that it is? One text always, several as lines if that is their type.
is_plain_body <- function(body, type) {
    is.character(body) && !is.object(body) &&
        (is_text(body) || !is.null(type) && !grepl("json", type[1L], fixed = TRUE))
}

# Headers as a list of character vectors, those of the same name together, whatever its case. A line
# break in a header would be the start of another one.
response_headers <- function(headers) {
    headers <- as.list(headers)
    names <- argument_names(headers)
    values <- lapply(headers, as.character)
    values <- lapply(values, function(texts) valid_text(texts[!is.na(texts)]))
    if (!all(grepl("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", names)) ||
        any(grepl("[\r\n]", unlist(values), useBytes = TRUE))) {
        stop("headers need names, and neither names nor values may hold line breaks", call. = FALSE)
    }
    same <- match(tolower(names), tolower(names))
    merged <- lapply(split(values, same), unlist, use.names = FALSE)
    names(merged) <- names[unique(sort(same))]
    merged[lengths(merged) > 0L]
}

check_status <- function(status) {
    if (!is_status(status)) {
        stop("status must be a number from 100 to 599", call. = FALSE)
    }
}

is_status <- function(code) {
    is.numeric(code) && length(code) == 1L && isTRUE(code >= 100 && code <= 599)
}

# What a status means, for messages that were not given.
status_text <- function(status) {
    texts <- c("400" = "Bad Request", "401" = "Unauthorized", "403" = "Forbidden",
        "404" = "Not Found", "405" = "Method Not Allowed", "406" = "Not Acceptable",
        "409" = "Conflict", "410" = "Gone", "413" = "Content Too Large",
        "415" = "Unsupported Media Type", "422" = "Unprocessable Content",
        "429" = "Too Many Requests", "500" = "Internal Server Error", "501" = "Not Implemented",
        "502" = "Bad Gateway", "503" = "Service Unavailable", "504" = "Gateway Timeout")
    text <- texts[as.character(as.integer(status))]
    if (is.na(text)) paste("Status", as.integer(status)) else unname(text)
}

# Is this a plain list with a status code, as API Gateway takes it?
is_response <- function(result) {
    is.list(result) && !is.object(result) && is_status(result[["statusCode"]]) &&
        sum(names(result) == "statusCode") == 1L
}

# A response with JSON. API Gateway and function URLs know that type by themselves.
wrapped <- function(event, text) {
    if (form_of_response(event) %in% c("rest", "http")) {
        list(isBase64Encoded = FALSE, statusCode = 200L, body = text)
    } else {
        response_for(event, http_response(structure(text, class = "json")))
    }
}

# Which form of response does this event want? "rest" (API Gateway's REST and WebSocket APIs, and
# HTTP APIs with payloads of version 1.0), "http" (version 2.0, function URLs), "multi" (a load
# balancer with multi-value headers), or "plain" (one without, and VPC Lattice). A direct event that
# is answered with a response gets what a function URL would.
form_of_response <- function(event) {
    if (event$kind != "http") {
        "http"
    } else if (is_load_balancer(event$value)) {
        if (is.null(event$value[["multiValueHeaders"]])) "plain" else "multi"
    } else if (is_lattice(event$value)) {
        "plain"
    } else if (is.list(event$value[["requestContext"]][["http"]])) {
        "http"
    } else {
        "rest"
    }
}

# A response in the form that its event wants.
response_for <- function(event, response) {
    headers <- switch(form_of_response(event),
        rest = rest_headers(response$headers),
        http = joined_headers(response$headers, cookies = TRUE),
        multi = list(multiValueHeaders = named_list(lapply(response$headers, as.list))),
        plain = joined_headers(response$headers, cookies = FALSE)
    )
    c(list(statusCode = response$statusCode), headers,
        list(isBase64Encoded = response$isBase64Encoded, body = response$body))
}

# Headers of one value, and those of several.
rest_headers <- function(headers) {
    several <- lengths(headers) > 1L
    fields <- list(headers = named_list(headers[!several]))
    if (any(several)) {
        fields$multiValueHeaders <- lapply(headers[several], as.list)
    }
    fields
}

# Several values of a header as one text, which HTTP allows for all but cookies. cookies: do they
# have a field of their own?
joined_headers <- function(headers, cookies) {
    is_cookie <- tolower(names(headers)) == "set-cookie"
    set <- unlist(headers[is_cookie], use.names = FALSE)
    if (cookies) {
        headers <- headers[!is_cookie]
    } else if (length(set) > 1L) {
        log_warning("only the last of ", length(set), " cookies is sent: a load balancer takes ",
            "more with the target group's attribute lambda.multi_value_headers.enabled")
        headers[is_cookie] <- set[length(set)]
    }
    joined <- list(headers = named_list(lapply(headers, paste, collapse = ", ")))
    if (cookies && length(set) > 0L) {
        joined$cookies <- as.list(set)
    }
    joined
}

# A list that is written as an object, also when it is empty.
named_list <- function(x) {
    if (length(x) > 0L) x else structure(list(), names = character())
}
