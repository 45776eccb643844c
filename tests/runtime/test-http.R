answer_to <- function(text) {
    connection <- rawConnection(charToRaw(gsub("\n", "\r\n", text, fixed = TRUE)))
    on.exit(close(connection))
    read_answer(connection)
}

test("a body with a length", {
    answer <- answer_to("HTTP/1.1 200 OK\nCONTENT-length: 5\nX-A:  b \nX-E:\n\nhello more")
    expect(answer$status, 200L)
    expect(rawToChar(answer$body), "hello")
    expect(header(answer$headers, "x-a"), "b")
    expect(header(answer$headers, "x-e"), NULL)
    expect(header(answer$headers, "x-none"), NULL)
    expect(header(NULL, "x-none"), NULL)
    expect(answer$last, FALSE)
})

test("a body in chunks", {
    text <- paste0("HTTP/1.1 200 OK\nTransfer-Encoding: Chunked\n\n",
        "5\nhello\nB;name=value\n, \u00e9 there!\n0\nTrailer: x\n\n")
    expect(rawToChar(answer_to(text)$body), paste0("hello", ", \u00e9 there!"))
})

test("no body, an interim answer, a body that ends with the connection", {
    expect(answer_to("HTTP/1.1 204 No Content\n\n")$body, raw())
    interim <- "HTTP/1.1 100 Continue\n\nHTTP/1.1 202 OK\nContent-Length: 0\n\n"
    expect(answer_to(interim)$status, 202L)
    answer <- answer_to("HTTP/1.1 200 OK\n\nthe rest")
    expect(rawToChar(answer$body), "the rest")
    expect(answer$last, TRUE)
    stopifnot(answer_to("HTTP/1.1 200 OK\nConnection: Close\nContent-Length: 0\n\n")$last)
    stopifnot(answer_to("HTTP/1.0 200 OK\nContent-Length: 0\n\n")$last)
})

test("what is cut short is no answer", {
    stopifnot(grepl("dropped", error_of(answer_to("HTTP/1.1 200 OK\nContent-Length: 9\n\nhello"))))
    stopifnot(grepl("dropped", error_of(answer_to("HTTP/1.1 200 OK\n"))))
    expect(error_of(answer_to("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\nzz\n")),
        "not the size of a chunk")
})

test("a request in bytes", {
    client <- http_client("127.0.0.1:9001")
    expect(rawToChar(request_bytes(client, "POST", "/p", c(A = "b"), charToRaw("xy"))),
        "POST /p HTTP/1.1\r\nHost: 127.0.0.1:9001\r\nA: b\r\nContent-Length: 2\r\n\r\nxy")
    expect(rawToChar(request_bytes(client, "GET", "/p", character(), NULL)),
        "GET /p HTTP/1.1\r\nHost: 127.0.0.1:9001\r\n\r\n")
})

test("addresses", {
    expect(http_client("[::1]:90")$host, "::1")
    expect(http_client("localhost")$port, 80L)
    expect(http_client("localhost:81")$port, 81L)
})

test("no answer is NULL, not an error", {
    expect(http_request(http_client("127.0.0.1:1"), "GET", "/"), NULL)
})

test("a connection's number may become another file's", {
    ours <- rawConnection(raw())
    stopifnot(is_ours(ours), !is_ours(NULL))
    close(ours)
    stopifnot(!is_ours(ours))
    other <- rawConnection(raw())
    on.exit(close(other))
    stopifnot(as.integer(other) == as.integer(ours), !is_ours(ours))
})

# A function that waits for its first event. Returns list(started, connection).
waiting <- function(handler = "script.count", folder = "basics") {
    started <- start_function(handler, folder)
    connection <- accept(started)
    expect_request(connection, "GET", next_path)
    list(started = started, connection = connection)
}

# The function answers this event with that count, on this connection.
expect_count <- function(connection, id, count) {
    send_event(connection, "", id)
    answer <- expect_request(connection, "POST", answer_path(id))
    expect(answer$body, as.character(count))
    accepted(connection)
}

test("an answer whose receipt is lost is sent again, and a refusal of that is no failure", {
    for (refusal in c("400 Bad Request", "403 Forbidden")) {
        played <- waiting()
        send_event(played$connection, "", "one")
        expect(expect_request(played$connection, "POST", answer_path("one"))$body, "1")
        close(played$connection)
        connection <- accept(played$started)
        expect(expect_request(connection, "POST", answer_path("one"))$body, "1")
        reply(connection, refusal, "{\"errorType\":\"InvalidRequestID\"}")
        # The handler ran once, and nothing is said about the event any more.
        expect_request(connection, "GET", next_path)
        expect_count(connection, "two", 2)
        log <- finish(played$started, connection)
        stopifnot(!grepl("refused", log))
    }
})

test("an answer is sent again until it is taken", {
    played <- waiting()
    send_event(played$connection, "", "one")
    for (i in 1:3) {
        expect_request(played$connection, "POST", answer_path("one"))
        close(played$connection)
        played$connection <- accept(played$started)
    }
    expect_request(played$connection, "POST", answer_path("one"))
    accepted(played$connection)
    finish(played$started, played$connection)
})

test("a refusal of the first answer is told", {
    played <- waiting()
    send_event(played$connection, "", "one")
    expect_request(played$connection, "POST", answer_path("one"))
    reply(played$connection, "400 Bad Request", "no such id")
    expect_request(played$connection, "POST", answer_path("one", "error"))
    reply(played$connection, "400 Bad Request", "no such id")
    log <- finish(played$started, played$connection)
    stopifnot(grepl("refused .*/one/response: 400 no such id", log))
})

test("a connection that was dropped between two requests is not written to", {
    played <- waiting()
    # With the event comes the end of the connection; the answer goes to a new one, once.
    send_event(played$connection, "", "one")
    close(played$connection)
    connection <- accept(played$started)
    expect(expect_request(connection, "POST", answer_path("one"))$body, "1")
    accepted(connection)
    expect_request(connection, "GET", next_path)
    expect_count(connection, "two", 2)
    finish(played$started, connection)
})

test("a frozen function goes on, whatever became of its connection", {
    # Nothing; its end; a reset, which unread bytes make of the end.
    for (fate in c("kept", "closed", "reset")) {
        started <- start_function("script.count", "basics")
        connection <- accept(started)
        if (fate == "reset") {
            # Its request is not read.
            socketSelect(list(connection), FALSE, 10)
        } else {
            expect_request(connection, "GET", next_path)
        }
        tools::pskill(started$pid(), tools::SIGSTOP)
        Sys.sleep(0.5)
        if (fate != "kept") {
            close(connection)
        }
        Sys.sleep(0.5)
        tools::pskill(started$pid(), tools::SIGCONT)
        if (fate != "kept") {
            connection <- accept(started)
            expect_request(connection, "GET", next_path)
        }
        expect_count(connection, "one", 1)
        expect_request(connection, "GET", next_path)
        expect_count(connection, "two", 2)
        finish(started, connection)
    }
})

test("an event that was sent to a frozen function is there when it goes on", {
    played <- waiting()
    tools::pskill(played$started$pid(), tools::SIGSTOP)
    send_event(played$connection, "", "one")
    Sys.sleep(0.5)
    tools::pskill(played$started$pid(), tools::SIGCONT)
    answer <- expect_request(played$connection, "POST", answer_path("one"))
    expect(answer$body, "1")
    accepted(played$connection)
    finish(played$started, played$connection)
})

test("half an event is none: it is asked for again", {
    played <- waiting()
    head <- paste0("HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: one\r\n",
        "Content-Length: 10\r\n\r\n{\"x\"")
    writeBin(charToRaw(head), played$connection)
    close(played$connection)
    connection <- accept(played$started)
    expect_request(connection, "GET", next_path)
    expect_count(connection, "one", 1)
    finish(played$started, connection)
})
