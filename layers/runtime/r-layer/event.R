# What kind of event came in. It is told by the event's structure, never by searching its text: a
# direct event may hold any text.

# Takes the bytes of an event and the handler. Returns list(kind, value), kind: "none" (no body),
# "value" (JSON that is no object), "direct", "http", "sns" or "eventbridge"; with a `text` if that
# is for the deserialiser of the handler's file.
read_event <- function(bytes, handler) {
    first <- first_byte(bytes)
    if (!is.null(settings$deserialiser)) {
        return(unread_event(bytes_to_text(bytes)))
    }
    if (is.na(first)) {
        return(list(kind = "none", value = NULL))
    }
    # A handler of whole events walks its records; arguments are data frames and matrices instead.
    value <- read_json(bytes_to_text(bytes), tables = wants_tables(!handler$whole),
        vectors = wants_vectors())
    # By the text, because a list no longer tells an empty object from an empty array.
    kind <- if (first == 0x7b) kind_of_object(value) else "value"
    list(kind = kind, value = value)
}

# The first byte that is no white space of JSON's, as a number; NA when there is none.
first_byte <- function(bytes) {
    first <- as.integer(bytes[1L])
    # Mostly there is none. Where there is, or nothing, all bytes are looked at.
    if (length(bytes) > 0L && first > 0x20) {
        return(first)
    }
    as.integer(bytes[!bytes %in% as.raw(c(0x20, 0x09, 0x0a, 0x0d))])[1L]
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

# Does a caller wait for a response? API Gateway (REST, HTTP, WebSocket), a function URL, a load
# balancer or VPC Lattice.
is_http <- function(event) {
    request <- event[["requestContext"]]
    if (!is.list(request) || is_authorizer(event)) {
        return(FALSE)
    }
    is_text(event[["httpMethod"]]) ||
        is.list(request[["http"]]) && is_text(request[["http"]][["method"]]) ||
        is_text(request[["connectionId"]]) && is_text(request[["eventType"]]) ||
        is_lattice(event)
}

# API Gateway's question to a Lambda authorizer looks like a request, but the answer that it wants
# is a policy, or `isAuthorized`, and no response.
is_authorizer <- function(event) {
    is_text(event[["type"]]) && (is_text(event[["methodArn"]]) || is_text(event[["routeArn"]]))
}

# A load balancer says so; it leaves query parameters encoded and wants headers in the answer.
is_load_balancer <- function(event) {
    is.list(event[["requestContext"]][["elb"]])
}

# Version 2.0 of VPC Lattice's events, the default.
is_lattice <- function(event) {
    is_text(event[["method"]]) && is_text(event[["requestContext"]][["serviceNetworkArn"]])
}

# One record from SNS, which never sends more at a time.
is_sns <- function(event) {
    record <- only_record(event)
    is.list(record) && identical(record[["EventSource"]], "aws:sns") &&
        is.list(record[["Sns"]]) && is_text(record[["Sns"]][["Message"]])
}

# The record of an event that has but one, else NULL. Records are a data frame or, if the settings
# want no tables, a list.
only_record <- function(event) {
    records <- event[["Records"]]
    if (is.data.frame(records)) {
        if (nrow(records) == 1L) records
    } else if (is.list(records) && is.null(names(records)) && length(records) == 1L) {
        records[[1]]
    }
}

# EventBridge's rules send `detail` as an object; its scheduler may send it as the text of one.
is_eventbridge <- function(event) {
    is_text(event[["detail-type"]]) && is_text(event[["source"]]) &&
        (is.list(event[["detail"]]) || is_text(event[["detail"]]))
}

is_text <- function(x) {
    is.character(x) && length(x) == 1L && !is.na(x)
}
