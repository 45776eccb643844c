# From a handler's result to the text of the answer.

# over_http: is the answer to be a response, as API Gateway takes it? A result that is none yet is
# wrapped into one. What http_response() made is always written as a response.
answer_text <- function(event, result, over_http) {
    if (inherits(result, "http_response")) {
        write_json(response_for(event, result))
    } else if (isTRUE(settings$serialise_all)) {
        serialised(result)
    } else if (is_finished(result)) {
        valid_text(paste(result, collapse = "\n"))
    } else if (!over_http) {
        result_text(result)
    } else if (is_response(result)) {
        write_result(result)
    } else {
        write_json(wrapped(event, result_text(result)))
    }
}

# Is this a text that html_response(), ours or that of the package lambdr, made?
is_finished <- function(result) {
    is.character(result) && isTRUE(attr(result, "already_serialised"))
}

# For handlers, as in the package lambdr: a response for API Gateway. The body is text, which is
# not changed; `content_type` counts if `headers` has none.
html_response <- function(body, is_base64 = FALSE, status_code = 200L, content_type = NULL,
                          headers = list()) {
    response <- list(body = body, isBase64Encoded = is_base64, statusCode = status_code)
    headers <- as.list(headers)
    if (!"Content-Type" %in% names(headers)) {
        headers[["Content-Type"]] <- content_type
    }
    if (length(headers) > 0L) {
        response$headers <- headers
    }
    structure(write_json(response), already_serialised = TRUE)
}
