# Results that are sent while they are made, piece by piece, instead of at the end.

# Lambda takes no more of a streamed response, in bytes.
largest_stream <- 200 * 1024^2

# The largest piece that is sent in one chunk: larger ones are cut, so as not to be copied whole.
largest_chunk <- 1024L^2

# For handlers: the result of one that streams.
# write_body: a function of one argument, itself a function, which sends text or raw bytes at once.
# The other arguments are of the response over HTTP; from a direct event only content_type counts.
stream_response <- function(write_body, content_type = "text/plain; charset=utf-8", status = 200L,
                            headers = list(), cookies = character()) {
    if (!is.function(write_body)) {
        stop("stream_response() takes a function of one argument, by which it writes")
    }
    if (!is_text(content_type) || grepl("[\r\n]", content_type)) {
        stop("stream_response(content_type = ) is one text, such as \"text/csv\"")
    }
    check_status(status)
    cookies <- as.character(cookies)
    if (any(grepl("[\r\n]", cookies))) {
        stop("stream_response(cookies = ) are texts without line breaks")
    }
    structure(class = "stream_response", list(
        write_body = write_body, content_type = content_type, status = as.integer(status),
        headers = response_headers(headers), cookies = cookies
    ))
}

# Lets the handler write its response. Nothing is sent before it writes, so that an error until then
# is an error like any other. A response of nothing is one too.
run_stream <- function(response, over_http) {
    stream <- new.env(parent = emptyenv())
    stream$api <- session$current$api
    stream$id <- session$current$id
    stream$response <- response
    stream$over_http <- over_http
    stream$state <- "new"
    stream$size <- 0
    session$stream <- stream
    enter_stream(response$write_body, function(x) write_to_stream(stream, x))
    if (stream$state == "new") {
        begin_stream(stream)
    }
}

# Its own function so that stack traces can begin below it.
enter_stream <- function(write_body, write) {
    write_body(write)
}

# Has the current invocation's answer begun?
stream_begun <- function() {
    stream <- session$stream
    !is.null(stream) && stream$state != "new"
}

# What handlers write with. x: one text, or raw bytes. A stream's state is "new", "open", "writing"
# (left as it is by whatever breaks off a write, so that it means "broken" outside of one), "ended".
write_to_stream <- function(stream, x) {
    bytes <- stream_bytes(x)
    if (!stream$state %in% c("new", "open")) {
        stop(stream_error(if (stream$state == "ended") "it has ended" else "it is broken"))
    }
    size <- stream$size + length(bytes)
    if (size > largest_stream) {
        stop(runtime_error("The streamed response is too large: ", format_count(size),
            " bytes, and Lambda takes ", format_count(largest_stream),
            lambda_type = "Function.ResponseSizeTooLarge", code = 500L))
    }
    if (stream$state == "new") {
        begin_stream(stream)
    }
    send_chunks(stream, bytes)
    stream$size <- stream$size + length(bytes)
    invisible()
}

stream_bytes <- function(x) {
    if (is.raw(x)) {
        as.vector(x)
    } else if (is_text(x)) {
        charToRaw(valid_text(as.vector(x)))
    } else {
        stop(runtime_error("write() takes one text or raw bytes, not ",
            if (is.character(x)) paste(length(x), "texts, or NA") else {
                paste0("an object of class ", class(x)[1])
            }, ": paste() makes one text of several, format() of a number"))
    }
}

stream_error <- function(...) {
    runtime_error("The response can't be written to: ", ..., lambda_type = "Function.StreamBroken")
}

# Sends the head of the request, and of the response if that goes over HTTP.
begin_stream <- function(stream) {
    response <- stream$response
    type <- if (stream$over_http) http_stream_type else response$content_type
    head <- request_bytes(stream$api, "POST", stream_path(stream), c(
        "Content-Type" = type,
        "Lambda-Runtime-Function-Response-Mode" = "streaming",
        "Transfer-Encoding" = "chunked",
        "Trailer" = "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body"
    ), NULL)
    open_connection(stream$api)
    send_bytes(stream, head)
    if (stream$over_http) {
        prelude <- c(charToRaw(stream_prelude(response)), raw(8))
        send_chunks(stream, prelude)
        stream$size <- length(prelude)
    }
}

http_stream_type <- "application/vnd.awslambda.http-integration-response"

stream_path <- function(stream) {
    api_path("invocation/", stream$id, "/response")
}

# Status, headers and cookies as JSON. Eight zero bytes tell its end.
stream_prelude <- function(response) {
    has_type <- "content-type" %in% tolower(names(response$headers))
    type <- if (!has_type) list("Content-Type" = response$content_type)
    fields <- joined_headers(c(type, response$headers), cookies = TRUE)
    cookies <- c(fields$cookies, as.list(response$cookies))
    if (length(cookies) > 0L) {
        fields$cookies <- cookies
    }
    write_json(c(list(statusCode = response$status), fields))
}

# Sends bytes, if there are any: an empty chunk would be the end.
send_chunks <- function(stream, bytes) {
    for (start in seq(1, by = largest_chunk, length.out = ceiling(length(bytes) / largest_chunk))) {
        piece <- bytes[start:min(start + largest_chunk - 1, length(bytes))]
        size <- charToRaw(sprintf("%x\r\n", length(piece)))
        send_bytes(stream, c(size, piece, charToRaw("\r\n")))
    }
}

# Lambda says nothing before the end: if there is something to be read, it is a refusal or the end
# of the connection.
send_bytes <- function(stream, bytes) {
    connection <- stream$api$connection
    fresh <- stream$state == "new"
    stream$state <- "writing"
    if (!is_ours(connection) || !fresh && socketSelect(list(connection), FALSE, 0)) {
        stop(stream_error("Lambda has closed it"))
    }
    tryCatch(
        writeBin(bytes, connection),
        warning = function(w) stop(stream_error("the connection is broken")),
        # Not every error: the end of the handler's time can come here too.
        error = function(e) {
            broken <- grepl("SIGPIPE", conditionMessage(e), fixed = TRUE)
            stop(if (broken) stream_error("the connection is broken") else e)
        }
    )
    stream$state <- "open"
}

# Ends the response, with the error in trailers if there is one. A response that broke off in the
# middle of a piece can't be ended so: Lambda sees that when the connection is closed.
end_stream <- function(api, id, failure) {
    stream <- session$stream
    if (stream$state != "open") {
        stream$state <- "ended"
        close_connection(api)
        if (is.null(failure)) {
            condition <- stream_error("it broke off")
            failure <- list(condition = condition, calls = NULL, depth = 0L)
        }
        post_error(api, id, error_body(failure), failure)
        return(invisible())
    }
    trailers <- if (!is.null(failure)) error_trailers(failure)
    last <- charToRaw(paste0(paste(c("0", trailers), collapse = "\r\n"), "\r\n\r\n"))
    answer <- exchange(api, last, open = FALSE)
    stream$state <- "ended"
    checked_status(answer, stream_path(stream))
    log_debug("Streamed ", format_count(stream$size), " bytes")
    invisible()
}

# The lines of the trailers that tell of an error. Servers take short ones only.
error_trailers <- function(failure) {
    body <- error_body(failure)
    if (nchar(body, "bytes") > 8000L) {
        condition <- failure$condition
        body <- write_json(list(errorMessage = substr(message_of(condition), 1L, 1000L),
            errorType = error_type(condition), stackTrace = list()))
    }
    c(
        paste0("Lambda-Runtime-Function-Error-Type: ", lambda_error_type(failure$condition)),
        paste0("Lambda-Runtime-Function-Error-Body: ", base64_text(charToRaw(body)))
    )
}
