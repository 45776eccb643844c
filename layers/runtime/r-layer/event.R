# What kind of event came in. It is told by the event's structure, never by searching its text: a
# direct event may hold any text.

# Takes the bytes of an event and the handler. Returns list(kind, value), kind: "none" (no body),
# "value" (JSON that is no object), "direct", "http", "sns" or "eventbridge".
read_event <- function(bytes, handler) {
    text <- bytes_to_text(bytes)
    first <- first_character(text)
    if (!nzchar(first)) {
        return(list(kind = "none", value = NULL))
    }
    # A handler of whole events walks its records; arguments are data frames and matrices instead.
    value <- read_json(text, tables = !handler$whole)
    # By the text, because a list no longer tells an empty object from an empty array.
    kind <- if (first == "{") kind_of_object(value) else "value"
    list(kind = kind, value = value)
}

kind_of_object <- function(event) {
    if (is_http(event)) {
        "http"
    } else if (is_sns(event)) {
        "sns"
    } else if (is_eventbridge(event)) {
        "eventbridge"
    } else {
        "direct"
    }
}

# API Gateway (REST, HTTP, WebSocket), a function URL, or a load balancer.
is_http <- function(event) {
    request <- event[["requestContext"]]
    if (!is.list(request)) {
        return(FALSE)
    }
    is_text(event[["httpMethod"]]) ||
        is.list(request[["http"]]) && is_text(request[["http"]][["method"]]) ||
        is_text(request[["connectionId"]]) && is_text(request[["eventType"]])
}

# A load balancer says so; it leaves query parameters encoded and wants headers in the answer.
is_load_balancer <- function(event) {
    is.list(event[["requestContext"]][["elb"]])
}

# One record from SNS. In tables, as direct arguments are read, the records are a data frame.
is_sns <- function(event) {
    records <- event[["Records"]]
    if (!is.data.frame(records) || nrow(records) != 1L) {
        return(FALSE)
    }
    identical(records[["EventSource"]], "aws:sns") && is.data.frame(records[["Sns"]]) &&
        is_text(records[["Sns"]][["Message"]])
}

is_eventbridge <- function(event) {
    is_text(event[["detail-type"]]) && is_text(event[["source"]]) && is.list(event[["detail"]])
}

is_text <- function(x) {
    is.character(x) && length(x) == 1L && !is.na(x)
}
