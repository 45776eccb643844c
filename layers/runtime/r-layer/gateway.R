# Requests over HTTP: API Gateway, function URLs, load balancers, VPC Lattice. What they say becomes
# the handler's arguments; http_results.R has the way back.

# The arguments of a handler: path parameters, then the body's fields, then query parameters; the
# first to name an argument wins.
http_arguments <- function(handler, event) {
    arguments <- typed(handler, named_values(event[["pathParameters"]]))
    arguments <- add_body(handler, arguments, event)
    query <- query_parameters(event)
    c(arguments, typed(handler, query[!names(query) %in% names(arguments)]))
}

# The values of an object in the event; empty when there is none. Several values of one name are a
# vector, also where the settings leave arrays as lists.
named_values <- function(object) {
    if (!is.list(object) || is.null(names(object))) {
        return(list())
    }
    lapply(object, function(value) if (is.list(value)) unlist(value) else value)
}

# Query parameters as a list of character vectors. REST APIs and load balancers have a second field
# for several values of one parameter; HTTP APIs and function URLs join them with commas. Load
# balancers pass everything on as it was encoded.
query_parameters <- function(event) {
    query <- named_values(event[["multiValueQueryStringParameters"]])
    if (length(query) == 0L) {
        query <- named_values(event[["queryStringParameters"]])
    }
    if (is.list(event[["requestContext"]][["http"]])) {
        query <- lapply(query, split_at_commas)
    }
    if (is_load_balancer(event)) {
        names(query) <- url_decoded(names(query))
        texts <- vapply(query, is.character, NA)
        query[texts] <- lapply(query[texts], url_decoded)
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

# Adds what the body holds: fields of an object or a form by name, anything else as the first
# argument. curl sends JSON too as a form, unless told otherwise; what begins a JSON object does not
# begin a form.
add_body <- function(handler, arguments, event) {
    body <- http_body(event)
    type <- content_type_of(event)
    if (is.null(body)) {
        arguments
    } else if (is.raw(body) || stays_encoded(event)) {
        first_argument(handler, arguments, body)
    } else if (!is_text(body)) {
        add_value(handler, arguments, body)
    } else if (type == "application/x-www-form-urlencoded" && !grepl("^[ \t\r\n]*[{[]", body)) {
        fields <- typed(handler, form_fields(body))
        c(arguments, fields[!names(fields) %in% names(arguments)])
    } else {
        content_arguments(handler, arguments, body, type == "application/json")
    }
}

# The body as text, as raw bytes if it is none, NULL when the request has no body. A test event that
# was written by hand may have a body that is no text, but the JSON itself.
http_body <- function(event) {
    body <- event[["body"]]
    if (!is_text(body)) {
        body
    } else if (!nzchar(body)) {
        NULL
    } else if (isTRUE(event[["isBase64Encoded"]]) && !stays_encoded(event)) {
        from_base64(body)
    } else {
        body
    }
}

# Does the body stay in base64, as the settings want?
stays_encoded <- function(event) {
    isTRUE(event[["isBase64Encoded"]]) && is_text(event[["body"]]) &&
        isFALSE(settings$decode_base64)
}

# The content type of the request, in lower case and without parameters; "" when it says none.
content_type_of <- function(event) {
    told <- c(header_values(event[["headers"]], "content-type"),
        header_values(event[["multiValueHeaders"]], "content-type"))
    if (is.character(told)) tolower(trimws(sub(";.*$", "", told[1], useBytes = TRUE))) else ""
}

# The values of a header, whatever the case of its name.
header_values <- function(headers, name) {
    values <- named_values(headers)
    unlist(values[match(name, tolower(names(values)), nomatch = 0L)], use.names = FALSE)
}

# The fields of a form: a list of character vectors, a repeated field with all its values.
form_fields <- function(body) {
    pairs <- strsplit(body, "&", fixed = TRUE)[[1]]
    pairs <- pairs[nzchar(pairs)]
    equals <- regexpr("=", pairs, fixed = TRUE)
    ends <- ifelse(equals < 0L, nchar(pairs) + 1L, equals)
    names <- url_decoded(substr(pairs, 1L, ends - 1L))
    values <- url_decoded(substring(pairs, ends + 1L))
    lapply(split(values, factor(names, unique(names))), as.character)
}

# Texts with %XX and + resolved; a text that is not properly encoded stays as it is. All at once: a
# form may have very many fields.
url_decoded <- function(texts) {
    coded <- grep("[+%]", texts, useBytes = TRUE)
    if (length(coded) > 0L) {
        spaced <- gsub("+", " ", texts[coded], fixed = TRUE)
        decoded <- percent_decoded(spaced)
        texts[coded] <- ifelse(is.na(decoded), texts[coded], decoded)
    }
    texts
}

# Texts with %XX resolved, NA for those in which a % stands alone, or stands for a zero byte.
percent_decoded <- function(texts) {
    bytes <- charToRaw(paste(texts, collapse = ""))
    owner <- rep(seq_along(texts), nchar(texts, "bytes"))
    at <- which(bytes == 0x25)
    codes <- 16L * hex_value(bytes[at + 1L]) + hex_value(bytes[at + 2L])
    wrong <- is.na(codes) | codes == 0L | is.na(owner[at + 2L]) | owner[at + 2L] != owner[at]
    broken <- unique(owner[at[wrong]])
    bytes[at] <- as.raw(ifelse(wrong, 0x25, codes))
    dropped <- c(at[!wrong] + 1L, at[!wrong] + 2L)
    if (length(dropped) > 0L) {
        bytes <- bytes[-dropped]
        owner <- owner[-dropped]
    }
    decoded <- split_bytes(bytes, tabulate(owner, length(texts)))
    decoded[broken] <- NA
    decoded
}

# Cuts bytes into texts of these sizes.
split_bytes <- function(bytes, sizes) {
    text <- rawToChar(bytes)
    Encoding(text) <- "bytes"
    ends <- cumsum(sizes)
    valid_text(substring(text, ends - sizes + 1L, ends))
}

# The values of hexadecimal digits, NA for any other byte.
hex_value <- function(bytes) {
    value <- match(bytes, charToRaw("0123456789abcdefABCDEF")) - 1L
    value - 6L * (value > 15L)
}
