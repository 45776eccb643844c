# Sends one event to a handler that streams. Returns the request: its headers, chunks and trailers,
# and the log.
streamed <- function(name, event = "{}") {
    started <- start_function(paste0("script.", name), "streams")
    connection <- accept(started)
    expect_request(connection, "GET", next_path)
    send_event(connection, event, "one")
    request <- expect_request(connection, "POST", answer_path("one"))
    request <- c(request, read_stream(connection))
    accepted(connection)
    request$log <- finish(started, connection)
    request
}

url_event <- paste0("{\"requestContext\":{\"http\":{\"method\":\"GET\"}},\"headers\":{},",
    "\"isBase64Encoded\":false}")

test("a direct event gets the bytes as they are written, a chunk for each", {
    request <- streamed("text")
    expect(request$chunks, list(charToRaw("a,"), as.raw(c(0xc3, 0xbc, 0x0a)), as.raw(c(0, 255))))
    header_is <- function(name, value) expect(header(request$headers, name), value)
    header_is("lambda-runtime-function-response-mode", "streaming")
    header_is("transfer-encoding", "chunked")
    header_is("content-type", "text/csv")
    header_is("content-length", NULL)
    expect(header(request$headers, "trailer"),
        "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body")
    expect(length(request$trailers), 0L)
})

test("an HTTP event gets a prelude before the body", {
    for (name in c("page", "whole")) {
        request <- streamed(name, url_event)
        expect(header(request$headers, "content-type"),
            "application/vnd.awslambda.http-integration-response")
        prelude <- request$chunks[[1]]
        expect(utils::tail(prelude, 8L), raw(8))
        expect(rawToChar(utils::head(prelude, -8L)), paste0("{\"statusCode\":201,\"headers\":",
            "{\"Content-Type\":\"text/html\",\"X-A\":\"b\"},\"cookies\":[\"c=d\"]}"))
        expect(vapply(request$chunks[-1], rawToChar, ""), c("one", "two"))
    }
})

test("a handler that writes nothing sends an empty response", {
    expect(streamed("nothing")$chunks, list())
    request <- streamed("nothing", url_event)
    expect(rawToChar(utils::head(request$chunks[[1]], -8L)),
        "{\"statusCode\":200,\"headers\":{\"Content-Type\":\"text/plain; charset=utf-8\"}}")
    expect(length(request$chunks), 1L)
})

test("an error in the middle goes to the trailers", {
    for (event in c("{}", url_event)) {
        request <- streamed("fails_late", event)
        expect(rawToChar(request$chunks[[length(request$chunks)]]), "begun")
        expect(header(request$trailers, "lambda-runtime-function-error-type"),
            "Function.SimpleError")
        body <- header(request$trailers, "lambda-runtime-function-error-body")
        error <- jsonlite::parse_json(rawToChar(jsonlite::base64_dec(body)))
        expect(error$errorMessage, "late (in write_body(write))")
        expect(error$errorType, "simpleError")
        stopifnot(any(grepl("stop(\"late\")", unlist(error$stackTrace), fixed = TRUE)),
            any(grepl("script.R:", unlist(error$stackTrace), fixed = TRUE)))
        stopifnot(grepl("simpleError: late", request$log))
    }
    type <- header(streamed("quits")$trailers, "lambda-runtime-function-error-type")
    expect(type, "Function.QuitError")
})

test("a long error is cut for the trailers", {
    condition <- simpleError(strrep("\u00fc", 50000L))
    trailers <- error_trailers(list(condition = condition, calls = NULL, depth = 0L))
    stopifnot(all(nchar(trailers) < 12000L), !grepl("\n", trailers))
    body <- jsonlite::base64_dec(sub("^[^ ]* ", "", trailers[2]))
    expect(jsonlite::parse_json(rawToChar(body))$errorMessage, strrep("\u00fc", 1000L))
})

test("an error before the first byte is an error like any other", {
    played <- play("script.fails_early", "streams", list("{}", url_event))
    expect(basename(vapply(played$answers, `[[`, "", "path")), c("error", "response"))
    expect(jsonlite::parse_json(played$answers[[1]]$body)$errorMessage,
        "early (in write_body(write))")
    expect(jsonlite::parse_json(played$answers[[2]]$body)$statusCode, 500L)
    number <- jsonlite::parse_json(play("script.writes_number", "streams", "{}")$answers[[1]]$body)
    stopifnot(startsWith(number$errorMessage, "write() takes one text or raw bytes, not an object"))
})

test("what write() takes, and what not", {
    expect(stream_bytes("a\u00fc"), as.raw(c(0x61, 0xc3, 0xbc)))
    latin <- "\xfc"
    Encoding(latin) <- "latin1"
    expect(stream_bytes(latin), as.raw(c(0xc3, 0xbc)))
    expect(stream_bytes(structure(raw(1), class = "x")), raw(1))
    for (x in list(1, NULL, NA, NA_character_, c("a", "b"), character(), list("a"), TRUE)) {
        stopifnot(grepl("one text or raw bytes", error_of(stream_bytes(x))))
    }
})

test("the arguments of stream_response()", {
    wrong <- function(..., write_body = identity) error_of(stream_response(write_body, ...))
    stopifnot(grepl("takes a function", wrong(write_body = "text")),
        grepl("content_type", wrong(content_type = 1)),
        grepl("content_type", wrong(content_type = "a\r\nX: y")),
        grepl("status", wrong(status = 1000)),
        grepl("headers", wrong(headers = list("x"))))
    for (broken in c("a\r\nSet-Cookie: b", "a\nb")) {
        stopifnot(grepl("line breaks", wrong(headers = list("X-A" = broken))),
            grepl("line breaks", wrong(cookies = broken)))
    }
    cookies <- stream_response(identity, headers = list("Set-Cookie" = "a=1"), cookies = "b=2")
    stopifnot(endsWith(stream_prelude(cookies), ",\"cookies\":[\"a=1\",\"b=2\"]}"))
    response <- stream_response(identity, headers = c("content-TYPE" = "a/b", "X-N" = 1))
    expect(stream_prelude(response),
        "{\"statusCode\":200,\"headers\":{\"content-TYPE\":\"a/b\",\"X-N\":\"1\"}}")
})

test("large pieces are cut, and the limit is Lambda's", {
    request <- streamed("large", "{\"megabytes\":8}")
    expect(sum(lengths(request$chunks)), 8388608L)
    stream <- new.env()
    stream$state <- "open"
    stream$size <- largest_stream - 1
    condition <- tryCatch(write_to_stream(stream, "ab"), error = identity)
    expect(lambda_error_type(condition), "Function.ResponseSizeTooLarge")
    stopifnot(grepl("209715201 bytes", conditionMessage(condition)))
})

test("writing after the end is an error, and the session goes on", {
    started <- start_function("script.writes_later", "streams")
    connection <- accept(started)
    expect_request(connection, "GET", next_path)
    send_event(connection, "{}", "one")
    expect_request(connection, "POST", answer_path("one"))
    expect(rawToChar(read_stream(connection)$chunks[[1]]), "kept")
    accepted(connection)
    expect_request(connection, "GET", next_path)
    send_event(connection, "{}", "two")
    error <- expect_request(connection, "POST", answer_path("two", "error"))
    stopifnot(grepl("can't be written to: it has ended", error$body))
    accepted(connection)
    finish(started, connection)
})

test("a connection that breaks in the middle is an error, and the session goes on", {
    started <- start_function("script.ignores", "streams")
    connection <- accept(started)
    expect_request(connection, "GET", next_path)
    send_event(connection, "{}", "one")
    expect_request(connection, "POST", answer_path("one"))
    close(connection)
    connection <- accept(started)
    error <- expect_request(connection, "POST", answer_path("one", "error"))
    expect(header(error$headers, "lambda-runtime-function-error-type"), "Function.StreamBroken")
    accepted(connection)
    finish(started, connection)
})

test("a stream that Lambda refuses is not written on", {
    started <- start_function("script.ignores", "streams")
    connection <- accept(started)
    expect_request(connection, "GET", next_path)
    send_event(connection, "{}", "one")
    expect_request(connection, "POST", answer_path("one"))
    reply(connection, "413 Payload Too Large", "too much")
    other <- accept(started)
    close(connection)
    expect_request(other, "POST", answer_path("one", "error"))
    accepted(other)
    finish(started, other)
})

test("a stream begins on a new connection when the old one was dropped", {
    started <- start_function("script.lines", "streams")
    connection <- accept(started)
    expect_request(connection, "GET", next_path)
    send_event(connection, "{\"n\":2}", "one")
    close(connection)
    connection <- accept(started)
    expect_request(connection, "POST", answer_path("one"))
    expect(rawToChar(unlist(read_stream(connection)$chunks)), "line 1\nline 2\n")
    accepted(connection)
    finish(started, connection)
})
