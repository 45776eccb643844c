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
